//! How events change timers.
use super::UserTimer;
use crate::{
    EventId, MutableState, PartKey,
    rules::durations,
    run::events::{Applied, At},
};
use temporalio_protos::temporal::api::history::v1::{
    HistoryEvent, TimerCanceledEventAttributes, TimerFiredEventAttributes, TimerStartedEventAttributes,
    history_event::Attributes,
};

pub(crate) fn started(state: &mut MutableState, at: At<'_>, started: &TimerStartedEventAttributes) -> Applied {
    let expiry = at.time.plus(durations::value(started.start_to_fire_timeout.as_ref()));
    let timer = UserTimer { timer_id: started.timer_id.clone(), started_event_id: at.id, expiry };
    state.durable.timers.insert(at.id, timer);
    Ok(PartKey::Timer(at.id))
}

pub(crate) fn fired(state: &mut MutableState, _: At<'_>, fired: &TimerFiredEventAttributes) -> Applied {
    remove(state, fired.started_event_id)
}

pub(crate) fn canceled(state: &mut MutableState, _: At<'_>, canceled: &TimerCanceledEventAttributes) -> Applied {
    remove(state, canceled.started_event_id)
}

fn remove(state: &mut MutableState, started_event_id: EventId) -> Applied {
    let known = state.durable.timers.remove(&started_event_id);
    known.then_some(PartKey::Timer(started_event_id)).ok_or_else(|| format!("no timer {started_event_id} is running"))
}

/// The timer whose firing this event tells.
pub(crate) fn timer_fired(event: &HistoryEvent) -> Option<EventId> {
    match &event.attributes {
        Some(Attributes::TimerFiredEventAttributes(fired)) => Some(fired.started_event_id),
        _ => None,
    }
}
