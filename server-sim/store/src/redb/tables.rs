//! The tables as redb has them, and what a batch reads and writes in them.
use crate::judge::{Edit, Needs, Value, View};
use crate::keys::KeyError;
use crate::{JudgedBy, StoreError, Table};
use bytes::Bytes;
use redb::{ReadableTable, StorageError, TableDefinition, WriteTransaction};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::mem::size_of;

pub type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
pub type ReadHandle = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The format version, by a name: a file is tempest's if it has this table.
pub const META: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("meta");
pub const META_FORMAT: &str = "schema";

const VERSION_BYTES: usize = size_of::<u64>();

pub const fn definition(table: Table) -> Definition {
    TableDefinition::new(table.name())
}

/// Why a read stopped.
#[derive(Debug)]
pub enum Stop {
    /// What was read makes no sense.
    Refused(StoreError),
    /// The storage failed.
    Broken(redb::Error),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<KeyError> for Stop {
    fn from(error: KeyError) -> Self {
        Self::Refused(error.into())
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

/// Makes every table in a new database.
pub fn create_all(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    for table in Table::ALL {
        transaction.open_table(definition(*table))?;
    }
    Ok(())
}

/// The tables that a batch uses, each opened once: redb looks for a table by its name when it is opened, and notes where
/// its tree begins when it is closed. A commit of few rows spends more on that than on its rows.
pub struct OpenTables<'t> {
    transaction: &'t WriteTransaction,
    open: BTreeMap<Table, OpenTable<'t>>,
}

type OpenTable<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

impl<'t> OpenTables<'t> {
    pub fn of(transaction: &'t WriteTransaction) -> Self {
        Self { transaction, open: BTreeMap::new() }
    }

    fn table(&mut self, table: Table) -> Result<&mut OpenTable<'t>, redb::Error> {
        Ok(match self.open.entry(table) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => place.insert(self.transaction.open_table(definition(table))?),
        })
    }

    /// The rows by which a batch is judged.
    pub fn read(&mut self, needs: Needs) -> Result<View, redb::Error> {
        let mut view = View::new(needs.clone());
        for table in needs.tables() {
            let rows = self.table(table)?;
            for key in needs.rows(table) {
                if let Some(value) = rows.get(key)? {
                    view.add(table, key.to_vec(), judged_part(table, value.value()));
                }
            }
        }
        for table in needs.whole_tables() {
            for row in self.table(table)?.iter()? {
                let (key, value) = row?;
                view.add(table, key.value().to_vec(), judged_part(table, value.value()));
            }
        }
        Ok(view)
    }

    /// Writes what a batch has changed.
    pub fn write(&mut self, view: &View) -> Result<(), redb::Error> {
        for (table, edits) in view.edits() {
            let rows = self.table(table)?;
            for (key, edit) in edits {
                match edit {
                    Edit::Put(value) if table.judged_by() == JudgedBy::Version => {
                        rows.insert(key.as_slice(), with_version(value).as_slice())?;
                    }
                    Edit::Put(value) => drop(rows.insert(key.as_slice(), value.body.as_ref())?),
                    Edit::Removed => drop(rows.remove(key.as_slice())?),
                    Edit::PutAndRemoved(_) => {}
                }
            }
        }
        Ok(())
    }
}

/// As much of a stored value as its table is judged by.
fn judged_part(table: Table, stored: &[u8]) -> Value {
    match table.judged_by() {
        JudgedBy::LockedValue | JudgedBy::Value => Value { version: 0, body: Bytes::copy_from_slice(stored) },
        // A row that is cut off has no version that a writer expects; who reads it is told that it is damaged.
        JudgedBy::Version => {
            Value { version: split_version(stored).map_or(0, |(version, _)| version), body: Bytes::new() }
        }
        JudgedBy::Absence | JudgedBy::Nothing => Value::default(),
    }
}

/// The version stands before the value.
fn with_version(value: &Value) -> Vec<u8> {
    let mut stored = Vec::with_capacity(VERSION_BYTES + value.body.len());
    stored.extend_from_slice(&value.version.to_be_bytes());
    stored.extend_from_slice(&value.body);
    stored
}

/// The inverse, without a copy.
pub fn split_version(stored: &[u8]) -> Result<(u64, &[u8]), StoreError> {
    let (version, body) =
        stored.split_first_chunk().ok_or_else(|| StoreError::Corrupt("a run without a version".into()))?;
    Ok((u64::from_be_bytes(*version), body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_stands_before_its_value() {
        let stored = with_version(&Value { version: 7, body: Bytes::from_static(b"state") });
        assert_eq!(split_version(&stored), Ok((7, &b"state"[..])));
        assert!(matches!(split_version(&stored[..VERSION_BYTES - 1]), Err(StoreError::Corrupt(_))));
    }
}
