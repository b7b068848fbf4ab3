//! Whether a request may be applied, and what it then changes: each is judged in order against what the batch knows.
//!
//! A request judges everything before it changes anything, so a refused one leaves nothing behind and disturbs no other.
mod backlog_commit;
mod cluster;
mod namespace;
mod ownership;
mod shard_commit;

use crate::request::{Applied, Request};
use crate::view::{Key, View};
use std::collections::BTreeSet;
use tempest_store::redb::keys::Key as _;
use tempest_store::redb::keys::{CurrentRunKey, NamespaceKey, NamespaceNameKey};
use tempest_store::{BacklogCommit, RangeId, ShardCommit, StoreError, Timeline};

/// Why a request was not applied.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    Refused(StoreError),
    /// It cannot be judged in one transaction with what is before it in the batch.
    Apart,
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl Request {
    /// # Errors
    /// The view is then as it was.
    pub fn judge(&self, view: &mut View, timeline: Timeline) -> Result<Applied, Stop> {
        match self {
            // Whatever its row says: it was taken before the database failed over.
            Request::Commit(ShardCommit { range_id, .. }) | Request::Backlog(BacklogCommit { range_id, .. })
                if range_id.timeline() != timeline =>
            {
                Err(StoreError::OwnershipLost { current: RangeId(0) }.into())
            }
            Request::Commit(commit) => shard_commit::judge(view, commit),
            Request::Backlog(commit) => Ok(backlog_commit::judge(view, commit)?),
            Request::AcquireShard { shard, expected, owner } => {
                Ok(ownership::acquire_shard(view, *shard, *expected, owner, timeline)?)
            }
            Request::LeasePartition(partition) => Ok(ownership::lease_partition(view, partition, timeline)?),
            Request::PutNamespace(record) => Ok(namespace::judge(view, record)?),
            Request::Cluster(initial) => Ok(cluster::judge(view, initial)?),
        }
    }
}

/// The rows by which a batch is judged, in key order as they are locked.
#[derive(Default)]
pub struct KeysNeeded {
    pub meta: BTreeSet<Key>,
    pub shards: BTreeSet<Key>,
    pub partitions: BTreeSet<Key>,
    pub namespaces: BTreeSet<Key>,
    pub namespace_names: BTreeSet<Key>,
    pub current_runs: BTreeSet<Key>,
    pub runs: BTreeSet<Key>,
}

impl KeysNeeded {
    pub fn of(requests: &[Request]) -> Self {
        let mut keys = Self::default();
        for request in requests {
            keys.add(request);
        }
        keys
    }

    fn add(&mut self, request: &Request) {
        match request {
            Request::Commit(commit) => {
                self.shards.insert(commit.shard.encode());
                self.runs.extend(commit.runs.iter().map(|run| run.key.encode()));
                self.current_runs.extend(commit.current.iter().map(|current| {
                    let (namespace_id, workflow_id) = (current.namespace_id.clone(), current.workflow_id.clone());
                    CurrentRunKey { namespace_id, workflow_id }.encode()
                }));
            }
            Request::Backlog(commit) => {
                self.partitions.insert(commit.partition.encode());
            }
            Request::AcquireShard { shard, .. } => {
                self.shards.insert(shard.encode());
            }
            Request::LeasePartition(partition) => {
                self.partitions.insert(partition.encode());
            }
            Request::PutNamespace(record) => {
                self.namespaces.insert(NamespaceKey(record.id.clone()).encode());
                self.namespace_names.insert(NamespaceNameKey(record.name.clone()).encode());
            }
            Request::Cluster(_) => {
                self.meta.insert(cluster::KEY.to_vec());
            }
        }
    }
}
