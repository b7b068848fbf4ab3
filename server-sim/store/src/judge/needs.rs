//! Which rows requests are judged by.
use crate::keys::{
    ClusterKey, CurrentRunKey, HistoryNodeKey, HistoryTaskKey, Key, NamespaceKey, NamespaceNameKey, NodeKey,
};
use crate::{ShardCommit, Table, WriteRequest};
use std::collections::{BTreeMap, BTreeSet};

/// Rows by table and encoded key, in the order in which they are locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    rows: BTreeMap<Table, BTreeSet<Vec<u8>>>,
    /// Tables of few rows that are needed from end to end.
    whole: BTreeSet<Table>,
}

impl Needs {
    pub fn of<'a>(requests: impl IntoIterator<Item = &'a WriteRequest>) -> Self {
        let mut needs = Self::default();
        for request in requests {
            needs.add(request);
        }
        needs
    }

    /// The keys of one table's rows.
    pub fn rows(&self, table: Table) -> impl ExactSizeIterator<Item = &[u8]> {
        const NONE: &BTreeSet<Vec<u8>> = &BTreeSet::new();
        self.rows.get(&table).unwrap_or(NONE).iter().map(Vec::as_slice)
    }

    /// Tables of which rows are needed.
    pub fn tables(&self) -> impl Iterator<Item = Table> {
        self.rows.keys().copied()
    }

    /// Tables of which all rows are needed.
    pub fn whole_tables(&self) -> impl Iterator<Item = Table> {
        self.whole.iter().copied()
    }

    pub(super) fn contains(&self, table: Table, key: &[u8]) -> bool {
        self.whole.contains(&table) || self.rows.get(&table).is_some_and(|rows| rows.contains(key))
    }

    fn add(&mut self, request: &WriteRequest) {
        match request {
            WriteRequest::Commit(commit) => self.add_commit(commit),
            WriteRequest::Backlog(commit) => self.row(&commit.partition),
            WriteRequest::AcquireShard { shard, .. } => self.row(shard),
            WriteRequest::LeasePartition(partition) => self.row(partition),
            WriteRequest::PutNamespace(record) => {
                self.row(&NamespaceKey(record.id.clone()));
                self.row(&NamespaceNameKey(record.name.clone()));
            }
            WriteRequest::Cluster(_) => self.row(&ClusterKey),
            WriteRequest::Beat(_) => drop(self.whole.insert(Table::Nodes)),
            WriteRequest::ForgetNode(node) => self.row(&NodeKey(node.name.clone())),
        }
    }

    fn add_commit(&mut self, commit: &ShardCommit) {
        self.row(&commit.shard);
        for run in &commit.runs {
            self.row(&run.key);
        }
        if let Some(current) = &commit.current {
            self.row(&CurrentRunKey::of(current));
        }
        for append in &commit.history {
            self.row(&HistoryNodeKey::of(append));
        }
        for row in &commit.tasks_added {
            self.row(&HistoryTaskKey { shard: commit.shard, task: row.key });
        }
    }

    fn row<K: Key>(&mut self, key: &K) {
        self.rows.entry(K::TABLE).or_default().insert(key.encode());
    }
}
