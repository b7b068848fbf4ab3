//! Events that decisions read. A state has no payloads: an activity's input, say, is in the event that scheduled it. Mostly
//! it is needed soon after, so a shard keeps such events for a while; one that it has let go is read again, beside it.
use super::effects::Work;
use super::owned::Owned;
use super::request::{Ask, Request};
use prost::Message;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::{ServiceResult, WorkflowKey};
use tempest_core::{BranchRef, EventId, Input, KnownEvents, RunId, TaskKind, may_be_needed};

/// The events of one ownership, staged or read: it ends if what is staged does not become durable.
pub(crate) struct RecentEvents {
    events: BTreeMap<(BranchRef, EventId), Kept>,
    /// In the order in which they came.
    came: VecDeque<(BranchRef, EventId)>,
    bytes: usize,
    bytes_max: usize,
}

struct Kept {
    event: Arc<HistoryEvent>,
    bytes: usize,
    /// The commit that brings it: until that is durable the store does not have it.
    sequence: u64,
}

/// An event that must be read before a request can be decided.
struct Missing {
    branch: BranchRef,
    event_id: EventId,
}

impl RecentEvents {
    pub fn new(bytes_max: usize) -> Self {
        Self { events: BTreeMap::new(), came: VecDeque::new(), bytes: 0, bytes_max }
    }

    fn get(&self, branch: &BranchRef, event_id: EventId) -> Option<&Kept> {
        self.events.get(&(branch.clone(), event_id))
    }

    /// Keeps those that decisions may read, of the commit `sequence`. When there is no room, those that came first leave, if
    /// they are `durable`; the last stays.
    pub fn keep(&mut self, branch: &BranchRef, events: Vec<HistoryEvent>, sequence: u64, durable: u64) {
        for event in events {
            let key = (branch.clone(), event.event_id);
            if !may_be_needed(&event) || self.events.contains_key(&key) {
                continue;
            }
            let bytes = size_of::<HistoryEvent>() + event.encoded_len();
            self.bytes += bytes;
            self.came.push_back(key.clone());
            self.events.insert(key, Kept { event: Arc::new(event), bytes, sequence });
            self.make_room(durable);
        }
    }

    /// Keeps the bound, as far as what may leave allows: of what is not durable a shard has only so much in flight.
    pub fn make_room(&mut self, durable: u64) {
        while self.bytes > self.bytes_max {
            let mut all_but_the_last = self.came.iter().take(self.came.len().saturating_sub(1));
            let Some(oldest) = all_but_the_last.position(|oldest| self.events[oldest].sequence <= durable) else {
                return;
            };
            let oldest = self.came.remove(oldest).expect("it was just found there");
            self.bytes -= self.events.remove(&oldest).map_or(0, |kept| kept.bytes);
        }
    }
}

impl Owned {
    /// The events that a decision on this request reads. Without them, the request waits until they are read.
    pub(super) fn with_events(&mut self, request: Request, run_id: Option<&RunId>) -> Option<(Request, KnownEvents)> {
        match self.known_events(&request, run_id) {
            Ok(events) => Some((request, events)),
            Err(missing) => {
                tempest_rt::probe!("history-event-read");
                let workflow = &request.target.workflow;
                self.executions.begin_load(workflow);
                let Missing { branch, event_id } = missing;
                self.begin(Work::ReadEvents { workflow: workflow.clone(), branch, event_id });
                self.executions.wait(request);
                None
            }
        }
    }

