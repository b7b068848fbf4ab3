//! What a batch knows of the database: rows as they were read, and what its requests have made of them so far.
use crate::judge::{Change, Needs, Value};
use crate::keys::Key;
use crate::values::decode_record;
use crate::{JudgedBy, StoreError, Table};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

type Rows<T> = BTreeMap<Vec<u8>, T>;

/// What a batch makes of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Put(Value),
    /// Whether it was there or not.
    Removed,
    /// Put by the batch where there must have been none, and removed by it again.
    PutAndRemoved(Value),
}

/// The rows that a batch is judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    needs: Needs,
    found: BTreeMap<Table, Rows<Value>>,
    edits: BTreeMap<Table, Rows<Edit>>,
}

impl View {
    /// A view for requests with these needs, with no rows in it yet.
    pub fn new(needs: Needs) -> Self {
        Self { needs, ..Self::default() }
    }

    /// Adds a row as it was read: as much of the value as its table is [judged by](Table::judged_by).
    pub fn add(&mut self, table: Table, key: Vec<u8>, value: Value) {
        self.found.entry(table).or_default().insert(key, value);
    }

    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Makes the changes of a request part of what the next one is judged by.
    pub fn take(&mut self, changes: Vec<Change>) {
        for change in changes {
            let edits = self.edits.entry(change.table()).or_default();
            match change {
                Change::Put { key, value, .. } => drop(edits.insert(key, Edit::Put(value))),
                Change::Remove { table, key } => {
                    let edit = match edits.remove(&key) {
                        Some(Edit::Put(value) | Edit::PutAndRemoved(value))
                            if table.judged_by() == JudgedBy::Absence =>
                        {
                            Edit::PutAndRemoved(value)
                        }
                        _ => Edit::Removed,
                    };
                    edits.insert(key, edit);
                }
            }
        }
    }

    /// Whether there is anything to write.
    pub fn is_changed(&self) -> bool {
        !self.edits.is_empty()
    }

    /// What has become of each table, and of each row in it, in order.
    pub fn edits(&self) -> impl Iterator<Item = (Table, &Rows<Edit>)> {
        self.edits.iter().map(|(table, edits)| (*table, edits))
    }

    /// Whether a change puts a row back that the batch removed where there must be none. An engine whose insertions come
    /// before its removals cannot do both in one transaction.
    pub fn puts_back(&self, change: &Change) -> bool {
        matches!(change, Change::Put { table, .. } if table.judged_by() == JudgedBy::Absence)
            && matches!(self.edit(change.table(), change.key()), Some(Edit::Removed | Edit::PutAndRemoved(_)))
    }

    /// A row as it was read.
    pub fn found(&self, table: Table, key: &[u8]) -> Option<&Value> {
        self.found.get(&table)?.get(key)
    }

    /// What the batch has made of a row.
    pub fn edit(&self, table: Table, key: &[u8]) -> Option<&Edit> {
        self.edits.get(&table)?.get(key)
    }

    /// A record as it is now.
    ///
    /// # Errors
    /// `Corrupt` if it does not decode.
    pub fn record<K: Key, T: DeserializeOwned>(&self, key: &K) -> Result<Option<T>, StoreError> {
        self.body(key).map(|body| decode_record(body)).transpose()
    }

    /// The whole value of a row as it is now.
    pub fn body<K: Key>(&self, key: &K) -> Option<&Bytes> {
        debug_assert!(matches!(K::TABLE.judged_by(), JudgedBy::LockedValue | JudgedBy::Value));
        self.now(K::TABLE, &key.encode()).map(|value| &value.body)
    }

    /// The version of a row as it is now.
    pub fn version<K: Key>(&self, key: &K) -> Option<u64> {
        debug_assert_eq!(K::TABLE.judged_by(), JudgedBy::Version);
        self.now(K::TABLE, &key.encode()).map(|value| value.version)
    }

    /// Whether there is a row now.
    pub fn contains(&self, table: Table, key: &[u8]) -> bool {
        self.now(table, key).is_some()
    }

    /// All values of a table that is needed whole, by key.
    pub fn all(&self, table: Table) -> Vec<&Bytes> {
        debug_assert!(self.needs.whole_tables().any(|whole| whole == table));
        let mut rows: Rows<&Bytes> = BTreeMap::new();
        for (key, value) in self.found.get(&table).into_iter().flatten() {
            rows.insert(key.clone(), &value.body);
        }
        for (key, edit) in self.edits.get(&table).into_iter().flatten() {
            match edit {
                Edit::Put(value) => rows.insert(key.clone(), &value.body),
                Edit::Removed | Edit::PutAndRemoved(_) => rows.remove(key),
            };
        }
        rows.into_values().collect()
    }

    fn now(&self, table: Table, key: &[u8]) -> Option<&Value> {
        match self.edit(table, key) {
            Some(Edit::Put(value)) => Some(value),
            Some(Edit::Removed | Edit::PutAndRemoved(_)) => None,
            None => {
                debug_assert!(self.needs.contains(table, key), "a row of {table:?} that was not declared is judged by");
                self.found(table, key)
            }
        }
    }
}
