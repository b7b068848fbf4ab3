//! A shard while it is owned: everything here belongs to one range id and dies with it.
use super::Node;
use super::clock::ShardClock;
use super::cross_call_memory::CrossCallMemory;
use super::events::Event;
use super::executions::Executions;
use super::pipeline::Pipeline;
use super::possible_duplicates::PossibleDuplicates;
use super::request::{Answer, Request};
use super::timer_queue::TimerQueue;
use super::transfer_queue::TransferQueue;
use super::waiters::Waiters;
use crate::Counters;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tempest_api::{ServiceError, WorkflowKey};
use tempest_core::Time;
use tempest_rt::time::{Duration, Instant};
use tempest_store::{CommitOutcome, RangeId, ShardId, ShardRecord, TaskKey};

/// Task ids: the range id, then a counter of this many bits.
pub(super) const TASK_ID_BITS: u32 = 24;

pub(crate) struct Owned {
    pub(super) node: Arc<Node>,
    pub(super) shard: ShardId,
    pub(super) range: RangeId,
    pub(super) clock: ShardClock,
    /// The first range with which this node has had the shard without anybody in between, and since when.
    pub(super) first_range: RangeId,
    pub(super) taken_at: Instant,
    pub(super) next_task_id: i64,
    /// From here on the range is renewed as soon as everything in flight has ended.
    renew_at: i64,
    pub(super) pipeline: Pipeline,
    pub(super) executions: Executions,
    pub(super) transfers: TransferQueue,
    pub(super) timers: TimerQueue,
    pub(super) waiters: Waiters,
    /// Requests that wait for a run to be read.
    pub(super) waiting: usize,
    pub(super) deletions: Deletions,
    pub(super) proofs: Proofs,
    /// Cross-workflow calls whose end may not have been told yet. If it never is, they have not ended so.
    pub(super) cross_calls_ending: CrossCallMemory,
    pub(super) possible_duplicates: PossibleDuplicates,
    /// What is under way beside the shard; its ends come back as events.
    pub(super) work: FuturesUnordered<BoxFuture<'static, Event>>,
    /// Takes nothing new on any more, and ends like this once everything in flight has ended.
    leaving: Option<Exit>,
    exit: Option<Exit>,
}

/// Why an ownership ended.
#[derive(Clone, Debug)]
pub(crate) enum Exit {
    /// The node stops; everything in flight has ended.
    Stopped,
    /// The shard is to be at another node; everything in flight has ended.
    HandedOver,
    /// Task ids were used up; everything in flight has ended.
    Renewal,
    /// A commit was refused because of it, and so is whatever is in flight behind it.
    OwnershipLost { current: RangeId },
    /// Another owner was seen. What is in flight may have been done before that one came.
    Superseded { current: RangeId },
    /// The end of a commit is unknown, or it was refused: what is staged behind it is void.
    Failed(ServiceError),
}

/// An ownership that is over.
pub(crate) struct Before {
    first_range: RangeId,
    last_range: RangeId,
    taken_at: Instant,
    /// Transfer tasks whose outcome is unknown, and since when.
    unknown: BTreeMap<i64, Instant>,
}

/// Tasks that are done with and wait for a commit that deletes them.
#[derive(Default)]
pub(crate) struct Deletions {
    pub keys: Vec<TaskKey>,
    /// When they get a commit of their own.
    pub flush_at: Option<Instant>,
}

/// Answers that wrote nothing and wait for proof that the shard is still ours, each with the sequence it rests on.
#[derive(Default)]
pub(crate) struct Proofs {
    pub waiting: Vec<(u64, Answer)>,
    /// The round under way: it was begun after these were asked.
    pub in_round: Option<Vec<(u64, Answer)>>,
    /// When the next round begins although no caller waits for it.
    pub due_at: Option<Instant>,
}

