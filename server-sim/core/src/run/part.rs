//! The parts of a run as values of their own: a store keeps them beside the run's row, once there is much of them.
use super::{
    Activity, ActivityProgress, BufferedEvent, Child, ExternalCancel, ExternalSignal, SignalRequests, UserTimer,
};
use crate::{CopyOnWrite, EventId, MutableState, PartKey};
use serde::{Deserialize, Serialize};

/// Parts come back into their run's row only when they have become so much less than would make them leave it, or a run at
/// the border would move them with each step.
const BACK_IN_ROW: usize = 4;

/// A pending thing, all that is known of it. It shares with its state what neither has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Part {
    Activity(CopyOnWrite<Activity>, CopyOnWrite<ActivityProgress>),
    Timer(CopyOnWrite<UserTimer>),
    Child(CopyOnWrite<Child>),
    Signal(CopyOnWrite<ExternalSignal>),
    Cancel(CopyOnWrite<ExternalCancel>),
    SignalRequests(EventId, CopyOnWrite<SignalRequests>),
    Buffered(CopyOnWrite<BufferedEvent>),
}

impl Part {
    pub fn key(&self) -> PartKey {
        match self {
            Self::Activity(activity, _) => PartKey::Activity(activity.scheduled_event_id),
            Self::Timer(timer) => PartKey::Timer(timer.started_event_id),
            Self::Child(child) => PartKey::Child(child.initiated_event_id),
            Self::Signal(signal) => PartKey::Signal(signal.initiated_event_id),
            Self::Cancel(cancel) => PartKey::Cancel(cancel.initiated_event_id),
            Self::SignalRequests(bucket, _) => PartKey::SignalRequests(*bucket),
            Self::Buffered(event) => PartKey::Buffered(event.number),
        }
    }
}

impl MutableState {
    /// Whether each part has a row of its own; else the run's row holds them all.
    pub fn parts_are_apart(&self) -> bool {
        self.parts_apart
    }

    /// A part by itself; `None` if there is no such thing (any more), and for the run's own row.
    pub fn part(&self, key: PartKey) -> Option<Part> {
        let durable = &self.durable;
        Some(match key {
            PartKey::Run => return None,
            PartKey::Activity(id) => {
                let progress = self.auxiliary.activities.shared(&id)?;
                Part::Activity(durable.activities.shared(&id)?.clone(), progress.clone())
            }
            PartKey::Timer(id) => Part::Timer(durable.timers.shared(&id)?.clone()),
            PartKey::Child(id) => Part::Child(durable.children.shared(&id)?.clone()),
            PartKey::Signal(id) => Part::Signal(durable.signals.shared(&id)?.clone()),
            PartKey::Cancel(id) => Part::Cancel(durable.cancels.shared(&id)?.clone()),
            PartKey::SignalRequests(bucket) => {
                let ids = self.auxiliary.signal_request_ids.parts().shared(&bucket)?;
                Part::SignalRequests(bucket, ids.clone())
            }
            PartKey::Buffered(number) => Part::Buffered(self.auxiliary.buffered.parts().shared(&number)?.clone()),
        })
    }

    pub fn part_count(&self) -> usize {
        let durable = &self.durable;
        let external = durable.signals.len() + durable.cancels.len();
        let signals = self.auxiliary.signal_request_ids.parts().len();
        let others = durable.activities.len() + durable.timers.len() + durable.children.len();
        others + external + signals + self.auxiliary.buffered.len()
    }

    /// All of them, in the order of their keys.
    pub fn part_keys(&self) -> impl Iterator<Item = PartKey> {
        let durable = &self.durable;
        let of = |ids: Vec<EventId>, key: fn(EventId) -> PartKey| ids.into_iter().map(key);
        let activities = of(durable.activities.keys().copied().collect(), PartKey::Activity);
        let timers = of(durable.timers.keys().copied().collect(), PartKey::Timer);
        let children = of(durable.children.keys().copied().collect(), PartKey::Child);
        let signals = of(durable.signals.keys().copied().collect(), PartKey::Signal);
        let cancels = of(durable.cancels.keys().copied().collect(), PartKey::Cancel);
        let seen = self.auxiliary.signal_request_ids.parts().keys().copied().collect();
        let seen = of(seen, PartKey::SignalRequests);
        let buffered = self.auxiliary.buffered.parts().keys().copied().collect();
        let buffered = of(buffered, PartKey::Buffered);
        activities.chain(timers).chain(children).chain(signals).chain(cancels).chain(seen).chain(buffered)
    }

    /// Puts a part back that was stored by itself: what serde reads of a state is without its parts.
    pub fn restore(&mut self, part: Part) {
        let durable = &mut self.durable;
        match part {
            Part::Activity(activity, progress) => {
                let id = activity.scheduled_event_id;
                durable.activities.insert(id, activity);
                self.auxiliary.activities.insert(id, progress);
            }
            Part::Timer(timer) => durable.timers.insert(timer.started_event_id, timer),
            Part::Child(child) => durable.children.insert(child.initiated_event_id, child),
            Part::Signal(signal) => durable.signals.insert(signal.initiated_event_id, signal),
            Part::Cancel(cancel) => durable.cancels.insert(cancel.initiated_event_id, cancel),
            Part::SignalRequests(bucket, ids) => self.auxiliary.signal_request_ids.restore(bucket, ids),
            Part::Buffered(event) => self.auxiliary.buffered.put(event.number, event),
        }
    }

    /// What the parts count for against the limits; the rest is the row's.
    pub(crate) fn parts_bytes(&self) -> usize {
        let durable = &self.durable;
        let activities = durable.activities.bytes() + self.auxiliary.activities.bytes();
        activities
            + durable.timers.bytes()
            + durable.children.bytes()
            + durable.signals.bytes()
            + durable.cancels.bytes()
            + self.auxiliary.signal_request_ids.parts().bytes()
            + self.auxiliary.buffered.parts().bytes()
    }

    /// Decides where the parts are stored from now on. True if that is not where they were.
    pub(crate) fn place_parts(&mut self, in_row_bytes_max: usize) -> bool {
        let max = if self.parts_apart { in_row_bytes_max / BACK_IN_ROW } else { in_row_bytes_max };
        let moves = self.parts_apart != (self.parts_bytes() > max);
        self.parts_apart ^= moves;
        moves
    }
}
