//! CancelTimer.
use super::start;
use crate::{
    AuxiliaryChange,
    run::{
        commands::{BadCommand, Commands, Handled, does_not_fit},
        decision::Extras,
    },
};
use temporalio_protos::temporal::api::{
    command::v1::CancelTimerCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::TimerCanceledEventAttributes,
};

/// A timer whose firing the workflow has not seen can still be cancelled: then it never fired. This may have been
/// all the news there was, so that the run may close.
pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    command: CancelTimerCommandAttributes,
    extras: Extras,
) -> Handled {
    start::validate_id(&command.timer_id, "CancelTimerCommand", &commands.decision.context.limits)
        .map_err(|message| BadCommand::new(Cause::BadCancelTimerAttributes, message))?;
    let running = commands.decision.state.find_timer(&command.timer_id).map(|timer| timer.started_event_id);
    let started_event_id = match (running, commands.decision.state.find_buffered_timer(&command.timer_id)) {
        (Some(started_event_id), _) => started_event_id,
        (None, Some(started_event_id)) => {
            commands.decision.probe("fired-timer-cancelled-in-buffer");
            commands.decision.auxiliary(AuxiliaryChange::BufferedTimerFiredRemoved { started_event_id });
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
        workflow_task_completed_event_id: commands.completed_event_id,
        identity: commands.identity.clone(),
    };
    commands.decision.event_with(attributes, extras);
    commands.has_news &= !commands.decision.state.auxiliary.buffered.is_empty();
    Ok(())
}
