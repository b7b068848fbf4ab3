//! What a run knows of a timer.
use crate::{EventId, MutableState, Time};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserTimer {
    pub timer_id: String,
    pub started_event_id: EventId,
    pub expiry: Time,
}

impl MutableState {
    pub(crate) fn pending_timers(&self) -> impl Iterator<Item = &UserTimer> {
        self.durable
            .timers
            .values()
            .filter(|timer| !self.auxiliary.buffered.timers_firing.contains(&timer.started_event_id))
    }

    pub(crate) fn find_timer(&self, timer_id: &str) -> Option<&UserTimer> {
        self.pending_timers().find(|timer| timer.timer_id == timer_id)
    }

    /// A timer whose fired event the workflow has not seen: it can still be cancelled.
    pub(crate) fn find_buffered_timer(&self, timer_id: &str) -> Option<EventId> {
        let firing = self.auxiliary.buffered.timers_firing.iter().filter_map(|id| self.durable.timers.get(id));
        firing.filter(|timer| timer.timer_id == timer_id).map(|timer| timer.started_event_id).next()
    }
}
