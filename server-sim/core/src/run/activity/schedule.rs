//! ScheduleActivityTask.
use super::timeouts;
use crate::{
    Limits,
    rules::{priority, retry_policy, task_queue},
    run::{
        commands::{BadCommand, Commands, Handled, RunFacts, does_not_fit, size_of},
        decision::Extras,
    },
};
use temporalio_protos::temporal::api::{
    command::v1::ScheduleActivityTaskCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::ActivityTaskScheduledEventAttributes,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    mut command: ScheduleActivityTaskCommandAttributes,
    extras: Extras,
) -> Handled {
    validate(&mut command, &commands.facts(), &commands.decision.context.limits)?;
    commands.check_size(
        size_of(command.input.as_ref()),
        Cause::BadScheduleActivityAttributes,
        "ScheduleActivityTaskCommandAttributes.Input exceeds size limit.",
    )?;
    let limit = commands.decision.context.limits.pending_activities_max;
    let pending = commands.decision.state.pending_activities().count();
    commands.check_count("pending activities", pending, limit, Cause::PendingActivitiesLimitExceeded)?;
    if commands.decision.state.activity_by_id(&command.activity_id).is_some() {
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
        workflow_task_completed_event_id: commands.completed_event_id,
        retry_policy: command.retry_policy,
        priority: command.priority,
        ..ActivityTaskScheduledEventAttributes::default()
    };
    commands.decision.schedule_activity(attributes, extras);
    Ok(())
}

fn validate(
    attributes: &mut ScheduleActivityTaskCommandAttributes,
    run: &RunFacts<'_>,
    limits: &Limits,
) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(Cause::BadScheduleActivityAttributes, message);
    task_queue::normalize(attributes.task_queue.as_mut(), None, Some(run.task_queue), limits.id_bytes_max)
        .map_err(bad)?;
    let activity_type = attributes.activity_type.as_ref().map_or("", |activity_type| &activity_type.name);
    if attributes.activity_id.is_empty() {
        return Err(bad("activityId is not set".into()));
    }
    if activity_type.is_empty() {
        return Err(bad("activityType is not set".into()));
    }
    // A missing policy is an empty one: every activity of a workflow is retried unless its policy says otherwise.
    let policy = attributes.retry_policy.get_or_insert_default();
    retry_policy::fill_defaults(policy);
    retry_policy::validate(policy).map_err(bad)?;
    for (name, length) in [("activityId", attributes.activity_id.len()), ("activityType", activity_type.len())] {
        if length > limits.id_bytes_max {
            return Err(bad(format!("{name} exceeds length limit. Length={length} Limit={}", limits.id_bytes_max)));
        }
    }
    priority::validate(attributes.priority.as_ref()).map_err(|error| bad(format!("invalid priorities: {error}")))?;
    timeouts::normalize(attributes, run.run_timeout).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::commands::testing;
    use temporalio_protos::temporal::api::{
        common::v1::{ActivityType, Priority, RetryPolicy},
        enums::v1::TaskQueueKind,
        taskqueue::v1::TaskQueue,
    };

    fn charge() -> ScheduleActivityTaskCommandAttributes {
        ScheduleActivityTaskCommandAttributes {
            activity_id: "charge-1".into(),
            activity_type: Some(ActivityType { name: "Charge".into() }),
            task_queue: Some(TaskQueue { name: "payments".into(), ..Default::default() }),
            start_to_close_timeout: Some(prost_wkt_types::Duration { seconds: 5, nanos: 0 }),
            ..Default::default()
        }
    }

    fn check(mut input: ScheduleActivityTaskCommandAttributes, expect: Result<(), &str>) {
        testing::check(
            Cause::BadScheduleActivityAttributes,
            validate(&mut input, &testing::run(), &Limits::default()),
            expect,
        );
    }

    #[test]
    fn defaults_are_filled_in() {
        let mut attributes = charge();
        validate(&mut attributes, &testing::run(), &Limits::default()).unwrap();
        assert_eq!(attributes.task_queue.unwrap().kind(), TaskQueueKind::Normal);
        assert_eq!(attributes.retry_policy.unwrap().backoff_coefficient, 2.0);
        assert!(attributes.schedule_to_close_timeout.is_some());
    }

    #[test]
    fn what_is_missing_or_too_long_is_named() {
        check(charge(), Ok(()));
        check(ScheduleActivityTaskCommandAttributes { task_queue: None, ..charge() }, Err("taskQueue is not set"));
        check(
            ScheduleActivityTaskCommandAttributes { task_queue: Some(TaskQueue::default()), ..charge() },
            Err("missing task queue name"),
        );
        check(
            ScheduleActivityTaskCommandAttributes { activity_id: String::new(), ..charge() },
            Err("activityId is not set"),
        );
        check(
            ScheduleActivityTaskCommandAttributes { activity_type: None, ..charge() },
            Err("activityType is not set"),
        );
        check(
            ScheduleActivityTaskCommandAttributes { activity_id: "i".repeat(1001), ..charge() },
            Err("activityId exceeds length limit. Length=1001 Limit=1000"),
        );
        check(
            ScheduleActivityTaskCommandAttributes {
                activity_type: Some(ActivityType { name: "t".repeat(1001) }),
                ..charge()
            },
            Err("activityType exceeds length limit. Length=1001 Limit=1000"),
        );
        check(
            ScheduleActivityTaskCommandAttributes { start_to_close_timeout: None, ..charge() },
            Err("a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. \
                 ActivityId=charge-1 ActivityType=Charge"),
        );
        let negative = RetryPolicy { maximum_attempts: -1, ..Default::default() };
        check(
            ScheduleActivityTaskCommandAttributes { retry_policy: Some(negative), ..charge() },
            Err("MaximumAttempts cannot be negative on retry policy."),
        );
        let priority = Priority { priority_key: -1, ..Default::default() };
        check(
            ScheduleActivityTaskCommandAttributes { priority: Some(priority), ..charge() },
            Err("invalid priorities: priority key can't be negative"),
        );
    }
}
