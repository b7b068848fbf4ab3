//! Whether a request may be applied, and what it then changes: each is judged in order against what the batch knows.
//!
//! A request judges everything before it changes anything, so a refused one leaves nothing behind and disturbs no other.
mod backlog_commit;
mod cluster;
mod namespace;
mod ownership;
mod shard_commit;

use crate::view::{Key, View};
use std::collections::BTreeSet;
use tempest_store::redb::keys::Key as _;
use tempest_store::redb::keys::{CurrentRunKey, NamespaceKey, NamespaceNameKey};
use tempest_store::{BacklogCommit, RangeId, ShardCommit, StoreError, Timeline, WriteRequest, Written};

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

/// # Errors
/// The view is then as it was.
pub fn judge(request: &WriteRequest, view: &mut View, timeline: Timeline) -> Result<Written, Stop> {
    match request {
        // Whatever its row says: it was taken before the database failed over.
        WriteRequest::Commit(ShardCommit { range_id, .. }) | WriteRequest::Backlog(BacklogCommit { range_id, .. })
            if range_id.timeline() != timeline =>
        {
            Err(StoreError::OwnershipLost { current: RangeId(0) }.into())
        }
        WriteRequest::Commit(commit) => shard_commit::judge(view, commit),
        WriteRequest::Backlog(commit) => Ok(backlog_commit::judge(view, commit)?),
        WriteRequest::AcquireShard { shard, expected, owner } => {
            Ok(ownership::acquire_shard(view, *shard, *expected, owner, timeline)?)
        }
        WriteRequest::LeasePartition(partition) => Ok(ownership::lease_partition(view, partition, timeline)?),
        WriteRequest::PutNamespace(record) => Ok(namespace::judge(view, record)?),
        WriteRequest::Cluster(initial) => Ok(cluster::judge(view, initial)?),
        WriteRequest::Beat(_) | WriteRequest::ForgetNode(_) => unreachable!("nodes' rows go by no lane"),
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
    pub fn of(requests: &[WriteRequest]) -> Self {
        let mut keys = Self::default();
        for request in requests {
            keys.add(request);
        }
        keys
    }

    fn add(&mut self, request: &WriteRequest) {
        match request {
            WriteRequest::Commit(commit) => {
                self.shards.insert(commit.shard.encode());
                self.runs.extend(commit.runs.iter().map(|run| run.key.encode()));
                self.current_runs.extend(commit.current.iter().map(|current| {
                    let (namespace_id, workflow_id) = (current.namespace_id.clone(), current.workflow_id.clone());
                    CurrentRunKey { namespace_id, workflow_id }.encode()
                }));
            }
            WriteRequest::Backlog(commit) => {
                self.partitions.insert(commit.partition.encode());
            }
            WriteRequest::Beat(_) | WriteRequest::ForgetNode(_) => {}
            WriteRequest::AcquireShard { shard, .. } => {
                self.shards.insert(shard.encode());
            }
            WriteRequest::LeasePartition(partition) => {
                self.partitions.insert(partition.encode());
            }
            WriteRequest::PutNamespace(record) => {
                self.namespaces.insert(NamespaceKey(record.id.clone()).encode());
                self.namespace_names.insert(NamespaceNameKey(record.name.clone()).encode());
            }
            WriteRequest::Cluster(_) => {
                self.meta.insert(cluster::KEY.to_vec());
            }
        }
    }
}
