//! Callers that wait for something to happen to a run: long polls for its history, which are asked again whenever it
//! changes, and callers of inputs that a later input of the run answers.
//!
//! They belong to one ownership of the shard. When that ends, the polls are carried over into the next one; the callers of
//! inputs are told `OutcomeUnknown`, since their input may have been decided, and repeat it.
use super::request::{Ask, Caller, Request};
use std::collections::BTreeMap;
use tempest_api::Target;
use tempest_core::{AnswerKey, RunKey};

/// Bounded. Callers that have gone away are forgotten when room is needed, or when their run changes.
pub(crate) struct Waiters {
    by_run: BTreeMap<RunKey, Waiting>,
    count: usize,
    max: usize,
    /// Of the callers of inputs, for each run.
    answers_per_run_max: usize,
}

/// The callers that wait for one run.
#[derive(Default)]
struct Waiting {
    polls: Vec<Poll>,
    answers: BTreeMap<AnswerKey, Vec<Caller>>,
}

/// A long poll.
pub(crate) struct Poll {
    /// Which run was asked for: perhaps the current one, whichever that was.
    pub asked: Target,
    /// The sequence of the staged state in which it was this one.
    pub rests_on: u64,
    pub ask: Ask,
}

impl Waiters {
    pub fn new(max: usize, answers_per_run_max: usize) -> Self {
        Self { by_run: BTreeMap::new(), count: 0, max, answers_per_run_max }
    }

    /// Whether one more may wait.
    pub fn has_room(&mut self) -> bool {
        if self.count >= self.max {
            self.by_run.retain(|_, waiting| waiting.forget_abandoned() > 0);
            self.count = self.by_run.values().map(Waiting::len).sum();
        }
        self.count < self.max
    }

    /// Whether one more may wait for an answer by a later input of this run, as far as the run is concerned.
    pub fn has_room_at(&mut self, run: &RunKey) -> bool {
        let Some(waiting) = self.by_run.get_mut(run) else { return true };
        self.count -= waiting.len();
        self.count += waiting.forget_abandoned();
        let has_room = waiting.callers() < self.answers_per_run_max;
        self.forget_if_empty(run);
        has_room
    }

    pub fn add_poll(&mut self, run: RunKey, poll: Poll) {
        self.add(run, |waiting| waiting.polls.push(poll));
    }

    /// The answer comes from a later input, under this key.
    pub fn add_caller(&mut self, run: RunKey, key: AnswerKey, caller: Caller) {
        self.add(run, |waiting| waiting.answers.entry(key).or_default().push(caller));
    }

    fn add(&mut self, run: RunKey, add: impl FnOnce(&mut Waiting)) {
        let waiting = self.by_run.entry(run).or_default();
        self.count -= waiting.len();
        waiting.forget_abandoned();
        add(waiting);
        self.count += waiting.len();
    }

    /// The callers that this answer is for.
    pub fn answered(&mut self, run: &RunKey, key: &AnswerKey) -> Vec<Caller> {
        let callers = self.by_run.get_mut(run).and_then(|waiting| waiting.answers.remove(key)).unwrap_or_default();
        self.count -= callers.len();
        self.forget_if_empty(run);
        callers
    }

    /// The run has changed durably: its long polls are asked again.
    pub fn wake(&mut self, run: &RunKey) -> Vec<Request> {
        let Some(waiting) = self.by_run.get_mut(run) else { return Vec::new() };
        let woken = std::mem::take(&mut waiting.polls);
        self.count -= woken.len();
        self.forget_if_empty(run);
        woken.into_iter().map(|poll| Request { target: Target::of(run), ask: poll.ask }).collect()
    }

    /// The long polls, to be asked again in the next ownership, and the callers of inputs, which end with this one. Commits
    /// after `durable` may not have taken place: a run that one of them has made, and that a poll for the current run was
    /// given, may never have been.
    pub fn dissolve(self, durable: u64) -> (Vec<Request>, Vec<Caller>) {
        let (mut polls, mut callers) = (Vec::new(), Vec::new());
        for (run, waiting) in self.by_run {
            polls.extend(waiting.polls.into_iter().map(|Poll { asked, rests_on, ask }| {
                let target = if rests_on <= durable { Target::of(&run) } else { asked };
                Request { target, ask }
            }));
            callers.extend(waiting.answers.into_values().flatten());
        }
        (polls, callers)
    }

    fn forget_if_empty(&mut self, run: &RunKey) {
        if self.by_run.get(run).is_some_and(|waiting| waiting.len() == 0) {
            self.by_run.remove(run);
        }
    }
}

impl Waiting {
    fn len(&self) -> usize {
        self.polls.len() + self.callers()
    }

    /// Of inputs.
    fn callers(&self) -> usize {
        self.answers.values().map(Vec::len).sum()
    }

