//! One node's history service: finds the shard, asks it, and shapes its answer.
use crate::history_read::{PageSize, fitting, read_events};
use crate::placement::{Placement, shard_of};
use crate::shard::{self, ActorTimes, Ask, Door, Held, LagBoard, Node, OutcomeMemory, ReadIndex, ReplyTo, Request};
use crate::{ConfigError, Counters, HistoryConfig, ShardLag};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tempest_api::{
    HistoryService, MatchingService, Read, Refused, Reply, ServiceError, ServiceResult, Target, View, WorkflowKey,
};
use tempest_core::{Flags, Input, Time};
use tempest_rt::task::TaskGroup;
use tempest_store::{RangeId, ShardId, Store};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

mod reply;

use reply::Asked;

/// Reads the wall clock. Real nodes use `tempest_rt::time`'s.
pub type WallClock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The history service of one node. It acquires every shard that is placed here, which is every one until
/// [`HistoryHandle::place`] says otherwise.
pub struct HistoryHandle {
    config: HistoryConfig,
    store: Arc<dyn Store>,
    wall: WallClock,
    counters: Arc<Counters>,
    /// By shard id, from 1.
    shards: Vec<mpsc::Sender<Request>>,
    /// By shard id, from 1.
    placements: Vec<watch::Sender<Placement>>,
    /// The other ends of `shards`, until [`HistoryHandle::start`].
    waiting: Mutex<Vec<mpsc::Receiver<Request>>>,
    held: Held,
    lags: LagBoard,
    actor_times: ActorTimes,
    tasks: TaskGroup,
    stop: watch::Sender<bool>,
    /// Shards that have been started and have not ended.
    running: watch::Sender<usize>,
}

impl HistoryHandle {
    /// Requests wait at the shards' doors until [`HistoryHandle::start`].
    ///
    /// # Errors
    /// A field of `config` is out of its range.
    pub fn new(config: HistoryConfig, store: Arc<dyn Store>) -> Result<Self, ConfigError> {
        Self::with_wall_clock(config, store, Arc::new(|| Time(tempest_rt::time::wall_clock_ns())))
    }

    /// As [`HistoryHandle::new`], with a wall clock of the caller's.
    ///
    /// # Errors
    /// A field of `config` is out of its range.
    pub fn with_wall_clock(config: HistoryConfig, store: Arc<dyn Store>, wall: WallClock) -> Result<Self, ConfigError> {
        config.validate()?;
        let doors = (0..config.shard_count).map(|_| mpsc::channel(config.mailbox_max));
        let (shards, waiting) = doors.unzip::<_, _, _, Vec<_>>();
        let placements = (0..config.shard_count).map(|_| watch::Sender::default()).collect();
        Ok(Self {
            lags: LagBoard::new(config.shard_count),
            actor_times: ActorTimes::new(config.shard_count, config.measure_actors),
            config,
            store,
            wall,
            counters: Arc::default(),
            shards,
            placements,
            waiting: Mutex::new(waiting),
            held: Held::default(),
            tasks: TaskGroup::default(),
            stop: watch::Sender::new(false),
            running: watch::Sender::new(0),
        })
    }

    /// Says where a shard is to be. One that leaves lets what is in flight end first; its callers are sent on.
    pub fn place(&self, shard: ShardId, placement: Placement) {
        self.placements[shard.0 as usize - 1].send_if_modified(|known| {
            let differs = *known != placement;
            *known = placement;
            differs
        });
    }

    /// Acquires the shards and begins to serve. Matching usually holds this handle, which is why it comes second.
    /// `peers` is where every run is found, this node's among them. A second call does nothing.
    pub fn start(&self, matching: Arc<dyn MatchingService>, peers: Weak<dyn HistoryService>) {
        let waiting = std::mem::take(&mut *self.waiting.lock().expect("no holder of this lock panics"));
        if waiting.is_empty() {
            return;
        }
        let (read_index, look) = ReadIndex::new(self.store.clone());
        self.tasks.spawn(look);
        let node = Arc::new(Node {
            config: Arc::new(self.config.clone()),
            store: self.store.clone(),
            matching,
            peers,
            read_index,
            counters: self.counters.clone(),
            flags: Flags { planted: Arc::new(tempest_rt::armed_plants()), ..Flags::default() },
            wall: self.wall.clone(),
            acquisitions: Semaphore::new(self.config.acquisitions_in_flight_max),
            held: self.held.clone(),
            lags: self.lags.clone(),
            actor_times: self.actor_times.clone(),
            outcomes_told: Arc::new(OutcomeMemory::of_node()),
        });
        for (index, mailbox) in waiting.into_iter().enumerate() {
            let shard = ShardId(u32::try_from(index).expect("the shard count is a u32") + 1);
            let door = Door { mailbox, stop: self.stop.subscribe(), placement: self.placements[index].subscribe() };
            let (node, running) = (node.clone(), self.running.clone());
            running.send_modify(|running| *running += 1);
            self.tasks.spawn(async move {
                shard::live(node, shard, door).await;
                running.send_modify(|running| *running -= 1);
            });
        }
    }

