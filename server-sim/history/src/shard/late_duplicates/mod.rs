//! Late duplicates: cross-workflow calls that arrive (again) after they were made again and answered.
//!
//! A sender repeats a call until it knows the outcome, and a network delays what it carries. So a call may arrive when
//! its sender has recorded an outcome and the run that it was made to is over; performed then, it would start a second
//! child, or change another run of the same workflow id. Three rules together prevent that:
//!
//! | who | knows | and therefore |
//! |---|---|---|
//! | the shard that is called | how calls ended here ([`outcomes`]) | answers a duplicate as before and does nothing |
//! | its new owner | nothing of what came before it | asks the sender if it still waits for the call ([`questions`]) |
//! | the shard that calls | tries with an unknown outcome ([`unknown_tries`]) | does not yet believe a refusal |
//!
//! The last two hold for as long as a duplicate may be late: [`DUPLICATE_LATE_MAX`].
mod outcomes;
mod questions;
mod unknown_tries;

pub(crate) use outcomes::{CallId, CallOutcome, OutcomeMemory};
use questions::Questions;
use unknown_tries::UnknownTries;

use super::owned::TASK_ID_BITS;
use super::request::Request;
use std::sync::Arc;
use std::time::Duration;
use tempest_api::WorkflowKey;
use tempest_core::Input;
use tempest_rt::time::Instant;
use tempest_store::RangeId;

/// How late a call may arrive that its sender does not wait for any more: longer than a node stands still and goes on
/// without any other node noticing, and than a connection lives that carries nothing.
pub(crate) const DUPLICATE_LATE_MAX: Duration = Duration::from_secs(60);

/// What one ownership of a shard knows of late duplicates.
pub(crate) struct LateDuplicates {
    range: RangeId,
    /// The first range since which this node has had the shard without another owner in between, and when that began.
    first_range: RangeId,
    owned_since: Instant,
    /// Outcomes that this ownership has decided and that may not have been told. If they never are, they are void.
    decided: OutcomeMemory,
    /// Outcomes that this node has told, in any of its shards.
    told: Arc<OutcomeMemory>,
    questions: Questions,
    unknown_tries: UnknownTries,
}

/// What the next ownership has to know of this one, if no other node owns the shard in between.
pub(crate) struct Inheritance {
    first_range: RangeId,
    owned_since: Instant,
    unknown_tries: UnknownTries,
}

impl LateDuplicates {
    /// At most `questions_max` calls wait for their senders' word.
    pub fn new(range: RangeId, now: Instant, told: Arc<OutcomeMemory>, questions_max: usize) -> Self {
        Self {
            range,
            first_range: range,
            owned_since: now,
            decided: OutcomeMemory::of_ownership(),
            told,
            questions: Questions::new(questions_max),
            unknown_tries: UnknownTries::default(),
        }
    }

    /// Goes on from this node's previous ownership, which ended just before this one began.
    pub fn inherit(&mut self, inheritance: Inheritance) {
        let Inheritance { first_range, owned_since, unknown_tries } = inheritance;
        (self.first_range, self.owned_since, self.unknown_tries) = (first_range, owned_since, unknown_tries);
    }

    /// What is handed to the next ownership; `in_flight` are the transfer tasks whose calls are being made now.
    pub fn bequeath(&self, now: Instant, in_flight: impl Iterator<Item = i64>) -> Inheritance {
        Inheritance {
            first_range: self.first_range,
            owned_since: self.owned_since,
            unknown_tries: self.unknown_tries.with_in_flight(now, in_flight),
        }
    }

    /// Which call this input is, if it is one.
    pub fn call(&self, workflow: &WorkflowKey, input: &Input) -> Option<CallId> {
        CallId::of(self.range.timeline(), workflow, input)
    }

    /// How this call ended here, if it did.
    pub fn outcome(&self, call: &CallId) -> Option<CallOutcome> {
        let outcome = self.told.outcome(call).or_else(|| self.decided.outcome(call));
        outcome.filter(|outcome| {
            matches!(outcome, CallOutcome::Refused(_))
                || !tempest_rt::planted!(crate::plants::DONE_CROSS_CALL_FORGOTTEN)
        })
    }

    /// The call has this outcome as far as this ownership goes; [`LateDuplicates::told`] follows if it becomes durable.
    pub fn decided(&self, now: Instant, call: CallId, outcome: CallOutcome) {
        self.decided.note(now, call, outcome);
    }

    /// The outcome is durable, and its sender is told now.
    pub fn told(&self, now: Instant, call: CallId, outcome: CallOutcome) {
        self.told.note(now, call, outcome);
    }

    /// The call that this input is, if it may have been performed under a previous owner: its sender must be asked.
    /// `confirmed` is the range under which the sender said last that it waits for it.
    pub fn may_be_late(
        &self,
        now: Instant,
        workflow: &WorkflowKey,
        input: &Input,
        confirmed: Option<RangeId>,
    ) -> Option<CallId> {
        if confirmed == Some(self.range) || now >= self.owned_since + DUPLICATE_LATE_MAX {
            return None;
        }
        let call = self.call(workflow, input)?;
        let may_be_late =
            self.outcome(&call).is_none() && !tempest_rt::planted!(crate::plants::LATE_CROSS_CALL_DONE_UNASKED);
        may_be_late.then_some(call)
    }