impl Owned {
    pub fn new(node: Arc<Node>, shard: ShardId, record: ShardRecord) -> Self {
        let config = &node.config;
        let mut clock = ShardClock::new(node.wall.clone(), record.time);
        let now = clock.now();
        let first = record.range_id.0 << TASK_ID_BITS;
        Self {
            shard,
            range: record.range_id,
            clock,
            first_range: record.range_id,
            taken_at: Instant::now(),
            // Ids start at 1 within a range, so that no task has id 0.
            next_task_id: first + 1,
            renew_at: first + config.task_ids_per_range,
            pipeline: Pipeline::new(record.sequence),
            executions: Executions::new(config.executions_cached_max, config.executions_bytes_of_shard()),
            transfers: TransferQueue::new(config),
            timers: TimerQueue::new(config, now),
            waiters: Waiters::new(config.history_waiters_max),
            waiting: 0,
            deletions: Deletions::default(),
            cross_calls_ending: CrossCallMemory::of_ownership(),
            possible_duplicates: PossibleDuplicates::default(),
            proofs: Proofs { due_at: config.next_ownership_check(), ..Proofs::default() },
            work: FuturesUnordered::new(),
            leaving: None,
            exit: None,
            node,
        }
    }

    /// Goes on from this node's own ownership of before, if no other node owned the shard in between.
    pub fn follow(&mut self, before: Before) {
        if self.range.0 == before.last_range.0 + 1 {
            (self.first_range, self.taken_at) = (before.first_range, before.taken_at);
            self.transfers.set_unknown(before.unknown);
        }
    }

    /// What the next ownership has to know of this one.
    pub fn before(&self) -> Before {
        Before {
            first_range: self.first_range,
            last_range: self.range,
            taken_at: self.taken_at,
            unknown: self.transfers.unknown(Instant::now()),
        }
    }

    /// Sequence of the newest durable commit.
    pub fn durable(&self) -> u64 {
        self.pipeline.durable()
    }

    /// Whether there is room for another request from outside.
    pub fn accepts(&self) -> bool {
        let config = &self.node.config;
        let proofs = self.proofs.waiting.len() + self.proofs.in_round.as_ref().map_or(0, Vec::len);
        !self.is_draining() && self.may_stage() && self.waiting + proofs < config.requests_waiting_max
    }

    pub(super) fn may_stage(&self) -> bool {
        let config = &self.node.config;
        self.pipeline.len() < config.commits_in_flight_max && self.pipeline.bytes() < config.commit_bytes_in_flight_max
    }

    pub fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Takes nothing new on; what was begun ends, then the ownership does.
    pub fn leave(&mut self, exit: Exit) {
        self.leaving.get_or_insert(exit);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is_leaving() || self.next_task_id >= self.renew_at
    }

    /// Whether, and why, this ownership is over.
    pub fn exit(&mut self) -> Option<Exit> {
        let settled = self.pipeline.is_empty() && self.proofs.waiting.is_empty() && self.proofs.in_round.is_none();
        if self.exit.is_none() && self.is_draining() && settled {
            if !self.is_leaving() {
                tempest_rt::probe!("history-range-renewed");
            }
            self.exit = Some(self.leaving.clone().unwrap_or(Exit::Renewal));
        }
        self.exit.clone()
    }

    pub(super) fn end(&mut self, exit: Exit) {
        self.exit.get_or_insert(exit);
    }

    /// The oldest commit in flight has ended.
    pub fn outcome(&mut self, outcome: CommitOutcome) {
        let counters = self.node.counters.clone();
        match outcome {
            CommitOutcome::Committed => {
                Counters::add(&counters.commits);
                self.committed();
            }
            CommitOutcome::OwnershipLost { current } => self.end(Exit::OwnershipLost { current }),
            CommitOutcome::OutcomeUnknown(_)
                if tempest_rt::planted!(crate::plants::UNKNOWN_COMMIT_TAKEN_FOR_COMMITTED) =>
            {
                self.committed();
            }
            CommitOutcome::OutcomeUnknown(why) => {
                tempest_rt::probe!("history-outcome-unknown");
                Counters::add(&counters.commits_unknown);
                self.end(Exit::Failed(ServiceError::OutcomeUnknown(why)));
            }
            CommitOutcome::Unavailable(why) => {
                tempest_rt::probe!("history-commit-refused");
                self.end(Exit::Failed(ServiceError::Unavailable(why)));
            }
            CommitOutcome::Conflict(why) => {
                tempest_rt::probe!("history-commit-conflict");
                Counters::add(&counters.commits_conflicting);
                tracing::error!(%why, "a commit did not find what this shard believed: everything is read again");
                self.end(Exit::Failed(ServiceError::Unavailable(why)));
            }
        }
    }

