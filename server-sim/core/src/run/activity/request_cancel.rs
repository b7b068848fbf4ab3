//! RequestCancelActivityTask.
use crate::{
    rules::payloads,
    run::{
        commands::{BadCommand, Commands, Handled, does_not_fit},
        decision::Extras,
    },
};
use temporalio_protos::temporal::api::{
    command::v1::RequestCancelActivityTaskCommandAttributes,
    enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::{ActivityTaskCancelRequestedEventAttributes, ActivityTaskCanceledEventAttributes},
};

/// What the workflow is told of an activity that it cancelled before a worker had it.
const ACTIVITY_ID_NOT_STARTED: &str = "ACTIVITY_ID_NOT_STARTED";

/// An activity that has closed while the worker decided stays as it is; one that no worker has ends here.
pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    command: RequestCancelActivityTaskCommandAttributes,
    extras: Extras,
) -> Handled {
    validate(&command)?;
    let scheduled_event_id = command.scheduled_event_id;
    let durable = &commands.decision.state.durable;
    let pending = commands.decision.state.pending_activity(scheduled_event_id);
    let already_requested = pending.is_some_and(|(activity, _)| activity.cancel_is_requested());
    let unstarted = pending.is_some_and(|(_, progress)| progress.started.is_none());
    if !durable.activities.contains_key(&scheduled_event_id) || already_requested {
        let details = format!("ScheduledEventID: {scheduled_event_id}");
        return Err(does_not_fit(
            Cause::BadRequestCancelActivityAttributes,
            "add-activitytask-cancel-requested-event",
            &details,
        ));
    }
    let cancel_requested_event_id = commands.decision.next_event_id();
    let requested = ActivityTaskCancelRequestedEventAttributes {
        scheduled_event_id,
        workflow_task_completed_event_id: commands.completed_event_id,
    };
    commands.decision.event_with(requested, extras);
    if unstarted {
        let canceled = ActivityTaskCanceledEventAttributes {
            details: Some(payloads::text(ACTIVITY_ID_NOT_STARTED)),
            latest_cancel_requested_event_id: cancel_requested_event_id,
            scheduled_event_id,
            identity: commands.identity.clone(),
            ..ActivityTaskCanceledEventAttributes::default()
        };
        commands.decision.close_activity(scheduled_event_id, canceled);
        commands.cancelled_unstarted_activity = true;
    }
    Ok(())
}

fn validate(command: &RequestCancelActivityTaskCommandAttributes) -> Result<(), BadCommand> {
    if command.scheduled_event_id > 0 {
        return Ok(());
    }
    let message = "ScheduledEventId is not set on RequestCancelActivityTaskCommand.";
    Err(BadCommand::new(Cause::BadRequestCancelActivityAttributes, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::commands::testing;

    #[test]
    fn a_cancel_request_names_its_activity() {
        let check = |scheduled_event_id, expect| {
            testing::check(
                Cause::BadRequestCancelActivityAttributes,
                validate(&RequestCancelActivityTaskCommandAttributes { scheduled_event_id }),
                expect,
            );
        };
        check(5, Ok(()));
        check(0, Err("ScheduledEventId is not set on RequestCancelActivityTaskCommand."));
    }
}
