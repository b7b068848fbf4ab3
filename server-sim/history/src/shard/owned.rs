//! A shard while it is owned, as a state machine: events and the time go in, effects come out.
//!
//! It awaits nothing, has no handle to the store, to matching or to other runs, and reads no clock; the
//! [driver](super::driver) performs what it asks for. Everything in it belongs to one range id and dies with it.
use super::Setup;
use super::clock::{Moment, ShardClock};
use super::deletions::Deletions;
use super::effects::{Effect, Work};
use super::events::Event;
use super::executions::Executions;
use super::late_duplicates::{Inheritance, LateDuplicates};
use super::pipeline::{Dependant, Pipeline};
use super::proofs::Proofs;
use super::recent_events::RecentEvents;
use super::request::{Answer, Request};
use super::timer_queue::TimerQueue;
use super::transfer_queue::TransferQueue;
use super::waiters::Waiters;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use tempest_api::ServiceError;
use tempest_core::Time;
use tempest_rt::time::{Duration, Instant};
use tempest_store::{RangeId, ShardId, ShardRecord};

/// Task ids: the range id, then a counter of this many bits.
pub(super) const TASK_ID_BITS: u32 = 24;

pub(crate) struct Owned {
    pub(super) setup: Setup,
    pub(super) shard: ShardId,
    pub(super) range: RangeId,
    pub(super) clock: ShardClock,
    /// When the event that is being handled happened.
    pub(super) now: Moment,
    pub(super) next_task_id: i64,
    /// From here on the range is renewed as soon as everything in flight has ended.
    renew_at: i64,
    /// The runs in memory, and the requests that wait for one to be read.
    pub(super) executions: Executions,
    /// Events that decisions may soon read.
    pub(super) recent_events: RecentEvents,
    /// Commits in flight.
    pub(super) pipeline: Pipeline,
    pub(super) transfers: TransferQueue,
    pub(super) timers: TimerQueue,
    pub(super) deletions: Deletions,
    pub(super) waiters: Waiters,
    pub(super) proofs: Proofs,
    pub(super) late_duplicates: LateDuplicates,
    /// What the event that is being handled has led to so far.
    pub(super) effects: Vec<Effect>,
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

/// What the next ownership has to know of this one.
pub(crate) struct Previous {
    range: RangeId,
    inheritance: Inheritance,
}

/// What is left when an ownership has ended.
pub(crate) struct Dissolved {
    /// Answers that rest on what was staged, each with what its callers hear instead.
    pub withdrawn: Vec<(Answer, ServiceError)>,
    /// What was not decided, for the next ownership.
    pub undecided: VecDeque<Request>,
}

impl Owned {
    pub fn new(setup: Setup, now: Moment, shard: ShardId, record: ShardRecord) -> Self {
        let config = &setup.config;
        let mut clock = ShardClock::new(record.time, now.instant);
        let time = clock.at(now);
        let first = record.range_id.0 << TASK_ID_BITS;
        let told = setup.outcomes_told.clone();
        Self {
            shard,
            range: record.range_id,
            clock,
            now,
            // Ids start at 1 within a range, so that no task has id 0.
            next_task_id: first + 1,
            renew_at: first + config.task_ids_per_range,
            executions: Executions::new(config.executions_cached_max, config.executions_bytes_of_shard()),
            recent_events: RecentEvents::new(config.recent_events_bytes_of_shard()),
            pipeline: Pipeline::new(record.sequence),
            transfers: TransferQueue::new(config),
            timers: TimerQueue::new(config, time),
            deletions: Deletions::default(),
            waiters: Waiters::new(config.history_waiters_max, config.answers_awaited_per_run_max),
            proofs: Proofs::new(config.next_ownership_check(now.instant)),
            late_duplicates: LateDuplicates::new(record.range_id, now.instant, told, config.requests_waiting_max),
            effects: Vec::new(),
            leaving: None,
            exit: None,
            setup,
        }
    }

    /// Goes on from this node's previous ownership, if no other node owned the shard in between.
    pub fn follow(&mut self, previous: Previous) {
        if self.range.0 == previous.range.0 + 1 {
            self.late_duplicates.inherit(previous.inheritance);
        }
    }

    /// What the next ownership has to know of this one, which ends now.
    pub fn as_previous(&self, now: Instant) -> Previous {
        let inheritance = self.late_duplicates.bequeath(now, self.transfers.in_flight());
        Previous { range: self.range, inheritance }
    }

    /// The one way in: something has happened. Then begins what may begin now.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        assert!(self.exit.is_none(), "nothing happens to an ownership that has ended");
        self.now = now;
        self.happened(event);
        if self.exit.is_none() {
            self.pump();
            self.end_if_drained();
        }
        std::mem::take(&mut self.effects)
    }

    /// Whether, and why, this ownership is over.
    pub fn exit(&self) -> Option<&Exit> {
        self.exit.as_ref()
    }

    /// Sequence of the newest durable commit.
    pub fn durable(&self) -> u64 {
        self.pipeline.durable()
    }

    /// Whether there is room for another request from outside.
    pub fn accepts(&self) -> bool {
        let waiting = self.executions.requests_waiting() + self.proofs.len() + self.pipeline.dependants();
        !self.is_draining() && self.may_stage() && waiting < self.setup.config.requests_waiting_max
    }

    pub(super) fn may_stage(&self) -> bool {
        let config = &self.setup.config;
        self.pipeline.len() < config.commits_in_flight_max && self.pipeline.bytes() < config.commit_bytes_in_flight_max
    }

    pub fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Takes nothing new on; what was begun ends, then the ownership does.
    pub(super) fn leave(&mut self, exit: Exit) {
        self.leaving.get_or_insert(exit);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is_leaving() || self.next_task_id >= self.renew_at
    }