    fn committed(&mut self) {
        let staged = self.pipeline.committed();
        let watermark = self.watermark();
        self.transfers.durable(staged.first_task_id, watermark, staged.transfer_tasks);
        self.timers.durable(staged.timer_tasks);
        staged.answers.into_iter().chain(staged.dependants).for_each(Answer::give);
        for run in &staged.runs {
            for request in self.waiters.wake(run) {
                self.handle(request);
            }
        }
        for run in &staged.runs {
            self.executions.prune(&WorkflowKey::of(run), self.pipeline.durable());
        }
        self.evict();
    }

    /// Keeps the bound on what is in memory.
    pub(super) fn evict(&mut self) {
        let nothing = tempest_rt::buggify!("history-evict-everything");
        let evicted = self.executions.evict(self.pipeline.durable(), nothing);
        self.node.counters.executions_evicted.fetch_add(evicted as u64, Relaxed);
    }

    /// Every task id below is durable or was never used.
    pub(super) fn watermark(&self) -> i64 {
        let undurable = self.pipeline.first_task_id();
        undurable
            .filter(|_| !tempest_rt::planted!(crate::plants::TRANSFER_CURSOR_PASSES_UNDURABLE_TASK))
            .unwrap_or(self.next_task_id)
    }

    /// Gives an answer that wrote nothing, once the state it was decided on (`sequence`) is durable and the shard is
    /// proven to have been ours after it was asked.
    pub(super) fn answer_unwritten(&mut self, sequence: u64, answer: Answer) {
        if tempest_rt::planted!(crate::plants::ANSWER_FROM_STAGED) {
            return answer.give();
        }
        self.proofs.waiting.push((sequence, answer));
    }

    /// When the pump must run although nothing happens.
    pub fn next_wake(&mut self) -> Option<Instant> {
        if self.is_draining() {
            return None;
        }
        let flush = self.deletions.flush_at.filter(|_| self.may_stage());
        let timer = if self.may_stage() { self.timers.next_due() } else { None };
        let proof = self.proofs.due_at.filter(|_| self.proofs.in_round.is_none());
        flush.into_iter().chain(timer.map(|due| self.instant_of(due))).chain(proof).min()
    }

    /// When shard time will have reached `due`, if the wall clock does not jump; it is looked at again before long.
    fn instant_of(&mut self, due: Time) -> Instant {
        let wait = due.since(self.clock.now()).min(self.node.config.timer_recheck_interval);
        // The runtime's sleeps have whole milliseconds: never wake just before the time, to find nothing due.
        Instant::now() + wait.max(Duration::from_millis(1))
    }

    /// Ends this ownership. Callers that wait for something staged are told; requests that were not decided are
    /// returned.
    pub fn dissolve(self, exit: &Exit) -> VecDeque<Request> {
        let (caused, depended) = match exit {
            Exit::Superseded { .. } if !tempest_rt::planted!(crate::plants::SUPERSEDED_OWNER_SAYS_NOT_DONE) => (
                ServiceError::OutcomeUnknown("another node took the shard while this was being written".into()),
                ServiceError::ShardOwnershipLost { owner_host: String::new() },
            ),
            Exit::OwnershipLost { .. } | Exit::Superseded { .. } => {
                let lost = ServiceError::ShardOwnershipLost { owner_host: String::new() };
                (lost.clone(), lost)
            }
            Exit::Failed(error) => (error.clone(), ServiceError::Unavailable(error.to_string())),
            Exit::Stopped | Exit::HandedOver | Exit::Renewal => {
                (super::acquire::status_unknown(), super::acquire::status_unknown())
            }
        };
        let durable = self.durable();
        self.pipeline.discard(&caused, &depended);
        for (_, answer) in self.proofs.waiting.into_iter().chain(self.proofs.in_round.into_iter().flatten()) {
            answer.withdraw(depended.clone());
        }
        let waiting = self.executions.into_waiting().chain(self.waiters.into_polls(durable));
        let undecided = waiting.chain(self.possible_duplicates.into_all());
        undecided.filter(|request| request.ask.has_caller() && !request.ask.is_abandoned()).collect()
    }
}
