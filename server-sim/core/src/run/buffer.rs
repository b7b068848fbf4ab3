//! Events that arrive while a worker holds a workflow task wait in a buffer: the worker's commands were decided without
//! them, so they must come after. Whether a kind of event waits depends on the kind alone ([`Order`]); the buffer is written
//! to history at the end of a decision unless a workflow task is started, and before one is scheduled.
use super::{
    activity::{self, events::closed_activity},
    child,
    events::{Order, order},
    timer::events::timer_fired,
};
use crate::{
    AuxiliaryChange, CopyOnWrite, Decision, EventId, Part, PartKey, Parts,
    parts::{Keeps, Weigh},
    planted_in, wire,
};
use prost::Message;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use temporalio_protos::temporal::api::history::v1::HistoryEvent;

/// The events that wait, and what follows from them. Each is a part of the state by itself: a signal of a megabyte must
/// not be written again with each commit while a worker decides.
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    /// In the order of their arrival.
    events: Parts<BufferedEvent>,
    /// Started event ids of timers whose fired event waits.
    pub timers_firing: BTreeSet<EventId>,
    /// Scheduled event ids of activities whose closing event waits.
    pub activities_closing: BTreeSet<EventId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BufferedEvent {
    /// Its place among those that wait. They count from 1 whenever the first one comes.
    pub(crate) number: EventId,
    #[serde(with = "wire")]
    event: HistoryEvent,
}

/// As Temporal counts it.
impl Weigh for BufferedEvent {
    fn bytes(&self) -> usize {
        self.event.encoded_len()
    }
}

impl Buffer {
    pub fn iter(&self) -> impl Iterator<Item = &HistoryEvent> {
        self.events.values().map(|buffered| &buffered.event)
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// What all of them count for.
    pub(crate) fn bytes(&self) -> usize {
        self.events.bytes()
    }

    pub(crate) fn push(&mut self, event: HistoryEvent) -> PartKey {
        let number = self.events.last_key().map_or(1, |last| last + 1);
        self.put(number, BufferedEvent { number, event }.into());
        PartKey::Buffered(number)
    }

    /// Takes the event out that tells of this timer's firing; `None` if there is no such event.
    pub(crate) fn remove_timer_fired(&mut self, started_event_id: EventId) -> Option<PartKey> {
        let fires = |buffered: &&BufferedEvent| timer_fired(&buffered.event) == Some(started_event_id);
        let number = self.events.values().find(fires)?.number;
        self.events.remove(&number);
        self.timers_firing.remove(&started_event_id);
        Some(PartKey::Buffered(number))
    }

    /// Returns what was in it.
    pub(crate) fn empty(&mut self) -> Vec<PartKey> {
        std::mem::take(self).events.keys().copied().map(PartKey::Buffered).collect()
    }
}

impl Keeps<BufferedEvent> for Buffer {
    fn parts(&self) -> &Parts<BufferedEvent> {
        &self.events
    }

    fn put(&mut self, number: EventId, buffered: CopyOnWrite<BufferedEvent>) {
        self.timers_firing.extend(timer_fired(&buffered.event));
        self.activities_closing.extend(closed_activity(&buffered.event));
        self.events.insert(number, buffered);
    }
}

impl Part {
    /// The event that waits at this place.
    pub fn of_buffered(number: EventId, event: HistoryEvent) -> Self {
        Self::Buffered(BufferedEvent { number, event }.into())
    }
}

impl Decision<'_> {
    /// Writes the buffer to history. What closes an activity or a child moves behind everything else, in the order of arrival;
    /// then it learns the id of its started event.
    pub(crate) fn flush_buffer(&mut self) {
        if self.state.auxiliary.buffered.is_empty() {
            return;
        }
        if self.state.auxiliary.buffered.len() > 1 {
            self.probe("buffer-with-many-events");
        }
        let buffered: Vec<_> = self.state.auxiliary.buffered.iter().cloned().collect();
        self.auxiliary(AuxiliaryChange::BufferEmptied);
        let (closing, others): (Vec<_>, Vec<_>) = buffered.into_iter().partition(is_last);
        let mut started_ids = BTreeMap::new();
        for mut event in others.into_iter().chain(closing) {
            event.event_id = self.next_event_id();
            if !planted_in!(self.context, crate::planted::STARTED_ID_NOT_WIRED) {
                learn_started_id(&mut event, &mut started_ids);
            }
            self.append(event);
        }
    }

    /// The run ends without what it has not seen.
    pub(crate) fn drop_buffer(&mut self) {
        if !self.state.auxiliary.buffered.is_empty() {
            self.auxiliary(AuxiliaryChange::BufferEmptied);
        }
    }
}

fn is_last(event: &HistoryEvent) -> bool {
    event.attributes.as_ref().is_some_and(|attributes| order(attributes) == Order::Last)
}

fn learn_started_id(event: &mut HistoryEvent, started_ids: &mut BTreeMap<EventId, EventId>) {
    let started_child = child::events::started_child(event).map(|(initiated, _)| initiated);
    if let Some(begun) = activity::events::started_activity(event).or(started_child) {
        started_ids.insert(begun, event.event_id);
    }
    let started_id = |begun| started_ids.get(&begun).copied();
    activity::events::learn_started_id(event, started_id);
    child::events::learn_started_id(event, started_id);
}
