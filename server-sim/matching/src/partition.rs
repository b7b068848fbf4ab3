//! The matcher of one partition, pure: tasks, polls and the passing of time in, dispatches out.
//!
//! It knows ids only; what a task is and who polls is the shell's affair. Tasks are served in the order of their ids,
//! polls in the order they came. A dispatched task is neither waiting nor gone until the shell says how it ended.
use std::collections::BTreeMap;
use std::time::Duration;

mod dispatch_rate;
pub use dispatch_rate::{DispatchRate, RATE_UNLIMITED};

/// A task of this partition. Tasks in memory alone go first: they were delayed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskId {
    Memory(u64),
    /// A row of the backlog, by its id.
    Row(i64),
}

/// A poll, numbered in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PollId(pub u64);

/// What the shell shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Record the task as started for this poll, then report with [`TaskQueuePartition::dispatch_ended`].
    Dispatch { task: TaskId, poll: PollId },
    /// The task has outlived its schedule-to-start timeout: forget it.
    Expired { task: TaskId },
}

/// How a dispatch ended, as far as the matcher cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DispatchEnd {
    /// The poll has its answer; the task is done.
    Started,
    /// History does not want the task any more; the poll waits on.
    Dropped,
    /// The start could not be recorded: offer the task again after this pause.
    Kept { pause: Duration },
    /// The task left the matcher (it is being written to the backlog); the poll waits on.
    Spooled,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    not_before: Duration,
    expires: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Serving {
    task: TaskId,
    identity: String,
    gone: bool,
}

/// Times are durations since some fixed moment of the shell's monotonic clock.
#[derive(Debug)]
pub struct TaskQueuePartition {
    tasks: BTreeMap<TaskId, Waiting>,
    dispatched: BTreeMap<TaskId, Waiting>,
    /// No waiting task expires before this; spares most calls a look at all of them.
    expires_first: Option<Duration>,
    polls: BTreeMap<PollId, String>,
    serving: BTreeMap<PollId, Serving>,
    /// Who polled, and when that was seen last.
    pollers: BTreeMap<String, Duration>,
    pollers_max: usize,
    last_poll: Option<Duration>,
    rate: DispatchRate,
}

impl TaskQueuePartition {
    pub fn new(pollers_max: usize) -> Self {
        Self {
            tasks: BTreeMap::new(),
            dispatched: BTreeMap::new(),
            expires_first: None,
            polls: BTreeMap::new(),
            serving: BTreeMap::new(),
            pollers: BTreeMap::new(),
            pollers_max,
            last_poll: None,
            rate: DispatchRate::unlimited(),
        }
    }

    /// From now on at most so many tasks per second are handed out. To be followed by a poll, which meets what may go.
    pub fn limit_rate(&mut self, now: Duration, per_second: f64) {
        self.rate.set(now, per_second);
    }

    /// Tasks that may be handed out per second.
    pub fn rate_per_second(&self) -> f64 {
        self.rate.per_second()
    }

    /// A poll arrives.
    pub fn poll(&mut self, now: Duration, id: PollId, identity: &str) -> Vec<Action> {
        self.polls.insert(id, identity.to_owned());
        self.seen(now, identity);
        self.matches(now)
    }

    /// A poll was withdrawn or its time is over. True if a dispatch to it is under way: then its task returns with the
    /// end of that dispatch.
    pub fn poll_gone(&mut self, now: Duration, id: PollId) -> bool {
        if let Some(identity) = self.polls.remove(&id) {
            self.seen(now, &identity);
        }
        match self.serving.get_mut(&id) {
            Some(serving) => {
                serving.gone = true;
                let identity = serving.identity.clone();
                self.seen(now, &identity);
                true
            }
            None => false,
        }
    }

    /// A poll's time is over. True if a dispatch to it is under way, which it may still wait for.
    pub fn poll_ends(&mut self, now: Duration, id: PollId) -> bool {
        if self.serving.contains_key(&id) {
            return true;
        }
        self.poll_gone(now, id)
    }

    /// Who polls, if that poll is being served and did not go away.
    pub fn identity_served(&self, id: PollId) -> Option<&str> {
        self.serving.get(&id).filter(|serving| !serving.gone).map(|serving| serving.identity.as_str())
    }

    /// Sync match: hands the task to a waiting poll, or refuses it (no actions), because none waits, others are first, or the
    /// rate is used up.
    pub fn offer(&mut self, now: Duration, task: TaskId, expires: Option<Duration>) -> Option<Action> {
        assert!(!self.holds(task), "a task is offered once");
        let others_first = self.tasks.values().any(|waiting| waiting.not_before <= now);
        if others_first || !self.rate.allows(now) {
            return None;
        }
        self.dispatch(now, task, Waiting { not_before: now, expires })
    }

    /// A task that may wait here.
    pub fn add(&mut self, now: Duration, task: TaskId, expires: Option<Duration>) -> Vec<Action> {
        self.add_after(now, now, task, expires)
    }

    /// A task that may wait here, and is not to be dispatched before `not_before`.
    fn add_after(
        &mut self,
        now: Duration,
        not_before: Duration,
        task: TaskId,
        expires: Option<Duration>,
    ) -> Vec<Action> {
        assert!(!self.holds(task), "a task is added once");
        self.wait(task, Waiting { not_before, expires });
        self.matches(now)
    }

