//! The tables, and their handles within one write transaction.
use crate::StoreError;
use crate::redb::keys::{Key, KeyError};
use redb::{ReadableTable, StorageError, TableDefinition, WriteTransaction};

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type WriteHandle<'txn> = redb::Table<'txn, &'static [u8], &'static [u8]>;
pub type ReadHandle = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

/// Schema version and cluster row, by name.
pub const META: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("meta");
pub const META_SCHEMA: &str = "schema";
pub const META_CLUSTER: &str = "cluster";

pub const SHARDS: Definition = TableDefinition::new("shards");
pub const RUNS: Definition = TableDefinition::new("runs");
pub const CURRENT_RUNS: Definition = TableDefinition::new("current_runs");
pub const HISTORY: Definition = TableDefinition::new("history");
pub const HISTORY_TASKS: Definition = TableDefinition::new("history_tasks");
pub const NAMESPACES: Definition = TableDefinition::new("namespaces");
pub const NAMESPACE_NAMES: Definition = TableDefinition::new("namespace_names");
pub const NODES: Definition = TableDefinition::new("nodes");
pub const PARTITIONS: Definition = TableDefinition::new("partitions");
pub const BACKLOG: Definition = TableDefinition::new("backlog");

/// Why a request within a transaction stopped.
#[derive(Debug)]
pub enum Stop {
    /// This request alone is refused; nothing of it was written.
    Refused(StoreError),
    /// The storage failed: the whole transaction is lost.
    Broken(redb::Error),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<KeyError> for Stop {
    fn from(error: KeyError) -> Self {
        Self::Refused(StoreError::Corrupt(error.to_string()))
    }
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<redb::TableError> for Stop {
    fn from(error: redb::TableError) -> Self {
        Self::Broken(error.into())
    }
}

/// A table open for writing.
pub struct Rows<'txn>(WriteHandle<'txn>);

impl Rows<'_> {
    /// The value under `key`, as `read` understands it.
    pub fn get<T>(&self, key: &impl Key, read: impl FnOnce(&[u8]) -> Result<T, StoreError>) -> Result<Option<T>, Stop> {
        match self.0.get(key.encode().as_slice())? {
            Some(value) => Ok(Some(read(value.value())?)),
            None => Ok(None),
        }
    }

    pub fn contains(&self, key: &impl Key) -> Result<bool, Stop> {
        Ok(self.0.get(key.encode().as_slice())?.is_some())
    }

    /// Every value, in key order. For tables that hold few rows.
    pub fn all<T>(&self, read: impl Fn(&[u8]) -> Result<T, StoreError>) -> Result<Vec<T>, Stop> {
        let mut values = Vec::new();
        for row in self.0.iter()? {
            values.push(read(row?.1.value())?);
        }
        Ok(values)
    }

    pub fn put(&mut self, key: &impl Key, value: &[u8]) -> Result<(), Stop> {
        self.0.insert(key.encode().as_slice(), value)?;
        Ok(())
    }

    /// Removing what is not there is no error.
    pub fn remove(&mut self, key: &impl Key) -> Result<(), Stop> {
        self.0.remove(key.encode().as_slice())?;
        Ok(())
    }
}

/// All tables of one write transaction; they close before it commits.
pub struct Tables<'txn> {
    pub meta: redb::Table<'txn, &'static str, &'static [u8]>,
    pub shards: Rows<'txn>,
    pub runs: Rows<'txn>,
    pub current_runs: Rows<'txn>,
    pub history: Rows<'txn>,
    pub history_tasks: Rows<'txn>,
    pub namespaces: Rows<'txn>,
    pub namespace_names: Rows<'txn>,
    pub nodes: Rows<'txn>,
    pub partitions: Rows<'txn>,
    pub backlog: Rows<'txn>,
}

impl<'txn> Tables<'txn> {
    /// Opens every table, and creates those that are not there yet.
    pub fn open(transaction: &'txn WriteTransaction) -> Result<Self, redb::TableError> {
        let rows = |definition| transaction.open_table(definition).map(Rows);
        Ok(Self {
            meta: transaction.open_table(META)?,
            shards: rows(SHARDS)?,
            runs: rows(RUNS)?,
            current_runs: rows(CURRENT_RUNS)?,
            history: rows(HISTORY)?,
            history_tasks: rows(HISTORY_TASKS)?,
            namespaces: rows(NAMESPACES)?,
            namespace_names: rows(NAMESPACE_NAMES)?,
            nodes: rows(NODES)?,
            partitions: rows(PARTITIONS)?,
            backlog: rows(BACKLOG)?,
        })
    }
}
