//! How cross-workflow calls ended here that a copy may follow. What was refused is recorded as failed by the run that asked,
//! so that a copy of the call that arrives late, when there is such a run after all or none any more, must do nothing. And
//! the run that was started, or got a signal, may be over, and another have its id, when a copy of the call arrives. What
//! came before this node had the shard is not known here: see `possible_duplicates.rs`. The other half is with the sender
//! (`cross_calls.rs`): one that may have been sent before does not believe its first refusal.
use super::cross_calls::COPY_LATE_MAX;
use super::request::Decided;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use tempest_api::WorkflowKey;
use tempest_core::{EventId, Input, RunKey, TransferTask};
use tempest_rt::time::Instant;
use tempest_store::Timeline;

/// Cross-workflow calls that a node remembers, about a kilobyte each. If more than that end in the time in which a copy may
/// come, the oldest are forgotten all the same.
const CROSS_CALLS_MAX: usize = 16_384;

/// Cross-workflow calls of one shard whose ends are not told yet.
const CROSS_CALLS_ENDING_MAX: usize = 256;

/// What was asked by which event of which run, and of whom. A failover may take that event back and give its number to
/// another: so with the timeline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CrossCall {
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

/// How a cross-workflow call ended.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    /// There is no such run, none that is open, or one already.
    Refused,
    /// It was done: the child was started, the signal or the wish to cancel is with its run.
    Done(Box<Decided>),
}

