//! Which shard a workflow lives in, and where a shard is to be.
use tempest_core::{NamespaceId, WorkflowId};
use tempest_store::ShardId;

/// Where a shard is to be, as far as this node knows. It is a hint: the range id alone decides who may write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// This node takes it and keeps it.
    #[default]
    Here,
    /// This node lets it go. Callers are told `address`, `host:port`, empty if no node is known to be there.
    There { address: String },
}

impl Placement {
    pub(crate) fn is_here(&self) -> bool {
        matches!(self, Self::Here)
    }
}

/// The shard of a workflow id: FNV-1a (64 bit) over `namespaceID_workflowID`, mixed so that close ids spread, modulo
/// the shard count, plus 1. Stored data depends on it: it must never change for a cluster.
///
/// # Panics
/// If `shard_count` is 0; the configuration refuses that.
pub fn shard_of(namespace: &NamespaceId, workflow: &WorkflowId, shard_count: u32) -> ShardId {
    let bytes = namespace.as_str().bytes().chain([b'_']).chain(workflow.as_str().bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let slot = (mixed ^ (mixed >> 33)) % u64::from(shard_count);
    ShardId(u32::try_from(slot).expect("a remainder of a u32 fits u32") + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placement_is_stable_and_even() {
        // Stored data depends on these: a change here is a migration.
        assert_eq!(shard_of(&"ns".into(), &"order-1".into(), 512), ShardId(133));
        let mut counts = [0; 8];
        for n in 0..8000 {
            let shard = shard_of(&"ns".into(), &format!("order-{n}").into(), 8);
            counts[shard.0 as usize - 1] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
