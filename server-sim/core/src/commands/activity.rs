//! ScheduleActivityTask and RequestCancelActivityTask.
use super::{Commands, Handled, does_not_fit, size_of};
use crate::{decision::Extras, payloads};
use temporalio_protos::temporal::api::{
    command::v1::{RequestCancelActivityTaskCommandAttributes, ScheduleActivityTaskCommandAttributes},
    enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::{
        ActivityTaskCancelRequestedEventAttributes, ActivityTaskCanceledEventAttributes,
        ActivityTaskScheduledEventAttributes,
    },
};

/// What the workflow is told of an activity that it cancelled before a worker had it.
const ACTIVITY_ID_NOT_STARTED: &str = "ACTIVITY_ID_NOT_STARTED";

impl Commands<'_, '_> {
    pub(super) fn schedule_activity(
        &mut self,
        command: ScheduleActivityTaskCommandAttributes,
        extras: Extras,
    ) -> Handled {
        self.check_size(
            size_of(command.input.as_ref()),
            Cause::BadScheduleActivityAttributes,
            "ScheduleActivityTaskCommandAttributes.Input exceeds size limit.",
        )?;
        let limit = self.decision.context.limits.pending_activities_max;
        let pending = self.decision.state.pending_activities().count();
        self.check_count("pending activities", pending, limit, Cause::PendingActivitiesLimitExceeded)?;
        if self.decision.state.activity_by_id(&command.activity_id).is_some() {
            let details = format!("ActivityID: {}", command.activity_id);
            return Err(does_not_fit(Cause::ScheduleActivityDuplicateId, "add-activitytask-scheduled-event", &details));
        }
        let attributes = ActivityTaskScheduledEventAttributes {
            activity_id: command.activity_id,
            activity_type: command.activity_type,
            task_queue: command.task_queue,
            header: command.header,
            input: command.input,
            schedule_to_close_timeout: command.schedule_to_close_timeout,
            schedule_to_start_timeout: command.schedule_to_start_timeout,
            start_to_close_timeout: command.start_to_close_timeout,
            heartbeat_timeout: command.heartbeat_timeout,
            workflow_task_completed_event_id: self.completed_event_id,
            retry_policy: command.retry_policy,
            priority: command.priority,
            ..ActivityTaskScheduledEventAttributes::default()
        };
        self.decision.schedule_activity(attributes, extras);
        Ok(())
    }

    /// An activity that has closed while the worker decided takes no harm; one that no worker has ends here.
    pub(super) fn request_cancel_activity(
        &mut self,
        command: &RequestCancelActivityTaskCommandAttributes,
        extras: Extras,
    ) -> Handled {
        let scheduled_event_id = command.scheduled_event_id;
        let durable = &self.decision.state.durable;
        let pending = self.decision.state.pending_activity(scheduled_event_id);
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
        let cancel_requested_event_id = self.decision.next_event_id();
        let requested = ActivityTaskCancelRequestedEventAttributes {
            scheduled_event_id,
            workflow_task_completed_event_id: self.completed_event_id,
        };
        self.decision.event_with(requested, extras);
        if unstarted {
            let canceled = ActivityTaskCanceledEventAttributes {
                details: Some(payloads::text(ACTIVITY_ID_NOT_STARTED)),
                latest_cancel_requested_event_id: cancel_requested_event_id,
                scheduled_event_id,
                identity: self.identity.clone(),
                ..ActivityTaskCanceledEventAttributes::default()
            };
            self.decision.close_activity(scheduled_event_id, canceled);
            self.cancelled_unstarted_activity = true;
        }
        Ok(())
    }
}
