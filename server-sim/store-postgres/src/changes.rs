//! How a table has to change, column by column, as its statements take it.
use std::collections::BTreeMap;
use tempest_store::judge::{Edit, Value, View};
use tempest_store::{JudgedBy, Table};
use tokio_postgres::types::ToSql;

/// The parameters of one statement: a statement takes those columns that its table has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Columns<'a> {
    pub keys: Vec<&'a [u8]>,
    /// What was read of rows that are replaced.
    pub values_before: Option<Vec<&'a [u8]>>,
    pub versions_before: Option<Vec<i64>>,
    pub versions: Option<Vec<i64>>,
    pub values: Option<Vec<&'a [u8]>>,
}

impl<'a> Columns<'a> {
    pub fn rows(&self) -> usize {
        self.keys.len()
    }

    /// In the order in which every statement has them.
    pub fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        fn column<T: ToSql + Sync>(column: Option<&Vec<T>>) -> Option<&(dyn ToSql + Sync)>
        where
            Vec<T>: ToSql,
        {
            column.map(|column| column as &(dyn ToSql + Sync))
        }
        let optional = [
            column(self.values_before.as_ref()),
            column(self.versions_before.as_ref()),
            column(self.versions.as_ref()),
            column(self.values.as_ref()),
        ];
        std::iter::once(&self.keys as &(dyn ToSql + Sync)).chain(optional.into_iter().flatten()).collect()
    }

    /// PostgreSQL has no unsigned numbers. Versions are only ever compared for equality, so the same bits will do.
    fn put(&mut self, table: Table, key: &'a [u8], before: Option<&'a Value>, value: &'a Value) {
        self.keys.push(key);
        self.values.get_or_insert_default().push(&value.body);
        if table.judged_by() == JudgedBy::Version {
            self.versions.get_or_insert_default().push(value.version.cast_signed());
        }
        match (before, table.judged_by()) {
            (None, _) => {}
            (Some(before), JudgedBy::Version) => {
                self.versions_before.get_or_insert_default().push(before.version.cast_signed());
            }
            (Some(before), _) => self.values_before.get_or_insert_default().push(&before.body),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Changes<'a> {
    pub table: Table,
    pub update: Columns<'a>,
    pub insert: Columns<'a>,
    pub delete: Columns<'a>,
}

impl<'a> Changes<'a> {
    /// What was read decides whether a row that is put is inserted, or updated if it is still the same.
    pub fn of(table: Table, edits: &'a BTreeMap<Vec<u8>, Edit>, view: &'a View) -> Self {
        let mut changes =
            Self { table, update: Columns::default(), insert: Columns::default(), delete: Columns::default() };
        for (key, edit) in edits {
            match edit {
                Edit::Put(value) => match view.found(table, key) {
                    Some(before) => changes.update.put(table, key, Some(before), value),
                    None => changes.insert.put(table, key, None, value),
                },
                // Also of what was not read: a namespace gives its old name up without asking for it first.
                Edit::Removed => changes.delete.keys.push(key),
                // Inserted all the same, so that a key that was there already is found out.
                Edit::PutAndRemoved(value) => {
                    changes.insert.put(table, key, None, value);
                    changes.delete.keys.push(key);
                }
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use tempest_store::judge::{Change, Needs};

    fn value(body: &'static str) -> Value {
        Value { version: 0, body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn what_was_read_decides_how_a_row_is_written() {
        let table = Table::Namespaces;
        let put = |key: &str, body| Change::Put { table, key: key.into(), value: value(body) };
        let remove = |key: &str| Change::Remove { table, key: key.into() };
        let mut view = View::new(Needs::default());
        view.add(table, b"a".to_vec(), value("1"));
        view.add(table, b"b".to_vec(), value("2"));
        view.take(vec![put("a", "3"), put("a", "4"), remove("b"), put("c", "5"), put("d", "6"), remove("d")]);
        let (_, edits) = view.edits().next().unwrap();
        let Changes { update, insert, delete, .. } = Changes::of(table, edits, &view);
        assert_eq!((insert.keys, insert.values), (vec![&b"c"[..]], Some(vec![&b"5"[..]])));
        assert_eq!((update.keys, update.values_before), (vec![&b"a"[..]], Some(vec![&b"1"[..]])));
        assert_eq!((update.values, delete.keys), (Some(vec![&b"4"[..]]), vec![&b"b"[..], b"d"]));
    }

    #[test]
    fn a_row_that_must_not_be_there_is_inserted_also_if_it_goes_again() {
        let table = Table::HistoryTasks;
        let mut view = View::new(Needs::default());
        let put = Change::Put { table, key: b"a".to_vec(), value: value("1") };
        view.take(vec![put, Change::Remove { table, key: b"a".to_vec() }]);
        let (_, edits) = view.edits().next().unwrap();
        let changes = Changes::of(table, edits, &view);
        assert_eq!((changes.insert.keys, changes.delete.keys), (vec![&b"a"[..]], vec![&b"a"[..]]));
    }

    #[test]
    fn versions_stand_beside_their_values() {
        let table = Table::Runs;
        let versioned = |version, body| Value { version, ..value(body) };
        let mut view = View::new(Needs::default());
        view.add(table, b"a".to_vec(), versioned(u64::MAX, ""));
        view.take(vec![Change::Put { table, key: b"a".to_vec(), value: versioned(7, "row") }]);
        let (_, edits) = view.edits().next().unwrap();
        let update = Changes::of(table, edits, &view).update;
        assert_eq!((&update.versions_before, &update.versions), (&Some(vec![-1]), &Some(vec![7])));
        assert_eq!(update.parameters().len(), 4, "key, version before, version, value");
    }
}
