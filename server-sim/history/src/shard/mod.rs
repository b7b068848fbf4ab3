//! One shard: acquired, served, lost and acquired again.
//!
//! [`live`] is the actor. While it owns the shard, [`driver::serve`] feeds what happens to the machine
//! [`owned::Owned`], which decides and awaits nothing, and performs the effects that it asks for. Everything in the
//! machine belongs to one range id and dies with it. Requests that had not been decided survive into the next ownership.
//!
//! ```text
//!   requests, ends of commits and of work, alarms                commits, answers, work to begin
//!   ──────────── Event, Moment ───────────► Owned::handle ────────────── Effects ───────────────►
//!                                   executions  runs in memory, staged
//!                                   pipeline    commits in flight, what rests on them
//!                                   transfers, timers, deletions   history tasks
//!                                   waiters     callers whose answer comes later
//!                                   proofs      of ownership, for what wrote nothing
//!                                   late_duplicates   calls that come after they were answered
//! ```
mod acknowledged;
mod acquire;
mod actor_times;
mod ask_sender;
mod clock;
mod cross_calls;
mod deletions;
mod driver;
mod effects;
mod events;
mod execute;
mod executions;
mod lag;
mod late_duplicates;
mod owned;
mod pipeline;
mod proofs;
mod pump;
mod read_index;
mod reads;
mod recent_events;
mod request;
mod send;
mod stage;
mod stored_as_decided;
mod timer_queue;
mod transfer_queue;
mod waiters;

pub(crate) use actor_times::ActorTimes;
pub(crate) use lag::LagBoard;
pub use lag::ShardLag;
pub(crate) use late_duplicates::OutcomeMemory;
pub(crate) use read_index::ReadIndex;
pub(crate) use request::{Ask, Decided, ReplyTo, Request};

use crate::config::backoff;
use crate::placement::Placement;
use crate::service::WallClock;
use crate::{Counters, HistoryConfig};
use acknowledged::Acknowledged;
use acquire::Acquired;
use clock::Moment;
use futures::FutureExt;
use owned::{Exit, Owned};
use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tempest_api::{HistoryService, MatchingService, ServiceError};
use tempest_core::{Flags, RunId};
use tempest_rt::time::Instant;
use tempest_store::{RangeId, ShardId, Store};
use tokio::sync::{Semaphore, mpsc, watch};

/// What all shards of a node share.
pub(crate) struct Node {
    pub config: Arc<HistoryConfig>,
    pub store: Arc<dyn Store>,
    pub matching: Arc<dyn MatchingService>,
    /// Every run's history service, by the way that calls between nodes go. Weak: this node is part of it.
    pub peers: Weak<dyn HistoryService>,
    pub read_index: ReadIndex,
    pub counters: Arc<Counters>,
    pub flags: Flags,
    pub wall: WallClock,
    /// Bounds how many shards are acquired at one time.
    pub acquisitions: Semaphore,
    pub held: Held,
    pub lags: LagBoard,
    pub actor_times: ActorTimes,
    pub outcomes_told: Arc<OutcomeMemory>,
}

/// What the machine of a shard has from its node: values, and no way to the other roles.
#[derive(Clone)]
pub(crate) struct Setup {
    pub config: Arc<HistoryConfig>,
    pub counters: Arc<Counters>,
    pub flags: Flags,
    /// The outcomes of cross-workflow calls that this node has told, in all its shards.
    pub outcomes_told: Arc<OutcomeMemory>,
    pub new_run_id: fn() -> RunId,
}

impl Setup {
    fn of(node: &Node) -> Setup {
        Setup {
            config: node.config.clone(),
            counters: node.counters.clone(),
            flags: node.flags.clone(),
            outcomes_told: node.outcomes_told.clone(),
            new_run_id: || RunId(tempest_rt::entropy::uuid()),
        }
    }
}

/// The shards that this node believes that it owns, with the range ids that it acquired them with.
pub(crate) type Held = Arc<Mutex<BTreeMap<ShardId, RangeId>>>;

/// A shard's way in.
pub(crate) struct Door {
    pub mailbox: mpsc::Receiver<Request>,
    pub stop: watch::Receiver<bool>,
    pub placement: watch::Receiver<Placement>,
}

/// Runs a shard until the node stops. A panic ends its ownership, not its service: everything is in the store, and callers
/// see `OutcomeUnknown`.
pub(crate) async fn live(node: Arc<Node>, shard: ShardId, mut door: Door) {
    let mut panics = 0;
    let mut acknowledged = Acknowledged::default();
    while AssertUnwindSafe(run(&node, shard, &mut door, &mut acknowledged)).catch_unwind().await.is_err() {
        panics += 1;
        node.held.lock().expect("no holder of this lock panics").remove(&shard);
        Counters::add(&node.counters.shard_panics);
        tracing::error!(shard = shard.0, panics, "a shard panicked and is acquired anew");
        let pause = backoff(node.config.acquire_retry_initial, node.config.acquire_retry_max, panics);
        refuse_for(&mut door, &mut VecDeque::new(), pause, &acquire::status_unknown()).await;
    }
    door.mailbox.close();
    let stopping = ServiceError::Unavailable("the history service is shutting down".into());
    while let Ok(request) = door.mailbox.try_recv() {
        request.refuse(stopping.clone());
    }
}

