//! Timers fire: all that are due, in the order in which they were.
use super::UserTimer;
use crate::{Decision, EventId, TimerKind, planted_in};
use temporalio_protos::temporal::api::history::v1::TimerFiredEventAttributes;

pub(crate) fn fire(decision: &mut Decision<'_>, started_event_id: EventId) {
    let now = decision.now();
    let early = planted_in!(decision.context, crate::planted::TIMER_FIRES_EARLY);
    let due: Vec<_> = decision.state.pending_timers().filter(|timer| timer.expiry <= now || early).cloned().collect();
    if due.is_empty() {
        let own = decision.state.pending_timers().find(|timer| timer.started_event_id == started_event_id);
        if let Some(expiry) = own.map(|timer| timer.expiry) {
            decision.timer(expiry, TimerKind::UserTimer { started_event_id });
        }
        return;
    }
    decision.fire_timers(due);
    decision.schedule_workflow_task();
}

impl Decision<'_> {
    /// Fires in the order in which the timers were due.
    fn fire_timers(&mut self, mut due: Vec<UserTimer>) {
        due.sort_by_key(|timer| (timer.expiry, timer.started_event_id));
        if due.len() > 1 {
            self.probe("many-timers-fired-at-once");
        }
        for timer in due {
            let attributes =
                TimerFiredEventAttributes { timer_id: timer.timer_id, started_event_id: timer.started_event_id };
            self.event(attributes);
        }
    }
}
