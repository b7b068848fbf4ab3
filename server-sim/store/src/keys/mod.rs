//! One file per key: its fields in order, encoded so that the bytes sort as the fields do. The same in every engine.
mod backlog_task;
mod cluster;
mod codec;
mod current_run;
mod history_node;
mod history_task;
mod namespace;
mod namespace_name;
mod node;
mod partition;
mod run;
mod run_part;
mod shard;

pub use crate::table::Table;
pub use backlog_task::BacklogTaskKey;
pub use cluster::ClusterKey;
pub use codec::KeyError;
pub use current_run::CurrentRunKey;
pub use history_node::HistoryNodeKey;
pub use history_task::HistoryTaskKey;
pub use namespace::NamespaceKey;
pub use namespace_name::NamespaceNameKey;
pub use node::NodeKey;
pub use run_part::RunPartKey;

/// A key of one table.
pub trait Key: Sized {
    const TABLE: Table;

    /// Bytes that sort as the key does.
    fn encode(&self) -> Vec<u8>;

    /// The inverse of [`Key::encode`].
    ///
    /// # Errors
    /// If the bytes are not a whole key.
    fn decode(bytes: &[u8]) -> Result<Self, KeyError>;
}

#[cfg(test)]
mod test {
    use super::Key;

    /// What every key promises: decoding inverts encoding, and bytes sort as keys do.
    pub fn check<K: Key + Ord + std::fmt::Debug>(a: &K, b: &K) {
        let (bytes_a, bytes_b) = (a.encode(), b.encode());
        assert_eq!(&K::decode(&bytes_a).expect("what was encoded decodes"), a);
        assert_eq!(bytes_a.cmp(&bytes_b), a.cmp(b), "{a:?} against {b:?}");
        assert!(K::decode(&bytes_a[..bytes_a.len() - 1]).is_err(), "a cut key must not decode");
        let mut longer = bytes_a;
        longer.push(1);
        assert!(K::decode(&longer).is_err(), "a key with a tail must not decode");
    }
}