    fn known_events(&self, request: &Request, run_id: Option<&RunId>) -> Result<KnownEvents, Missing> {
        let Some(state) = self.state(&request.target.workflow, run_id) else { return Ok(KnownEvents::default()) };
        let needed = match &request.ask {
            Ask::Decide(input, ..) => state.event_needed(input),
            Ask::FireTimer(_, task) => match &task.kind {
                TaskKind::Timer(timer) => state.event_needed(&Input::FireTimer(timer.clone())),
                TaskKind::Transfer(_) => None,
            },
            Ask::SendTransfer(_, task) => match &task.kind {
                TaskKind::Transfer(transfer) => state.event_needed_to_call(transfer),
                TaskKind::Timer(_) => None,
            },
            Ask::Read(..) => None,
        };
        let Some(event_id) = needed else { return Ok(KnownEvents::default()) };
        let branch = state.branch();
        let forgotten =
            |kept: &&Kept| kept.sequence <= self.pipeline.durable() && tempest_rt::buggify!("history-event-forgotten");
        match self.recent_events.get(&branch, event_id).filter(|kept| !forgotten(kept)) {
            Some(kept) => Ok([kept.event.clone()].into_iter().collect()),
            None => Err(Missing { branch, event_id }),
        }
    }

    /// Events of a run's history were read for the first of the requests that wait: it finds them now.
    pub(super) fn events_read(
        &mut self,
        workflow: &WorkflowKey,
        branch: &BranchRef,
        events: ServiceResult<Vec<HistoryEvent>>,
    ) {
        let waited = self.executions.load_ended(workflow);
        match events {
            Ok(mut events) => {
                // The one that is needed comes first in its batch, and must be the last to leave.
                events.reverse();
                let durable = self.pipeline.durable();
                self.recent_events.keep(branch, events, durable, durable);
                waited.into_iter().for_each(|request| self.take_up(request));
            }
            Err(error) => {
                tempest_rt::probe!("history-event-read-failed");
                tracing::warn!(%error, workflow = %workflow.workflow_id, "an event could not be read");
                self.turn_waiting_back(waited, &error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_api::proto::common::v1::{Payload, Payloads};
    use tempest_api::proto::history::v1::{ActivityTaskScheduledEventAttributes, TimerStartedEventAttributes};

    const ROOM: usize = 3 * (size_of::<HistoryEvent>() + 1000);

    fn scheduled(event_id: EventId, bytes: usize) -> HistoryEvent {
        let payload = Payload { data: vec![7; bytes], ..Payload::default() };
        let input = Some(Payloads { payloads: vec![payload] });
        let attributes = ActivityTaskScheduledEventAttributes { input, ..Default::default() };
        HistoryEvent { event_id, attributes: Some(attributes.into()), ..HistoryEvent::default() }
    }

    fn kept(events: &RecentEvents) -> Vec<EventId> {
        let total: usize = events.events.values().map(|kept| kept.bytes).sum();
        assert_eq!((total, events.came.len()), (events.bytes, events.events.len()));
        events.events.keys().map(|(_, id)| *id).collect()
    }

    #[test]
    fn the_oldest_durable_events_leave_first_and_the_last_stays() {
        let branch = BranchRef::default();
        let mut events = RecentEvents::new(ROOM);
        events.keep(&branch, vec![scheduled(5, 900), scheduled(6, 900)], 1, 0);
        events.keep(&branch, vec![scheduled(7, 900), scheduled(8, 900)], 2, 0);
        assert_eq!(kept(&events), [5, 6, 7, 8], "the store does not have them yet");
        events.keep(&branch, vec![scheduled(9, 900)], 3, 1);
        assert_eq!(kept(&events), [7, 8, 9]);
        events.keep(&branch, vec![scheduled(10, 1 << 20)], 4, 3);
        assert_eq!(kept(&events), [10], "one that is too large stays until the next comes");
        assert!(events.get(&branch, 10).is_some() && events.get(&branch, 9).is_none());
    }

    #[test]
    fn an_event_is_kept_once_and_only_if_decisions_read_it() {
        let mut events = RecentEvents::new(ROOM);
        let timer = Some(TimerStartedEventAttributes::default().into());
        let timer = HistoryEvent { event_id: 4, attributes: timer, ..HistoryEvent::default() };
        events.keep(&BranchRef::default(), vec![timer, scheduled(5, 10), scheduled(5, 10)], 1, 1);
        assert_eq!(kept(&events), [5]);
    }
}
