//! Long polls for history: asks that wait for their run to change.
use super::request::{Ask, Request, Target};
use std::collections::BTreeMap;
use tempest_core::RunKey;

/// Bounded. Who has gone away is forgotten when room is needed, or when his run changes.
pub(crate) struct Waiters {
    by_run: BTreeMap<RunKey, Vec<Waiter>>,
    count: usize,
    max: usize,
}

/// Who waits for a run.
pub(crate) struct Waiter {
    /// Whose run was asked for: perhaps the current one, whichever that was.
    pub asked: Target,
    /// The sequence of the staged state in which it was this one.
    pub rests_on: u64,
    pub ask: Ask,
}

impl Waiters {
    pub fn new(max: usize) -> Self {
        Self { by_run: BTreeMap::new(), count: 0, max }
    }

    /// Whether one more may wait.
    pub fn has_room(&mut self) -> bool {
        if self.count >= self.max {
            self.forget_abandoned();
        }
        self.count < self.max
    }

    pub fn add(&mut self, run: RunKey, waiter: Waiter) {
        let waiting = self.by_run.entry(run).or_default();
        self.count += 1;
        let before = waiting.len();
        waiting.retain(|other| !other.ask.is_abandoned());
        self.count -= before - waiting.len();
        waiting.push(waiter);
    }

    /// The run has changed durably: everybody who waits for it asks again.
    pub fn wake(&mut self, run: &RunKey) -> Vec<Request> {
        let woken = self.by_run.remove(run).unwrap_or_default();
        self.count -= woken.len();
        woken.into_iter().map(|waiter| Request { target: Target::of(run), ask: waiter.ask }).collect()
    }

    /// Everybody, to ask again when the shard is had anew. Commits after `durable` may not have taken place: a run that one
    /// of them has made, and whoever asked for the current run was given, may never have been.
    pub fn into_all(self, durable: u64) -> impl Iterator<Item = Request> {
        self.by_run.into_iter().flat_map(move |(run, waiting)| {
            waiting.into_iter().map(move |Waiter { asked, rests_on, ask }| {
                let target = if rests_on <= durable { Target::of(&run) } else { asked };
                Request { target, ask }
            })
        })
    }

    fn forget_abandoned(&mut self) {
        self.by_run.retain(|_, waiting| {
            waiting.retain(|waiter| !waiter.ask.is_abandoned());
            !waiting.is_empty()
        });
        self.count = self.by_run.values().map(Vec::len).sum();
    }
}