    fn end_if_drained(&mut self) {
        if self.is_draining() && self.pipeline.is_empty() && self.proofs.is_settled() {
            if !self.is_leaving() {
                tempest_rt::probe!("history-range-renewed");
            }
            self.end(self.leaving.clone().unwrap_or(Exit::Renewal));
        }
    }

    pub(super) fn end(&mut self, exit: Exit) {
        self.exit.get_or_insert(exit);
    }

    /// Keeps the bound on what is in memory.
    pub(super) fn evict(&mut self) {
        let nothing = tempest_rt::buggify!("history-evict-everything");
        let planted = tempest_rt::planted!(crate::plants::EVICTED_WHILE_COMMITTING);
        let durable = if planted { u64::MAX } else { self.pipeline.durable() };
        let evicted = self.executions.evict(durable, nothing);
        self.recent_events.make_room(self.pipeline.durable());
        self.setup.counters.executions_evicted.fetch_add(evicted as u64, Relaxed);
    }

    /// Every task id below is durable or was never used.
    pub(super) fn watermark(&self) -> i64 {
        let undurable = self.pipeline.first_task_id();
        undurable
            .filter(|_| !tempest_rt::planted!(crate::plants::TRANSFER_CURSOR_PASSES_UNDURABLE_TASK))
            .unwrap_or(self.next_task_id)
    }

    /// Lets what wrote nothing wait until the state it was decided on (`sequence`) is durable and the shard is proven to
    /// have been owned after it was asked.
    pub(super) fn when_proven(&mut self, sequence: u64, dependant: Dependant) {
        if tempest_rt::planted!(crate::plants::ANSWER_FROM_STAGED) {
            return self.release(dependant);
        }
        self.proofs.wait(sequence, dependant);
    }

    /// What this waited for is durable and proven.
    pub(super) fn release(&mut self, dependant: Dependant) {
        match dependant {
            Dependant::Answer(answer) => self.give(answer),
            Dependant::Call(call) => self.begin(Work::Call(call)),
        }
    }

    pub(super) fn begin(&mut self, work: Work) {
        self.effects.push(Effect::Begin(work));
    }

    pub(super) fn refuse(&mut self, request: Request, error: ServiceError) {
        self.effects.push(Effect::Refuse(Box::new(request), error));
    }

    pub(super) fn give(&mut self, mut answer: Answer) {
        for (call, outcome) in answer.take_outcomes() {
            self.late_duplicates.told(self.now.instant, call, outcome);
        }
        self.effects.push(Effect::Give(answer));
    }

    /// When [`Event::Alarm`] is due although nothing else happens.
    pub fn next_wake(&mut self, now: Moment) -> Option<Instant> {
        if self.is_draining() {
            return None;
        }
        let may_stage = self.may_stage();
        let flush = self.deletions.flush_at().filter(|_| may_stage);
        let timer = self.timers.next_due().filter(|_| may_stage);
        let timer = timer.map(|due| self.instant_of(due, now));
        flush.into_iter().chain(timer).chain(self.proofs.next_due()).min()
    }

    /// When shard time will have reached `due`, if the wall clock does not jump; it is looked at again before long.
    fn instant_of(&mut self, due: Time, now: Moment) -> Instant {
        let wait = due.since(self.clock.at(now)).min(self.setup.config.timer_recheck_interval);
        // The runtime's sleeps have whole milliseconds: never wake just before the time, to find nothing due.
        now.instant + wait.max(Duration::from_millis(1))
    }

    /// Ends this ownership. Callers that wait for something staged are told; requests that were not decided are
    /// returned.
    pub fn dissolve(self, exit: &Exit) -> Dissolved {
        let (caused, depended) = errors_of(exit);
        let durable = self.durable();
        let mut withdrawn = Vec::new();
        for (answers, dependants) in self.pipeline.discard() {
            withdrawn.extend(answers.into_iter().map(|answer| (answer, caused.clone())));
            withdrawn.extend(answers_of(dependants).map(|answer| (answer, depended.clone())));
        }
        withdrawn.extend(answers_of(self.proofs.discard()).map(|answer| (answer, depended.clone())));
        let (polls, callers) = self.waiters.dissolve(durable);
        withdrawn.extend(callers.into_iter().map(|caller| {
            let unknown = ServiceError::OutcomeUnknown("the shard was lost before this was answered".into());
            (Answer::new(caller, Err(unknown.clone().into())), unknown)
        }));
        let waiting = self.executions.into_waiting().chain(polls);
        let undecided = waiting.chain(self.late_duplicates.into_unanswered());
        let undecided = undecided.filter(|request| request.ask.has_caller() && !request.ask.is_abandoned());
        Dissolved { withdrawn, undecided: undecided.collect() }
    }
}

/// A call that was not made needs no word: its task is in the store.
fn answers_of(dependants: impl IntoIterator<Item = Dependant>) -> impl Iterator<Item = Answer> {
    dependants.into_iter().filter_map(|dependant| match dependant {
        Dependant::Answer(answer) => Some(answer),
        Dependant::Call(_) => None,
    })
}

/// What the callers hear whose commits are in flight when an ownership ends, and those that only depended on these.
fn errors_of(exit: &Exit) -> (ServiceError, ServiceError) {
    match exit {
        Exit::Superseded { .. } if !tempest_rt::planted!(crate::plants::SUPERSEDED_OWNER_SAYS_NOT_DONE) => (
            ServiceError::OutcomeUnknown("another node acquired the shard while this was being written".into()),
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
    }
}

#[cfg(test)]
mod tests;
