//! StartTimer and CancelTimer.
use super::{Commands, Handled, does_not_fit};
use crate::{
    EphemeralChange, TimerKind,
    decision::Extras,
    rules::{durations, validate_command::BadCommand},
};
use temporalio_protos::temporal::api::{
    command::v1::{CancelTimerCommandAttributes, StartTimerCommandAttributes},
    enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::{TimerCanceledEventAttributes, TimerStartedEventAttributes},
};

impl Commands<'_, '_> {
    pub(super) fn start_timer(&mut self, command: StartTimerCommandAttributes, extras: Extras) -> Handled {
        if self.decision.find_timer(&command.timer_id).is_some() {
            let details = format!("TimerID: {}", command.timer_id);
            return Err(does_not_fit(Cause::StartTimerDuplicateId, "add-timer-started-event", &details));
        }
        let limit = self.decision.context.limits.pending_timers_max;
        if self.decision.state.pending_timers().count() >= limit {
            let message = format!("the number of pending timers has reached the per-workflow limit of {limit}");
            return Err(BadCommand::new(Cause::BadStartTimerAttributes, message).into());
        }
        let started_event_id = self.decision.next_event_id();
        let expiry = self.decision.now().plus(durations::value(command.start_to_fire_timeout.as_ref()));
        let attributes = TimerStartedEventAttributes {
            timer_id: command.timer_id,
            start_to_fire_timeout: command.start_to_fire_timeout,
            workflow_task_completed_event_id: self.completed_event_id,
        };
        self.decision.event_with(attributes, extras);
        self.decision.timer(expiry, TimerKind::UserTimer { started_event_id });
        Ok(())
    }

    /// A timer whose firing the workflow has not seen can still be cancelled: then it never fired. This may have been
    /// all the news there was, so that the run may close.
    pub(super) fn cancel_timer(&mut self, command: CancelTimerCommandAttributes, extras: Extras) -> Handled {
        let running = self.decision.find_timer(&command.timer_id).map(|timer| timer.started_event_id);
        let started_event_id = match (running, self.decision.find_buffered_timer(&command.timer_id)) {
            (Some(started_event_id), _) => started_event_id,
            (None, Some(started_event_id)) => {
                self.decision.probe("fired_timer_cancelled_in_buffer");
                self.decision.ephemeral(EphemeralChange::BufferedTimerFiredRemoved { started_event_id });
                started_event_id
            }
            (None, None) => {
                let details = format!("TimerID: {}", command.timer_id);
                return Err(does_not_fit(Cause::BadCancelTimerAttributes, "add-timer-canceled-event", &details));
            }
        };
        let attributes = TimerCanceledEventAttributes {
            timer_id: command.timer_id,
            started_event_id,
            workflow_task_completed_event_id: self.completed_event_id,
            identity: self.identity.clone(),
        };
        self.decision.event_with(attributes, extras);
        self.has_news &= !self.decision.state.ephemera.buffered.is_empty();
        Ok(())
    }
}
