//! ScheduleActivityTask and RequestCancelActivityTask.
use super::{BadCommand, RunFacts, not_set};
use crate::{
    Limits,
    rules::{activity_timeouts, priority, retry_policy, task_queue},
};
use temporalio_protos::temporal::api::{
    command::v1::{RequestCancelActivityTaskCommandAttributes, ScheduleActivityTaskCommandAttributes},
    enums::v1::WorkflowTaskFailedCause,
};

pub(super) fn schedule(
    attributes: Option<&mut ScheduleActivityTaskCommandAttributes>,
    run: &RunFacts<'_>,
    limits: &Limits,
) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(WorkflowTaskFailedCause::BadScheduleActivityAttributes, message);
    let Some(attributes) = attributes else { return Err(bad(not_set("ScheduleActivityTaskCommand"))) };
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
    activity_timeouts::normalize(attributes, run.run_timeout).map_err(bad)
}

pub(super) fn request_cancel(
    attributes: Option<&RequestCancelActivityTaskCommandAttributes>,
) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(WorkflowTaskFailedCause::BadRequestCancelActivityAttributes, message);
    match attributes {
        None => Err(bad(not_set("RequestCancelActivityTaskCommand"))),
        Some(attributes) if attributes.scheduled_event_id <= 0 => {
            Err(bad("ScheduledEventId is not set on RequestCancelActivityTaskCommand.".into()))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};
    use temporalio_protos::temporal::api::{
        command::v1::command::Attributes,
        common::v1::{ActivityType, Priority, RetryPolicy},
        enums::v1::{CommandType, TaskQueueKind},
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

    fn check(input: ScheduleActivityTaskCommandAttributes, expect: Result<(), &str>) {
        let expect = expect.map_err(|text| format!("BadScheduleActivityAttributes: {text}"));
        let attributes = Attributes::ScheduleActivityTaskCommandAttributes(input);
        testing::check(
            CommandType::ScheduleActivityTask,
            Some(attributes),
            expect.as_ref().map_err(String::as_str).copied(),
        );
    }

    #[test]
    fn defaults_are_filled_in() {
        let attributes = Attributes::ScheduleActivityTaskCommandAttributes(charge());
        let command = testing::check(CommandType::ScheduleActivityTask, Some(attributes), Ok(()));
        let Some(Attributes::ScheduleActivityTaskCommandAttributes(attributes)) = command.attributes else {
            panic!("the attributes stay")
        };
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

    #[test]
    fn a_cancel_request_names_its_activity() {
        let check = |scheduled_event_id, expect| {
            let attributes = RequestCancelActivityTaskCommandAttributes { scheduled_event_id };
            let attributes = Attributes::RequestCancelActivityTaskCommandAttributes(attributes);
            testing::check(CommandType::RequestCancelActivityTask, Some(attributes), expect);
        };
        check(5, Ok(()));
        check(
            0,
            Err("BadRequestCancelActivityAttributes: \
                 ScheduledEventId is not set on RequestCancelActivityTaskCommand."),
        );
    }
}
