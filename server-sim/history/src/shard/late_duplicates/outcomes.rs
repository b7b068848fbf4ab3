//! How calls ended here that a late duplicate may follow. What was refused is recorded as failed by the run that asked:
//! a duplicate that arrives when there is such a run after all, or none any more, must do nothing. And the run that was
//! started, or got a signal, may be over, and another have its workflow id, when a duplicate arrives.
use super::super::request::Decided;
use super::DUPLICATE_LATE_MAX;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use tempest_api::{ServiceError, WorkflowKey};
use tempest_core::{EventId, Input, RunKey, TransferTask};
use tempest_rt::time::Instant;
use tempest_store::Timeline;

/// Calls that a node remembers, about a kilobyte each. If more than that end in the time in which a duplicate may come,
/// the oldest are forgotten all the same.
const TOLD_MAX: usize = 16_384;

/// Calls of one shard whose outcomes are not told yet: as many as may wait for one proof of ownership, unless a node is
/// configured to take more.
const UNTOLD_MAX: usize = 1_024;

/// What was asked by which event of which run, and of whom. A failover may take that event back and give its number to
/// another: so with the timeline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallId {
    timeline: Timeline,
    kind: Kind,
    sender: RunKey,
    initiated_event_id: EventId,
    workflow: WorkflowKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    StartChild,
    Signal,
    Cancel,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub(crate) enum CallOutcome {
    /// There is no such run, none that is open, or one already, or it was too much for the run. A duplicate hears the same.
    Refused(ServiceError),
    /// It was done: the child was started, the signal or the wish to cancel is with its run.
    Done(Box<Decided>),
}

impl CallId {
    /// What a start, signal or cancel request of another run is; nothing if the input is none of these. What a parent's close
    /// policy asks has no event, and no run is told its outcome.
    pub fn of(timeline: Timeline, workflow: &WorkflowKey, input: &Input) -> Option<CallId> {
        let (kind, sender, initiated_event_id) = match input {
            Input::StartChild(child) => (Kind::StartChild, child.parent.clone(), child.initiated_event_id),
            Input::SignalByWorkflow(from, _) => (Kind::Signal, from.key(), from.initiated_event_id),
            Input::RequestCancelByWorkflow(from, _) => (Kind::Cancel, from.key(), from.initiated_event_id),
            _ => return None,
        };
        let workflow = workflow.clone();
        (initiated_event_id != 0).then_some(CallId { timeline, kind, sender, initiated_event_id, workflow })
    }

    /// A signal that is too much for a run has failed for its sender; a start or a cancel request is made again.
    pub fn fails_if_invalid(&self) -> bool {
        matches!(self.kind, Kind::Signal)
    }

    /// The run that asks for it, and its task that does so.
    pub fn sent_by(&self) -> (RunKey, TransferTask) {
        let initiated_event_id = self.initiated_event_id;
        let task = match self.kind {
            Kind::StartChild => TransferTask::StartChild { initiated_event_id },
            Kind::Signal => TransferTask::SignalExternal { initiated_event_id },
            Kind::Cancel => TransferTask::CancelExternal { initiated_event_id },
        };
        (self.sender.clone(), task)
    }
}

/// The newest outcomes, for as long as duplicates may come. A node forgets them when it stops, and knows nothing of what
/// another did.
#[derive(Debug)]
pub(crate) struct OutcomeMemory {
    calls_max: usize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Each with when it was noted last: duplicates of a call that was answered may come for so long after it.
    calls: BTreeMap<CallId, (Instant, CallOutcome)>,
    /// As they were noted, one that was noted again also where it was before.
    in_order: VecDeque<(Instant, CallId)>,
}

impl OutcomeMemory {
    /// Of all that a node did.
    pub fn of_node() -> OutcomeMemory {
        OutcomeMemory { calls_max: TOLD_MAX, known: Mutex::default() }
    }

    /// Of what one ownership is about to tell.
    pub fn of_ownership() -> OutcomeMemory {
        OutcomeMemory { calls_max: UNTOLD_MAX, known: Mutex::default() }
    }

