//! A decorator around a server's store: another takes a shard's ownership at the moment at which the server commits.
//!
//! Whether a node is superseded before, while or after it writes is a matter of chance, and of rare chance. Here it is a
//! fault of the plan. The thief acquires the shard as any node does, by raising its range id, and does nothing with it: it
//! is gone at once, and the server that the shard belongs to finds out and acquires it again.
//!
//! | when | what the owner meets |
//! |---|---|
//! | before its commit is handed over | the commit is refused, and all that is under way behind it |
//! | right behind its commit | the commit is done, and what is under way behind it is refused |
//! | once its commit is done | it learns of it by its next commit, or when it proves that it still owns the shard |
use super::{Ambiguities, Ambiguity};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempest_store::{RangeId, ReadFuture, ReadRequest, ShardId, Store, Timeline, WriteFuture, WriteRequest};

/// As the row of a shard names its owner.
const NAME: &str = "thief";

/// When another acquires the shard that a server commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theft {
    Before,
    Behind,
    After,
}

pub(crate) struct ThievingStore {
    inner: Arc<dyn Store>,
    ambiguities: Ambiguities,
    server: String,
    /// Commits so far, by which the fault strikes them.
    commits: AtomicU64,
}

impl ThievingStore {
    pub fn new(inner: Arc<dyn Store>, ambiguities: Ambiguities, server: String) -> ThievingStore {
        ThievingStore { inner, ambiguities, server, commits: AtomicU64::new(0) }
    }
}

/// Another acquires the shard; no caller waits for it.
fn take(store: &Arc<dyn Store>, shard: ShardId, expected: RangeId) {
    let acquired = store.write(WriteRequest::AcquireShard { shard, expected, owner: NAME.to_owned() });
    tempest_rt::task::spawn(async move { drop(acquired.await) });
}

impl Store for ThievingStore {
    fn write(&self, request: WriteRequest) -> WriteFuture {
        let WriteRequest::Commit(commit) = &request else { return self.inner.write(request) };
        let number = self.commits.fetch_add(1, Ordering::SeqCst);
        let (shard, range_id) = (commit.shard, commit.range_id);
        if !self.ambiguities.strikes(&self.server, Ambiguity::OwnershipTaken, number) {
            return self.inner.write(request);
        }
        match self.ambiguities.theft(number) {
            Theft::Before => {
                take(&self.inner, shard, range_id);
                self.inner.write(request)
            }
            Theft::Behind => {
                let write = self.inner.write(request);
                take(&self.inner, shard, range_id);
                write
            }
            Theft::After => {
                let write = self.inner.write(request);
                let inner = self.inner.clone();
                Box::pin(async move {
                    let answer = write.await;
                    take(&inner, shard, range_id);
                    answer
                })
            }
        }
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        self.inner.read(request)
    }

    fn timeline(&self) -> tokio::sync::watch::Receiver<Timeline> {
        self.inner.timeline()
    }

    fn hear_of(&self, timeline: Timeline) {
        self.inner.hear_of(timeline);
    }
}
