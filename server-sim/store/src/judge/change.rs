//! What a request that may be done changes.
use crate::keys::Key;
use crate::{Table, Written};
use bytes::Bytes;

/// A row's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// Beside the value where rows are judged by their version; 0 elsewhere.
    pub version: u64,
    pub body: Bytes,
}

/// One row that is put or removed. The key is [encoded](Key::encode).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Put {
        table: Table,
        key: Vec<u8>,
        value: Value,
    },
    /// Removing what is not there is no error.
    Remove {
        table: Table,
        key: Vec<u8>,
    },
}

impl Change {
    pub fn put<K: Key>(key: &K, body: Bytes) -> Self {
        Self::put_version(key, 0, body)
    }

    pub fn put_version<K: Key>(key: &K, version: u64, body: Bytes) -> Self {
        Self::Put { table: K::TABLE, key: key.encode(), value: Value { version, body } }
    }

    pub fn remove<K: Key>(key: &K) -> Self {
        Self::Remove { table: K::TABLE, key: key.encode() }
    }

    pub fn table(&self) -> Table {
        match self {
            Self::Put { table, .. } | Self::Remove { table, .. } => *table,
        }
    }

    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put { key, .. } | Self::Remove { key, .. } => key,
        }
    }
}

/// What a request that may be done answers, and what it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub written: Written,
    pub changes: Vec<Change>,
}