    /// How many are left.
    fn forget_abandoned(&mut self) -> usize {
        self.polls.retain(|poll| !poll.ask.is_abandoned());
        self.answers.retain(|_, callers| {
            callers.retain(|caller| !caller.is_closed());
            !callers.is_empty()
        });
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::{Answer, Decided};
    use super::*;
    use tempest_api::{HistoryWait, Read, Refused, ServiceError};
    use tempest_core::{BranchRef, Input, Reply};
    use tokio::sync::oneshot;

    type Heard = oneshot::Receiver<Result<Decided, Refused<(Target, Input)>>>;

    fn run() -> RunKey {
        RunKey { run_id: "run-1".into(), ..RunKey::default() }
    }

    fn key(name: &str) -> AnswerKey {
        AnswerKey(name.to_owned())
    }

    fn caller(waiters: &mut Waiters, name: &str) -> Heard {
        let (caller, heard) = oneshot::channel();
        waiters.add_caller(run(), key(name), caller);
        heard
    }

    fn poll(waiters: &mut Waiters) -> oneshot::Receiver<Result<tempest_api::View, ServiceError>> {
        let (reply, heard) = oneshot::channel();
        let wait = HistoryWait { next_event_id: 3, until_closed: false, timeout: std::time::Duration::from_secs(20) };
        let ask = Ask::Read(Read::HistoryPosition(Some(wait)), reply);
        waiters.add_poll(run(), Poll { asked: Target::of(&run()), rests_on: 1, ask });
        heard
    }

    fn decided() -> Decided {
        Decided { run: run(), branch: BranchRef::default(), reply: Reply::None }
    }

    #[test]
    fn an_answer_reaches_all_who_wait_for_it_and_nobody_else_once_it_is_durable() {
        let mut waiters = Waiters::new(10, 10);
        let (mut first, mut repeat, mut other) =
            (caller(&mut waiters, "a"), caller(&mut waiters, "a"), caller(&mut waiters, "b"));
        let answers = waiters.answered(&run(), &key("a")).into_iter().map(|caller| Answer::new(caller, Ok(decided())));
        let answer = answers.reduce(Answer::and).expect("two wait");
        assert!(first.try_recv().is_err(), "what is not durable is not told");
        answer.give();
        for heard in [&mut first, &mut repeat] {
            assert!(matches!(heard.try_recv(), Ok(Ok(decided)) if decided.run == run()));
        }
        assert!(other.try_recv().is_err());
        assert!(waiters.answered(&run(), &key("a")).is_empty(), "it is given once");
        assert_eq!(waiters.answered(&run(), &key("b")).len(), 1);
    }

    #[test]
    fn an_answer_that_is_not_durable_is_withdrawn() {
        let mut waiters = Waiters::new(10, 10);
        let mut heard = caller(&mut waiters, "a");
        let waiting = waiters.answered(&run(), &key("a")).remove(0);
        Answer::new(waiting, Ok(decided())).withdraw(ServiceError::OutcomeUnknown("who knows".into()));
        assert!(matches!(heard.try_recv(), Ok(Err(Refused { error: ServiceError::OutcomeUnknown(_), ask: None }))));
    }

    #[test]
    fn only_so_many_wait_and_those_who_went_away_make_room() {
        let mut waiters = Waiters::new(3, 3);
        let (_a, b, c) = (caller(&mut waiters, "a"), caller(&mut waiters, "b"), poll(&mut waiters));
        assert!(!waiters.has_room());
        drop(b);
        assert!(waiters.has_room());
        drop(c);
        let (_d, _e) = (caller(&mut waiters, "d"), caller(&mut waiters, "d"));
        assert!(!waiters.has_room(), "a, d and its repeat");
        assert_eq!(waiters.answered(&run(), &key("d")).len(), 2);
        assert!(waiters.has_room());
    }

    #[test]
    fn a_run_has_only_so_many_callers_whose_input_a_later_one_answers() {
        let mut waiters = Waiters::new(10, 2);
        let other = RunKey { run_id: "run-2".into(), ..RunKey::default() };
        let (_poll, _a) = (poll(&mut waiters), caller(&mut waiters, "a"));
        assert!(waiters.has_room_at(&run()), "a long poll is no such caller");
        let b = caller(&mut waiters, "b");
        assert!(!waiters.has_room_at(&run()) && waiters.has_room_at(&other) && waiters.has_room());
        drop(b);
        assert!(waiters.has_room_at(&run()), "a caller that went away makes room");
        assert_eq!(waiters.count, 2);
    }

    #[test]
    fn a_change_wakes_polls_and_answers_no_input() {
        let mut waiters = Waiters::new(10, 10);
        let (_caller, _poll) = (caller(&mut waiters, "a"), poll(&mut waiters));
        assert_eq!(waiters.wake(&run()).len(), 1);
        assert!(waiters.wake(&run()).is_empty());
        assert_eq!(waiters.answered(&run(), &key("a")).len(), 1);
    }

    #[test]
    fn when_the_ownership_ends_polls_go_on_and_callers_of_inputs_do_not() {
        let mut waiters = Waiters::new(10, 10);
        let (_caller, mut poll) = (caller(&mut waiters, "a"), poll(&mut waiters));
        let (carried, callers) = waiters.dissolve(1);
        assert_eq!((carried.len(), callers.len()), (1, 1));
        assert_eq!(poll.try_recv().unwrap_err(), oneshot::error::TryRecvError::Empty);
    }
}
