//! A store that is watched from outside: how many commits it takes, and how long each of its writers has any.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempest_store::{ReadFuture, ReadRequest, Store, Timeline, WriteFuture, WriteRequest};
use tokio::sync::watch;

/// One writer: busy from the first write that it is given until there is none left.
#[derive(Debug, Default)]
struct Lane {
    in_flight: u64,
    since: Option<Instant>,
    busy: Duration,
}

/// What went through a store so far.
#[derive(Clone, Debug, Default)]
pub struct WritesSoFar {
    pub commits: u64,
    /// By lane.
    pub busy: Vec<Duration>,
}

pub struct WatchedStore {
    store: Arc<dyn Store>,
    watched: Arc<Mutex<Watched>>,
}

#[derive(Default)]
struct Watched {
    commits: u64,
    lanes: Vec<Lane>,
}

impl Watched {
    fn begins(&mut self, lane: usize) {
        self.commits += 1;
        let lane = &mut self.lanes[lane];
        lane.in_flight += 1;
        lane.since.get_or_insert_with(Instant::now);
    }

    fn ends(&mut self, lane: usize) {
        let lane = &mut self.lanes[lane];
        lane.in_flight -= 1;
        if lane.in_flight == 0
            && let Some(since) = lane.since.take()
        {
            lane.busy += since.elapsed();
        }
    }
}

impl WatchedStore {
    /// A store whose commits go over so many lanes by their shard.
    pub fn new(store: Arc<dyn Store>, lanes: usize) -> Self {
        let lanes = (0..lanes).map(|_| Lane::default()).collect();
        Self { store, watched: Arc::new(Mutex::new(Watched { commits: 0, lanes })) }
    }

    pub fn so_far(&self) -> WritesSoFar {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = |lane: &Lane| lane.busy + lane.since.map_or(Duration::ZERO, |since| since.elapsed());
        WritesSoFar { commits: watched.commits, busy: watched.lanes.iter().map(busy).collect() }
    }
}

impl Store for WatchedStore {
    fn write(&self, request: WriteRequest) -> WriteFuture {
        let WriteRequest::Commit(commit) = &request else { return self.store.write(request) };
        let lane = {
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            let lane = commit.shard.0 as usize % watched.lanes.len().max(1);
            watched.begins(lane);
            lane
        };
        let written = self.store.write(request);
        let watched = self.watched.clone();
        Box::pin(async move {
            let answer = written.await;
            watched.lock().unwrap_or_else(PoisonError::into_inner).ends(lane);
            answer
        })
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        self.store.read(request)
    }

    fn timeline(&self) -> watch::Receiver<Timeline> {
        self.store.timeline()
    }

    fn hear_of(&self, timeline: Timeline) {
        self.store.hear_of(timeline);
    }
}