/// The shard's life, until the node stops.
#[tracing::instrument(name = "shard", skip_all, fields(shard = shard.0))]
async fn run(node: &Arc<Node>, shard: ShardId, door: &mut Door, acknowledged: &mut Acknowledged) {
    let mut carried = VecDeque::new();
    let mut failures = 0;
    let mut previous = None;
    loop {
        let mut timeline = node.store.timeline();
        let is_open = acknowledged.look_again_after_a_failover(node, shard).await;
        let placed = tokio::select! {
            biased;
            placed = until_placed_here(door, &mut carried) => placed,
            // A shard that is elsewhere has nothing else to do.
            Ok(()) = timeline.changed() => continue,
            () = tempest_rt::time::sleep(node.config.acquire_retry_max), if is_open => continue,
        };
        if !placed {
            break;
        }
        let record = match acquire::acquire(node, shard, door, &mut carried).await {
            Acquired::Owned(record) => record,
            Acquired::PlacedElsewhere => continue,
            Acquired::Stopped => break,
        };
        acknowledged.compare(node, shard, &record, record.range_id.timeline());
        let first = record.sequence;
        node.held.lock().expect("no holder of this lock panics").insert(shard, record.range_id);
        let mut owned = Owned::new(Setup::of(node), Moment::read(&node.wall), shard, record);
        if let Some(previous) = previous.take() {
            owned.follow(previous);
        }
        let exit = driver::serve(node, &mut owned, std::mem::take(&mut carried), door).await;
        node.held.lock().expect("no holder of this lock panics").remove(&shard);
        // No caller was answered in this range yet: that its acquisition is lost matters to none.
        if owned.durable() > first {
            *acknowledged = Acknowledged::by(owned.range, owned.durable());
        }
        failures = if owned.durable() > first { 0 } else { failures + 1 };
        previous = Some(owned.as_previous(Instant::now()));
        carried = driver::dissolve(owned, &exit);
        match exit {
            Exit::Stopped => break,
            Exit::Renewal => failures = 0,
            Exit::HandedOver => {
                tempest_rt::probe!("history-shard-transferred");
                tracing::info!("the shard is left to another node");
            }
            Exit::OwnershipLost { current } | Exit::Superseded { current } => {
                tempest_rt::probe!("history-ownership-lost");
                Counters::add(&node.counters.shards_lost);
                tracing::warn!(%current, "another node has acquired the shard");
                let lost = ServiceError::ShardOwnershipLost { owner_host: String::new() };
                refuse_for(door, &mut carried, node.config.reacquire_delay, &lost).await;
            }
            Exit::Failed(why) => {
                tracing::warn!(%why, "the shard is acquired anew");
                // The first time at once: most unknown outcomes are over when they are noticed.
                if failures > 1 {
                    let (initial, max) = (node.config.acquire_retry_initial, node.config.acquire_retry_max);
                    let pause = backoff(initial, max, failures - 1);
                    refuse_for(door, &mut carried, pause, &acquire::status_unknown_since(&why)).await;
                }
            }
        }
    }
    let stopping = ServiceError::Unavailable("the history service is shutting down".into());
    carried.into_iter().for_each(|request| request.refuse(stopping.clone()));
}

/// Sends callers to where the shard is, until it is to be here. False if the node stops first.
async fn until_placed_here(door: &mut Door, carried: &mut VecDeque<Request>) -> bool {
    loop {
        let placement = door.placement.borrow_and_update().clone();
        let Placement::There { address } = placement else { return true };
        let elsewhere = ServiceError::ShardOwnershipLost { owner_host: address };
        carried.drain(..).for_each(|request| request.refuse(elsewhere.clone()));
        tokio::select! {
            biased;
            _ = door.stop.wait_for(|stop| *stop) => return false,
            changed = door.placement.changed() => if changed.is_err() { return false },
            request = door.mailbox.recv() => match request {
                Some(request) => request.refuse(elsewhere),
                None => return false,
            },
        }
    }
}

/// Sends callers away for a while.
async fn refuse_for(door: &mut Door, carried: &mut VecDeque<Request>, pause: Duration, error: &ServiceError) {
    carried.drain(..).for_each(|request| request.refuse(error.clone()));
    let over = tempest_rt::time::sleep(pause);
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            _ = door.stop.wait_for(|stop| *stop) => return,
            () = &mut over => return,
            request = door.mailbox.recv() => match request {
                Some(request) => request.refuse(error.clone()),
                None => return,
            },
        }
    }
}
