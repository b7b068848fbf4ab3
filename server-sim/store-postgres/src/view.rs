//! What a batch knows of the database: rows as they were read, and what its requests make of them. Requests are judged
//! one after the other against this, so each sees what those before it in the batch did.
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

pub type Key = Vec<u8>;

#[derive(Default)]
pub struct View {
    pub meta: Rows,
    pub shards: Rows,
    pub partitions: Rows,
    pub namespaces: Rows,
    pub namespace_names: Rows,
    pub current_runs: Rows,
    pub runs: Runs,
    /// New nodes. Whether one is there already is for the primary key to say.
    pub history: BTreeMap<Key, Bytes>,
    pub history_tasks: HistoryTasks,
    pub backlog: Backlog,
}

impl View {
    pub fn is_changed(&self) -> bool {
        let rows =
            [&self.meta, &self.shards, &self.partitions, &self.namespaces, &self.namespace_names, &self.current_runs];
        rows.iter().any(|rows| !rows.now.is_empty())
            || !self.runs.now.is_empty()
            || !self.history.is_empty()
            || !self.history_tasks.added.is_empty()
            || !self.history_tasks.deleted.is_empty()
            || !self.backlog.added.is_empty()
            || !self.backlog.deleted.is_empty()
    }
}

/// Rows of a table that the batch asked for.
#[derive(Default)]
pub struct Rows {
    found: BTreeMap<Key, Bytes>,
    /// `None`: deleted.
    now: BTreeMap<Key, Option<Bytes>>,
}

/// How a table has to change, column by column.
#[derive(Default)]
pub struct Changes<'a> {
    pub insert_keys: Vec<&'a [u8]>,
    pub insert_values: Vec<&'a [u8]>,
    pub update_keys: Vec<&'a [u8]>,
    pub update_before: Vec<&'a [u8]>,
    pub update_values: Vec<&'a [u8]>,
    pub delete_keys: Vec<&'a [u8]>,
}

impl Rows {
    pub fn read(rows: impl IntoIterator<Item = (Key, Bytes)>) -> Self {
        Self { found: rows.into_iter().collect(), now: BTreeMap::new() }
    }

    pub fn get(&self, key: &[u8]) -> Option<&Bytes> {
        match self.now.get(key) {
            Some(now) => now.as_ref(),
            None => self.found.get(key),
        }
    }

    pub fn put(&mut self, key: Key, value: Bytes) {
        self.now.insert(key, Some(value));
    }

    pub fn remove(&mut self, key: Key) {
        self.now.insert(key, None);
    }

    pub fn changes(&self) -> Changes<'_> {
        let mut changes = Changes::default();
        for (key, now) in &self.now {
            match (self.found.get(key), now) {
                (None, Some(value)) => {
                    changes.insert_keys.push(key);
                    changes.insert_values.push(value);
                }
                (Some(before), Some(value)) => {
                    changes.update_keys.push(key);
                    changes.update_before.push(before);
                    changes.update_values.push(value);
                }
                // Also of what was not read: a namespace gives its old name up without asking for it first.
                (_, None) => changes.delete_keys.push(key),
            }
        }
        changes
    }
}

/// Runs: of those found only the version is read.
#[derive(Default)]
pub struct Runs {
    found: BTreeMap<Key, u64>,
    now: BTreeMap<Key, (u64, Bytes)>,
}

/// How the runs have to change, column by column; versions as they are stored.
#[derive(Default)]
pub struct RunChanges<'a> {
    pub insert_keys: Vec<&'a [u8]>,
    pub insert_versions: Vec<i64>,
    pub insert_states: Vec<&'a [u8]>,
    pub update_keys: Vec<&'a [u8]>,
    pub update_before: Vec<i64>,
    pub update_versions: Vec<i64>,
    pub update_states: Vec<&'a [u8]>,
}

impl Runs {
    pub fn read(rows: impl IntoIterator<Item = (Key, u64)>) -> Self {
        Self { found: rows.into_iter().collect(), now: BTreeMap::new() }
    }

    pub fn version(&self, key: &[u8]) -> Option<u64> {
        match self.now.get(key) {
            Some((version, _)) => Some(*version),
            None => self.found.get(key).copied(),
        }
    }

    pub fn put(&mut self, key: Key, version: u64, state: Bytes) {
        self.now.insert(key, (version, state));
    }

    pub fn changes(&self) -> RunChanges<'_> {
        use crate::values::encode_version;
        let mut changes = RunChanges::default();
        for (key, (version, state)) in &self.now {
            match self.found.get(key) {
                None => {
                    changes.insert_keys.push(key);
                    changes.insert_versions.push(encode_version(*version));
                    changes.insert_states.push(state);
                }
                Some(before) => {
                    changes.update_keys.push(key);
                    changes.update_before.push(encode_version(*before));
                    changes.update_versions.push(encode_version(*version));
                    changes.update_states.push(state);
                }
            }
        }
        changes
    }
}

/// Tasks to add, then tasks to delete: some may be in both, and are still inserted, so that a key that was there already
/// is found out.
#[derive(Default)]
pub struct HistoryTasks {
    pub added: BTreeMap<Key, Bytes>,
    pub deleted: BTreeSet<Key>,
}

/// Backlog rows: a key is in one of the two.
#[derive(Default)]
pub struct Backlog {
    pub added: BTreeMap<Key, Bytes>,
    pub deleted: BTreeSet<Key>,
}

impl Backlog {
    pub fn put(&mut self, key: Key, body: Bytes) {
        self.deleted.remove(&key);
        self.added.insert(key, body);
    }

    pub fn delete(&mut self, key: Key) {
        self.added.remove(&key);
        self.deleted.insert(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_decides_how_a_row_is_written() {
        let mut rows = Rows::read([(b"a".to_vec(), Bytes::from("1")), (b"b".to_vec(), Bytes::from("2"))]);
        rows.put(b"a".to_vec(), Bytes::from("3"));
        rows.put(b"a".to_vec(), Bytes::from("4"));
        rows.remove(b"b".to_vec());
        rows.put(b"c".to_vec(), Bytes::from("5"));
        rows.put(b"d".to_vec(), Bytes::from("6"));
        rows.remove(b"d".to_vec());
        assert_eq!(rows.get(b"a"), Some(&Bytes::from("4")));
        assert_eq!((rows.get(b"b"), rows.get(b"d")), (None, None));
        let changes = rows.changes();
        assert_eq!((changes.insert_keys, changes.insert_values), (vec![&b"c"[..]], vec![&b"5"[..]]));
        assert_eq!((changes.update_keys, changes.update_before), (vec![&b"a"[..]], vec![&b"1"[..]]));
        assert_eq!((changes.update_values, changes.delete_keys), (vec![&b"4"[..]], vec![&b"b"[..], b"d"]));
    }
}