    /// Keeps a request until its sender has answered; returns the question's number, or the request if there are too many.
    #[allow(clippy::result_large_err)] // it is given back as it came
    pub fn ask(&mut self, request: Request) -> Result<u64, Request> {
        self.questions.ask(request)
    }

    /// The sender has answered.
    pub fn asked(&mut self, question: u64) -> Request {
        self.questions.answered(question)
    }

    /// The requests whose senders have not answered.
    pub fn into_unanswered(self) -> impl Iterator<Item = Request> {
        self.questions.into_requests()
    }

    /// A try of a transfer task's call has ended with an unknown outcome.
    pub fn outcome_unknown(&mut self, now: Instant, task_id: i64) {
        self.unknown_tries.note(task_id, now);
    }

    /// The call's outcome is recorded, or it is not to be made any more.
    pub fn task_done(&mut self, task_id: i64) {
        self.unknown_tries.forget(task_id);
    }

    /// Whether an earlier try of this task's call may still arrive: one that a previous owner made (a task's id tells under
    /// which range it came to be), or one of this node with an unknown outcome.
    pub fn may_follow(&self, now: Instant, task_id: i64) -> bool {
        let inherited = task_id >> TASK_ID_BITS < self.first_range.0;
        let tried_until = inherited.then_some(self.owned_since).max(self.unknown_tries.newest(task_id));
        tried_until.is_some_and(|until| now < until + DUPLICATE_LATE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_api::ServiceError;
    use tempest_core::OtherRun;

    const RANGE: RangeId = RangeId(7);

    fn duplicates(range: RangeId, now: Instant) -> LateDuplicates {
        LateDuplicates::new(range, now, Arc::new(OutcomeMemory::of_node()), 10)
    }

    fn signal() -> Input {
        let from = OtherRun { run_id: "run-1".into(), initiated_event_id: 5, ..OtherRun::default() };
        Input::SignalByWorkflow(from, Box::default())
    }

    fn task_of(range: RangeId) -> i64 {
        (range.0 << TASK_ID_BITS) + 1
    }

    #[test]
    fn a_new_owner_asks_the_sender_until_no_duplicate_can_be_late() {
        let start = Instant::now();
        let late = duplicates(RANGE, start);
        let may_be_late =
            |now, confirmed| late.may_be_late(now, &WorkflowKey::default(), &signal(), confirmed).is_some();
        assert!(may_be_late(start, None));
        assert!(!may_be_late(start, Some(RANGE)), "its sender has said that it waits");
        assert!(may_be_late(start, Some(RangeId(6))), "that was said before, and may be over");
        assert!(!may_be_late(start + DUPLICATE_LATE_MAX, None));
    }

    #[test]
    fn an_outcome_is_known_at_once_here_and_to_the_next_ownership_once_told() {
        let start = Instant::now();
        let late = duplicates(RANGE, start);
        let call = late.call(&WorkflowKey::default(), &signal()).expect("it is one");
        late.decided(start, call.clone(), CallOutcome::Refused(ServiceError::NotFound("no such run".into())));
        assert!(late.outcome(&call).is_some());
        let next = |late: &LateDuplicates| LateDuplicates::new(RangeId(8), start, late.told.clone(), 10);
        assert!(next(&late).outcome(&call).is_none(), "what was not told is void");
        late.told(start, call.clone(), CallOutcome::Refused(ServiceError::NotFound("no such run".into())));
        assert!(next(&late).outcome(&call).is_some());
    }

    #[test]
    fn a_duplicate_may_follow_the_tries_of_a_previous_owner_and_those_with_an_unknown_outcome() {
        let start = Instant::now();
        let mut late = duplicates(RANGE, start);
        let (inherited, own) = (task_of(RangeId(6)), task_of(RANGE));
        assert!(late.may_follow(start, inherited) && !late.may_follow(start, own));
        let later = start + DUPLICATE_LATE_MAX;
        late.outcome_unknown(later, own);
        assert!(!late.may_follow(later, inherited) && late.may_follow(later, own));
        assert!(!late.may_follow(later + DUPLICATE_LATE_MAX, own));
        late.outcome_unknown(later, inherited);
        assert!(late.may_follow(later, inherited));
        late.task_done(inherited);
        assert!(!late.may_follow(later, inherited));
    }

    #[test]
    fn an_ownership_that_follows_its_own_knows_what_that_one_did() {
        let start = Instant::now();
        let mut first = duplicates(RANGE, start);
        let (unknown, in_flight, idle) = (task_of(RANGE), task_of(RANGE) + 1, task_of(RANGE) + 2);
        first.outcome_unknown(start, unknown);
        let later = start + DUPLICATE_LATE_MAX / 2;
        let mut second = duplicates(RangeId(8), later);
        second.inherit(first.bequeath(later, [in_flight].into_iter()));
        assert!(second.may_follow(later, unknown) && second.may_follow(later, in_flight));
        assert!(!second.may_follow(later, idle), "the range before was this node's own");
        let latest = start + DUPLICATE_LATE_MAX;
        assert!(!second.may_follow(latest, unknown) && second.may_follow(latest, in_flight));
        assert!(second.may_be_late(latest, &WorkflowKey::default(), &signal(), None).is_none());
    }
}
