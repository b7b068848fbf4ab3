//! User timers: started by a command, ended by firing or by cancellation.
use crate::{Decision, EventId, state::UserTimer};
use temporalio_protos::temporal::api::history::v1::TimerFiredEventAttributes;

impl Decision<'_> {
    pub(crate) fn find_timer(&self, timer_id: &str) -> Option<&UserTimer> {
        self.state.pending_timers().find(|timer| timer.timer_id == timer_id)
    }

    /// A timer whose fired event the workflow has not seen: it can still be cancelled.
    pub(crate) fn find_buffered_timer(&self, timer_id: &str) -> Option<EventId> {
        self.state
            .ephemera
            .timers_firing
            .iter()
            .filter_map(|id| self.state.durable.timers.get(id))
            .find(|timer| timer.timer_id == timer_id)
            .map(|timer| timer.started_event_id)
    }

    /// Fires in the order in which the timers were due.
    pub(crate) fn fire_timers(&mut self, mut due: Vec<UserTimer>) {
        due.sort_by_key(|timer| (timer.expiry, timer.started_event_id));
        if due.len() > 1 {
            self.probe("many_timers_fired_at_once");
        }
        for timer in due {
            let attributes =
                TimerFiredEventAttributes { timer_id: timer.timer_id, started_event_id: timer.started_event_id };
            self.event(attributes);
        }
    }
}