    pub fn note(&self, now: Instant, call: CallId, outcome: CallOutcome) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.in_order.push_back((now, call.clone()));
        known.calls.insert(call, (now, outcome));
        while let Some((noted, _)) = known.in_order.front()
            && (known.in_order.len() > self.calls_max || *noted + DUPLICATE_LATE_MAX < now)
        {
            let (noted, oldest) = known.in_order.pop_front().expect("there is a first");
            if known.calls.get(&oldest).is_some_and(|(last, _)| *last == noted) {
                known.calls.remove(&oldest);
            }
        }
    }

    /// How it ended, if that was noted.
    pub fn outcome(&self, call: &CallId) -> Option<CallOutcome> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).calls.get(call).map(|(_, outcome)| outcome.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tempest_api::proto::common::v1::WorkflowExecution;
    use tempest_api::proto::workflowservice::v1 as api;
    use tempest_core::{BranchRef, OtherRun, Reply, StartChild};

    fn gone() -> ServiceError {
        ServiceError::NotFound("no such run".into())
    }

    fn signal(to: &str, initiated_event_id: EventId) -> Option<CallId> {
        let workflow = WorkflowKey { workflow_id: to.into(), ..WorkflowKey::default() };
        let from = OtherRun { run_id: "run-1".into(), initiated_event_id, ..OtherRun::default() };
        CallId::of(Timeline(1), &workflow, &Input::SignalByWorkflow(from, Box::default()))
    }

    fn start(timeline: u32, initiated_event_id: EventId) -> CallId {
        let child = StartChild {
            namespace_id: "namespace-id".into(),
            request: api::StartWorkflowExecutionRequest::default(),
            parent: RunKey { run_id: "run-1".into(), ..RunKey::default() },
            parent_namespace: String::new(),
            initiated_event_id,
            root: WorkflowExecution::default(),
        };
        CallId::of(Timeline(timeline), &WorkflowKey::default(), &Input::StartChild(Box::new(child))).expect("it is one")
    }

    fn knows(memory: &OutcomeMemory, call: Option<CallId>) -> bool {
        call.is_some_and(|call| memory.outcome(&call).is_some())
    }

    #[test]
    fn a_duplicate_of_what_was_refused_is_known_and_nothing_else() {
        let memory = OutcomeMemory::of_node();
        memory.note(Instant::now(), signal("order", 5).expect("it is one"), CallOutcome::Refused(gone()));
        assert!(knows(&memory, signal("order", 5)));
        assert!(!knows(&memory, signal("order", 9)), "another signal of the same run");
        assert!(!knows(&memory, signal("parcel", 5)));
        assert_eq!(signal("order", 0), None);
    }

    #[test]
    fn a_child_is_known_by_the_event_that_wanted_it_and_by_its_timeline() {
        let memory = OutcomeMemory::of_node();
        memory.note(Instant::now(), start(1, 5), CallOutcome::Refused(gone()));
        assert!(knows(&memory, Some(start(1, 5))) && !knows(&memory, Some(start(1, 9))));
        assert!(!knows(&memory, Some(start(2, 5))), "another event may have that number now");
    }

    #[test]
    fn a_child_that_was_started_stays_started() {
        let memory = OutcomeMemory::of_node();
        let run = RunKey { run_id: "child-1".into(), ..RunKey::default() };
        let decided = Decided { run, branch: BranchRef::default(), reply: Reply::None };
        memory.note(Instant::now(), start(1, 5), CallOutcome::Done(Box::new(decided)));
        let outcome = memory.outcome(&start(1, 5));
        assert!(matches!(outcome, Some(CallOutcome::Done(decided)) if decided.run.run_id == "child-1".into()));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let memory = OutcomeMemory::of_ownership();
        let last = EventId::try_from(UNTOLD_MAX).expect("small") + 1;
        for id in 1..=last {
            memory.note(Instant::now(), signal("order", id).expect("it is one"), CallOutcome::Refused(gone()));
        }
        assert!(!knows(&memory, signal("order", 1)));
        assert!(knows(&memory, signal("order", 2)) && knows(&memory, signal("order", last)));
    }

    #[test]
    fn what_no_duplicate_can_follow_is_forgotten() {
        let (memory, start) = (OutcomeMemory::of_node(), Instant::now());
        let noted = |after, id| {
            memory.note(start + after, signal("order", id).expect("it is one"), CallOutcome::Refused(gone()))
        };
        noted(Duration::ZERO, 1);
        noted(Duration::ZERO, 2);
        noted(DUPLICATE_LATE_MAX / 2, 2);
        noted(DUPLICATE_LATE_MAX / 2 + DUPLICATE_LATE_MAX / 4 * 3, 3);
        assert!(!knows(&memory, signal("order", 1)));
        assert!(knows(&memory, signal("order", 2)), "it was told once more");
        assert!(knows(&memory, signal("order", 3)));
    }
}