    /// The shell did what [`Action::Dispatch`] asked for.
    pub fn dispatch_ended(&mut self, now: Duration, task: TaskId, poll: PollId, end: DispatchEnd) -> Vec<Action> {
        let waiting = self.dispatched.remove(&task).expect("only tasks that were dispatched come back");
        let serving = self.serving.remove(&poll).expect("only polls that were served come back");
        assert_eq!(serving.task, task, "a dispatch ends with the poll it began with");
        if end != DispatchEnd::Started {
            self.rate.give_back();
            if !serving.gone {
                self.polls.insert(poll, serving.identity);
            }
        }
        if let DispatchEnd::Kept { pause } = end {
            self.wait(task, Waiting { not_before: now + pause, expires: waiting.expires });
        }
        self.matches(now)
    }

    /// Time has passed: what paused may go on, what expired goes.
    pub fn tick(&mut self, now: Duration) -> Vec<Action> {
        self.matches(now)
    }

    /// When [`TaskQueuePartition::tick`] has something to do next.
    pub fn next_tick(&self) -> Option<Duration> {
        let pause_over = match self.polls.is_empty() {
            true => None,
            false => self.tasks.values().map(|waiting| waiting.not_before).min(),
        };
        let pause_over = pause_over.and_then(|over| self.rate.ready().map(|ready| over.max(ready)));
        self.expires_first.into_iter().chain(pause_over).min()
    }

    /// Forgets all waiting tasks and returns them in order; dispatches under way go on.
    pub fn take_waiting(&mut self) -> Vec<TaskId> {
        std::mem::take(&mut self.tasks).into_keys().collect()
    }

    /// Whether the task waits here or is being dispatched.
    pub fn holds(&self, task: TaskId) -> bool {
        self.tasks.contains_key(&task) || self.dispatched.contains_key(&task)
    }

    pub fn tasks_waiting(&self) -> usize {
        self.tasks.len()
    }

    #[cfg(test)]
    pub fn polls_waiting(&self) -> usize {
        self.polls.len()
    }

    pub fn dispatches_under_way(&self) -> usize {
        self.dispatched.len()
    }

    /// Whether a poll waits, is being served, or was here less than `window` ago.
    pub fn polled_within(&self, now: Duration, window: Duration) -> bool {
        !self.polls.is_empty()
            || self.serving.values().any(|serving| !serving.gone)
            || self.last_poll.is_some_and(|seen| now.saturating_sub(seen) < window)
    }

    /// The worker of this identity is gone: it is not listed any more, unless it still polls.
    pub fn forget_poller(&mut self, identity: &str) {
        self.pollers.remove(identity);
    }

    /// Identities seen within `window` with the time since they were seen; those with a poll waiting were seen now.
    pub fn pollers(&self, now: Duration, window: Duration) -> Vec<(String, Duration)> {
        let mut ages: BTreeMap<&str, Duration> = BTreeMap::new();
        for (identity, seen) in &self.pollers {
            ages.insert(identity, now.saturating_sub(*seen));
        }
        for identity in self.polls.values() {
            ages.insert(identity, Duration::ZERO);
        }
        ages.into_iter().filter(|(_, age)| *age < window).map(|(id, age)| (id.to_owned(), age)).collect()
    }

    fn seen(&mut self, now: Duration, identity: &str) {
        self.last_poll = Some(now);
        self.pollers.insert(identity.to_owned(), now);
        if self.pollers.len() > self.pollers_max {
            let oldest = self.pollers.iter().min_by_key(|(_, seen)| **seen).map(|(identity, _)| identity.clone());
            if let Some(oldest) = oldest {
                self.pollers.remove(&oldest);
            }
        }
    }

    fn wait(&mut self, task: TaskId, waiting: Waiting) {
        self.expires_first = self.expires_first.into_iter().chain(waiting.expires).min();
        self.tasks.insert(task, waiting);
    }

    fn expire(&mut self, now: Duration) -> Vec<Action> {
        if self.expires_first.is_none_or(|first| first > now) {
            return Vec::new();
        }
        let expired = |waiting: &Waiting| waiting.expires.is_some_and(|expires| expires <= now);
        let gone = self.tasks.extract_if(.., |_, waiting| expired(waiting));
        let actions = gone.map(|(task, _)| Action::Expired { task }).collect();
        self.expires_first = self.tasks.values().filter_map(|waiting| waiting.expires).min();
        actions
    }

    fn matches(&mut self, now: Duration) -> Vec<Action> {
        let mut actions = self.expire(now);
        while !self.polls.is_empty() && self.rate.allows(now) {
            let ready = self.tasks.iter().find(|(_, waiting)| waiting.not_before <= now).map(|(task, _)| *task);
            let Some(task) = ready else { break };
            let waiting = self.tasks.remove(&task).expect("it was found just now");
            actions.push(self.dispatch(now, task, waiting).expect("a poll waits"));
        }
        actions
    }

    fn dispatch(&mut self, now: Duration, task: TaskId, waiting: Waiting) -> Option<Action> {
        let (poll, identity) = self.polls.pop_first()?;
        self.rate.take(now);
        self.dispatched.insert(task, waiting);
        self.serving.insert(poll, Serving { task, identity, gone: false });
        Some(Action::Dispatch { task, poll })
    }
}

#[cfg(test)]
mod tests;