impl CrossCall {
    /// What a start, signal or cancel request of another run is; nothing if the input is none of these. What a parent's close
    /// policy asks has no event, and no run is told its outcome.
    pub fn of(timeline: Timeline, workflow: &WorkflowKey, input: &Input) -> Option<CrossCall> {
        let (kind, sender, initiated_event_id) = match input {
            Input::StartChild(child) => (Kind::StartChild, child.parent.clone(), child.initiated_event_id),
            Input::SignalByWorkflow(from, _) => (Kind::Signal, from.key(), from.initiated_event_id),
            Input::RequestCancelByWorkflow(from, _) => (Kind::Cancel, from.key(), from.initiated_event_id),
            _ => return None,
        };
        let workflow = workflow.clone();
        (initiated_event_id != 0).then_some(CrossCall { timeline, kind, sender, initiated_event_id, workflow })
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

/// The newest of them, for as long as copies may come. A node forgets them when it ends, and knows nothing of what another
/// did.
#[derive(Debug)]
pub(crate) struct CrossCallMemory {
    cross_calls_max: usize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Each with when it was noted last: copies of any call that was answered may come for so long after it.
    cross_calls: BTreeMap<CrossCall, (Instant, Ended)>,
    /// As they were noted, one that was noted again also where it was before.
    in_order: VecDeque<(Instant, CrossCall)>,
}

impl CrossCallMemory {
    /// Of all that a node did.
    pub fn of_node() -> CrossCallMemory {
        CrossCallMemory { cross_calls_max: CROSS_CALLS_MAX, known: Mutex::default() }
    }

    /// Of what one ownership is about to tell.
    pub fn of_ownership() -> CrossCallMemory {
        CrossCallMemory { cross_calls_max: CROSS_CALLS_ENDING_MAX, known: Mutex::default() }
    }

    pub fn note(&self, cross_call: CrossCall, ended: Ended) {
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.in_order.push_back((now, cross_call.clone()));
        known.cross_calls.insert(cross_call, (now, ended));
        while let Some((noted, _)) = known.in_order.front()
            && (known.in_order.len() > self.cross_calls_max || *noted + COPY_LATE_MAX < now)
        {
            let (noted, oldest) = known.in_order.pop_front().expect("there is a first");
            if known.cross_calls.get(&oldest).is_some_and(|(last, _)| *last == noted) {
                known.cross_calls.remove(&oldest);
            }
        }
    }

    /// How it ended, if that was noted.
    pub fn end_of(&self, cross_call: &CrossCall) -> Option<Ended> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cross_calls
            .get(cross_call)
            .map(|(_, ended)| ended.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_api::proto::common::v1::WorkflowExecution;
    use tempest_api::proto::workflowservice::v1 as api;
    use tempest_core::{BranchRef, OtherRun, Reply, StartChild};

    fn signal(to: &str, initiated_event_id: EventId) -> Option<CrossCall> {
        let workflow = WorkflowKey { workflow_id: to.into(), ..WorkflowKey::default() };
        let from = OtherRun { run_id: "run-1".into(), initiated_event_id, ..OtherRun::default() };
        CrossCall::of(Timeline(1), &workflow, &Input::SignalByWorkflow(from, Box::default()))
    }

    fn start(timeline: u32, initiated_event_id: EventId) -> CrossCall {
        let child = StartChild {
            namespace_id: "namespace-id".into(),
            request: api::StartWorkflowExecutionRequest::default(),
            parent: RunKey { run_id: "run-1".into(), ..RunKey::default() },
            parent_namespace: String::new(),
            initiated_event_id,
            root: WorkflowExecution::default(),
        };
        CrossCall::of(Timeline(timeline), &WorkflowKey::default(), &Input::StartChild(Box::new(child)))
            .expect("it is one")
    }

    fn knows(memory: &CrossCallMemory, cross_call: Option<CrossCall>) -> bool {
        cross_call.is_some_and(|cross_call| memory.end_of(&cross_call).is_some())
    }

    #[test]
    fn a_copy_of_what_was_in_vain_is_known_and_nothing_else() {
        let memory = CrossCallMemory::of_node();
        memory.note(signal("order", 5).expect("it is one"), Ended::Refused);
        assert!(knows(&memory, signal("order", 5)));
        assert!(!knows(&memory, signal("order", 9)), "another signal of the same run");
        assert!(!knows(&memory, signal("parcel", 5)));
        assert_eq!(signal("order", 0), None);
    }

    #[test]
    fn a_child_is_known_by_the_event_that_wanted_it_and_by_its_timeline() {
        let memory = CrossCallMemory::of_node();
        memory.note(start(1, 5), Ended::Refused);
        assert!(knows(&memory, Some(start(1, 5))) && !knows(&memory, Some(start(1, 9))));
        assert!(!knows(&memory, Some(start(2, 5))), "another event may have that number now");
    }

    #[test]
    fn a_child_that_was_started_stays_started() {
        let memory = CrossCallMemory::of_node();
        let run = RunKey { run_id: "child-1".into(), ..RunKey::default() };
        let decided = Decided { run, branch: BranchRef::default(), reply: Reply::None };
        memory.note(start(1, 5), Ended::Done(Box::new(decided)));
        let ended = memory.end_of(&start(1, 5));
        assert!(matches!(ended, Some(Ended::Done(decided)) if decided.run.run_id == "child-1".into()));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let memory = CrossCallMemory::of_ownership();
        let last = EventId::try_from(CROSS_CALLS_ENDING_MAX).expect("small") + 1;
        for id in 1..=last {
            memory.note(signal("order", id).expect("it is one"), Ended::Refused);
        }
        assert!(!knows(&memory, signal("order", 1)));
        assert!(knows(&memory, signal("order", 2)) && knows(&memory, signal("order", last)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_copy_can_follow_is_forgotten() {
        let memory = CrossCallMemory::of_node();
        let noted = |id| memory.note(signal("order", id).expect("it is one"), Ended::Refused);
        noted(1);
        noted(2);
        tokio::time::advance(COPY_LATE_MAX / 2).await;
        noted(2);
        tokio::time::advance(COPY_LATE_MAX / 2 + COPY_LATE_MAX / 4).await;
        noted(3);
        assert!(!knows(&memory, signal("order", 1)));
        assert!(knows(&memory, signal("order", 2)), "it was told once more");
        assert!(knows(&memory, signal("order", 3)));
    }
}
