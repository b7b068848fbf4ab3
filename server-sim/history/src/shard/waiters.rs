//! Long polls for history: asks that wait for their run to change.
use super::request::Request;
use std::collections::BTreeMap;
use tempest_core::RunKey;

/// Bounded. Who has gone away is forgotten when room is needed, or when his run changes.
pub(crate) struct Waiters {
    by_run: BTreeMap<RunKey, Vec<Request>>,
    count: usize,
    max: usize,
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

    pub fn add(&mut self, run: RunKey, request: Request) {
        let waiting = self.by_run.entry(run).or_default();
        self.count += 1;
        let before = waiting.len();
        waiting.retain(|other| !other.ask.is_abandoned());
        self.count -= before - waiting.len();
        waiting.push(request);
    }

    /// The run has changed durably: everybody who waits for it asks again.
    pub fn wake(&mut self, run: &RunKey) -> Vec<Request> {
        let woken = self.by_run.remove(run).unwrap_or_default();
        self.count -= woken.len();
        woken
    }

    pub fn into_all(self) -> impl Iterator<Item = Request> {
        self.by_run.into_values().flatten()
    }

    fn forget_abandoned(&mut self) {
        self.by_run.retain(|_, waiting| {
            waiting.retain(|request| !request.ask.is_abandoned());
            !waiting.is_empty()
        });
        self.count = self.by_run.values().map(Vec::len).sum();
    }
}
