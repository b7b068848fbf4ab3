//! A database in memory with a standby that may lag, and the connections of nodes whose clocks may be off.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::*;
use tokio::sync::watch;

pub struct Database {
    primary: RedbStore,
    standby: RedbStore,
    /// Whether writes reach the standby. Locked while one is queued: both do all of them in one order.
    is_replicated: Mutex<bool>,
    timeline: watch::Sender<Timeline>,
    /// How often each node has beaten.
    beats: watch::Sender<BTreeMap<String, u64>>,
}

impl Database {
    pub async fn new() -> Arc<Self> {
        let store = || async { RedbStore::in_memory(RedbConfig::default()).await.unwrap() };
        Arc::new(Self {
            primary: store().await,
            standby: store().await,
            is_replicated: Mutex::new(true),
            timeline: watch::Sender::default(),
            beats: watch::Sender::default(),
        })
    }

    /// A node's way to it. The node's wall clock is `ahead_ns` ahead of what it is.
    pub fn connection(self: &Arc<Self>, ahead_ns: i64) -> Arc<dyn Store> {
        Arc::new(Connection { database: self.clone(), ahead_ns })
    }

    /// From now on nothing reaches the standby.
    pub fn cut_the_standby_off(&self) {
        *self.is_replicated.lock().unwrap() = false;
    }

    /// The standby takes over, without what has not reached it.
    pub fn fail_over(&self) {
        let mut is_replicated = self.is_replicated.lock().unwrap();
        *is_replicated = false;
        self.timeline.send_replace(Timeline(1));
    }

    /// Waits until a node has beaten `more` times. With 3 it has surely read what was there before, and said what it had to.
    pub async fn beats(&self, node: &str, more: u64) {
        let of_node = |beats: &BTreeMap<String, u64>| beats.get(node).copied().unwrap_or(0);
        let mut beats = self.beats.subscribe();
        let enough = of_node(&beats.borrow()) + more;
        beats.wait_for(|beats| of_node(beats) >= enough).await.expect("the database is there");
    }

    fn now(&self) -> Timeline {
        *self.timeline.borrow()
    }

    /// The one that serves.
    fn serving(&self) -> &RedbStore {
        if self.now() == Timeline(0) { &self.primary } else { &self.standby }
    }

    /// Queues a write before it returns. A fence that was acquired before a failover is worth nothing after it.
    fn write(&self, request: WriteRequest) -> WriteFuture {
        let is_replicated = self.is_replicated.lock().unwrap();
        let fence = match &request {
            WriteRequest::Commit(commit) => Some(commit.range_id),
            WriteRequest::Backlog(commit) => Some(commit.range_id),
            _ => None,
        };
        if fence.is_some_and(|range| range.timeline() != self.now()) {
            return Box::pin(async { Err(StoreError::OwnershipLost { current: RangeId(0) }) });
        }
        let replicated = is_replicated.then(|| self.standby.write_on(self.now(), request.clone()));
        let written = self.serving().write_on(self.now(), request);
        Box::pin(async move {
            let written = written.await;
            if let Some(replicated) = replicated {
                // The same: it has had the same writes in the same order.
                let _ = replicated.await;
            }
            written
        })
    }
}

struct Connection {
    database: Arc<Database>,
    ahead_ns: i64,
}

impl Store for Connection {
    /// What a node with this clock writes is later, and what others wrote looks earlier to it.
    fn write(&self, mut request: WriteRequest) -> WriteFuture {
        if let WriteRequest::Beat(node) | WriteRequest::ForgetNode(node) = &mut request {
            node.wall_clock.0 += self.ahead_ns;
        }
        let beats = if let WriteRequest::Beat(node) = &request { Some(node.name.clone()) } else { None };
        let answer = self.database.write(request);
        let (database, ahead_ns) = (self.database.clone(), self.ahead_ns);
        Box::pin(async move {
            let mut answer = answer.await;
            if let Ok(Written::Nodes(rows)) = &mut answer {
                rows.iter_mut().for_each(|row| row.wall_clock.0 -= ahead_ns);
            }
            if let Some(name) = beats.filter(|_| answer.is_ok()) {
                database.beats.send_modify(|beats| *beats.entry(name).or_default() += 1);
            }
            answer
        })
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        Box::pin(async move {
            match self.database.serving().read(request).await? {
                Found::Ranges(ranges) => {
                    Ok(Found::Ranges(ranges.into_iter().map(|range| range.if_of(self.database.now())).collect()))
                }
                other => Ok(other),
            }
        })
    }

    fn timeline(&self) -> watch::Receiver<Timeline> {
        self.database.timeline.subscribe()
    }

    fn hear_of(&self, _: Timeline) {}
}