    /// Stops accepting requests, lets what is in flight end, answers it, and stops.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
        self.tasks.stop_and_wait().await;
    }

    /// The shards that this node believes that it owns now, with its range ids.
    pub fn held(&self) -> BTreeMap<ShardId, RangeId> {
        self.held.lock().expect("no holder of this lock panics").clone()
    }

    /// How far the queues of those shards are behind. One that has just been acquired may not have said it yet.
    pub fn lags(&self) -> BTreeMap<ShardId, ShardLag> {
        self.lags.lags(&self.held(), &self.wall)
    }

    /// For how long the actor of each shard was at work here, by shard from 1. Empty unless the configuration has
    /// `measure_actors`.
    pub fn actor_times(&self) -> Vec<Duration> {
        self.actor_times.read()
    }

    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }

    async fn ask<T, E: From<ServiceError>>(
        &self,
        target: Target,
        ask: impl FnOnce(ReplyTo<T, E>) -> Ask,
    ) -> Result<T, E> {
        let WorkflowKey { namespace_id, workflow_id } = &target.workflow;
        let shard = shard_of(namespace_id, workflow_id, self.config.shard_count);
        let (reply, answer) = oneshot::channel();
        let door = &self.shards[shard.0 as usize - 1];
        if let Err(mpsc::error::SendError(request)) = door.send(Request { target, ask: ask(reply) }).await {
            request.refuse(ServiceError::Unavailable("the history service is shutting down".into()));
        }
        let unknown = || ServiceError::OutcomeUnknown("the shard stopped before it answered".into());
        answer.await.unwrap_or_else(|_| Err(unknown().into()))
    }
}

#[async_trait]
impl HistoryService for HistoryHandle {
    async fn call(&self, to: Target, input: Input) -> ServiceResult<Reply> {
        self.offer(to, input).await.map_err(|refused| refused.error)
    }

    async fn offer(&self, to: Target, input: Input) -> Result<Reply, Refused<(Target, Input)>> {
        let asked = Asked::by(&input);
        let decided = self.ask(to, |reply| Ask::Decide(Box::new(input), None, reply)).await?;
        Ok(self.reply(asked, decided).await?)
    }

    async fn read(&self, to: Target, read: Read) -> ServiceResult<View> {
        let (store, nodes) = (&*self.store, self.config.history_nodes_per_read);
        match read {
            Read::HistoryPage { branch, from, until, page_size } => {
                let events = if tempest_rt::buggify!("history-read-page-of-one") { 1 } else { page_size };
                let page = PageSize { events, bytes: self.config.history_page_bytes_max };
                Ok(View::History(read_events(store, &branch, from.max(1), until, page, nodes).await?))
            }
            Read::HistoryPageReverse { branch, until, page_size } => {
                let from = until.saturating_sub(i64::try_from(page_size).unwrap_or(i64::MAX)).max(1);
                let all = PageSize { events: usize::MAX, bytes: usize::MAX };
                let mut events = read_events(store, &branch, from, until, all, nodes).await?;
                events.reverse();
                Ok(View::History(fitting(events, self.config.history_page_bytes_max)))
            }
            Read::HistoryPosition(Some(wait)) => {
                // Dropping the ask withdraws it: the shard sees that its caller has gone away.
                let asked = self.ask(to.clone(), |reply| Ask::Read(read, reply));
                match tempest_rt::time::timeout(wait.timeout, asked).await {
                    Ok(answer) => answer,
                    Err(_) => self.ask(to, |reply| Ask::Read(Read::HistoryPosition(None), reply)).await,
                }
            }
            read => self.ask(to, |reply| Ask::Read(read, reply)).await,
        }
    }
}
