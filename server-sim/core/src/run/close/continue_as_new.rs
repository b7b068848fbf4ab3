//! ContinueAsNewWorkflowExecution: what the command leaves open, the next run inherits.
use crate::{
    Limits,
    rules::{durations, retry_policy, search_attributes, start_request, task_queue},
    run::{
        commands::{BadCommand, Commands, Handled, RunFacts, check_search_attributes_size, size_of},
        decision::Extras,
        start::successor::Successor,
    },
};
use temporalio_protos::temporal::api::{
    command::v1::ContinueAsNewWorkflowExecutionCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::WorkflowExecutionContinuedAsNewEventAttributes, taskqueue::v1::TaskQueue,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    mut command: ContinueAsNewWorkflowExecutionCommandAttributes,
    extras: Extras,
) -> Handled {
    validate(&mut command, &commands.facts(), &commands.decision.context.limits)?;
    let cause = Cause::BadContinueAsNewAttributes;
    commands.check_size(
        size_of(command.input.as_ref()),
        cause,
        "ContinueAsNewWorkflowExecutionCommandAttributes. Input exceeds size limit.",
    )?;
    commands.check_size(
        size_of(command.memo.as_ref()),
        cause,
        "ContinueAsNewWorkflowExecutionCommandAttributes. Memo exceeds size limit.",
    )?;
    check_search_attributes_size(command.search_attributes.as_ref(), cause)?;
    #[allow(deprecated, reason = "the event carries the failure for older readers")]
    let attributes = WorkflowExecutionContinuedAsNewEventAttributes {
        new_execution_run_id: commands.decision.new_run_id(),
        workflow_type: command.workflow_type.clone(),
        task_queue: command.task_queue.clone(),
        input: command.input.clone(),
        workflow_run_timeout: command.workflow_run_timeout,
        workflow_task_timeout: command.workflow_task_timeout,
        workflow_task_completed_event_id: commands.completed_event_id,
        backoff_start_interval: command.backoff_start_interval,
        initiator: command.initiator,
        failure: command.failure.clone(),
        last_completion_result: command.last_completion_result.clone(),
        header: command.header.clone(),
        memo: command.memo.clone(),
        search_attributes: command.search_attributes.clone(),
        ..WorkflowExecutionContinuedAsNewEventAttributes::default()
    };
    commands.decision.close_run(attributes, extras);
    commands.decision.open_successor(Successor::ContinuedAsNew(Box::new(command)));
    Ok(())
}

fn validate(
    attributes: &mut ContinueAsNewWorkflowExecutionCommandAttributes,
    run: &RunFacts<'_>,
    limits: &Limits,
) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(Cause::BadContinueAsNewAttributes, message);
    let workflow_type = attributes.workflow_type.get_or_insert_default();
    if workflow_type.name.is_empty() {
        workflow_type.name = run.workflow_type.to_owned();
    }
    let name = workflow_type.name.clone();
    if name.len() > limits.id_bytes_max {
        return Err(bad(format!(
            "WorkflowType on ContinueAsNewWorkflowExecutionCommand exceeds length limit. \
             WorkflowType={name} Length={} Limit={}",
            name.len(),
            limits.id_bytes_max
        )));
    }
    let queue = attributes.task_queue.get_or_insert_default();
    let normalized =
        task_queue::normalize(Some(&mut *queue), Some(run.task_queue), Some(run.task_queue), limits.id_bytes_max);
    let place = format!("WorkflowType={name} TaskQueue={}", spelt(queue));
    normalized.map_err(|error| {
        bad(format!("error validating ContinueAsNewWorkflowExecutionCommand TaskQueue: {error}. {place}"))
    })?;
    for (duration, field) in [
        (&mut attributes.workflow_run_timeout, "WorkflowRunTimeout"),
        (&mut attributes.workflow_task_timeout, "WorkflowTaskTimeout"),
        (&mut attributes.backoff_start_interval, "BackoffStartInterval"),
    ] {
        durations::validate_and_cap(duration.as_mut()).map_err(|error| {
            bad(format!("Invalid {field} on ContinueAsNewWorkflowExecutionCommand: {error}. {place}"))
        })?;
    }
    inherit_timeouts(attributes, run, limits);
    if let Some(policy) = &mut attributes.retry_policy {
        retry_policy::fill_defaults(policy);
        retry_policy::validate(policy).map_err(|error| {
            bad(format!("invalid WorkflowRetryPolicy on ContinueAsNewWorkflowExecutionCommand: {error}. {place}"))
        })?;
    }
    search_attributes::validate(attributes.search_attributes.as_ref())
        .map_err(|error| format!("invalid SearchAttributes on ContinueAsNewWorkflowExecutionCommand: {error}. {place}"))
        .map_err(|error| BadCommand::new(Cause::BadSearchAttributes, error))?;
    if !attributes.cron_schedule.is_empty() {
        // Refused rather than run once: the workflow counts on the next run.
        return Err(bad("Cron schedules are not supported yet.".into()));
    }
    Ok(())
}

fn inherit_timeouts(
    attributes: &mut ContinueAsNewWorkflowExecutionCommandAttributes,
    run: &RunFacts<'_>,
    limits: &Limits,
) {
    let mut run_timeout = durations::value(attributes.workflow_run_timeout.as_ref());
    if run_timeout.is_zero() {
        run_timeout = run.run_timeout;
    }
    let mut task_timeout = durations::value(attributes.workflow_task_timeout.as_ref());
    if task_timeout.is_zero() {
        task_timeout = run.workflow_task_timeout;
    }
    let run_timeout = start_request::run_timeout(run_timeout, run.execution_timeout);
    let task_timeout = start_request::workflow_task_timeout(task_timeout, run_timeout, limits);
    attributes.workflow_run_timeout = Some(durations::to_wire(run_timeout));
    attributes.workflow_task_timeout = Some(durations::to_wire(task_timeout));
}

/// A queue as Go prints the message.
fn spelt(queue: &TaskQueue) -> String {
    format!("name:{:?} kind:{}", queue.name, queue.kind().as_str_name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::commands::testing;
    use std::time::Duration;
    use temporalio_protos::temporal::api::common::v1::{Payload, RetryPolicy, SearchAttributes, WorkflowType};

    type Command = ContinueAsNewWorkflowExecutionCommandAttributes;

    fn seconds(seconds: i64) -> Option<prost_wkt_types::Duration> {
        Some(prost_wkt_types::Duration { seconds, nanos: 0 })
    }

    #[test]
    fn bad_attributes_are_named() {
        let check = |mut input: Command, expect: Result<(), &str>| {
            testing::check(
                Cause::BadContinueAsNewAttributes,
                validate(&mut input, &testing::run(), &Limits::default()),
                expect,
            );
        };
        let place = "WorkflowType=OrderSaga TaskQueue=name:\"orders\" kind:TASK_QUEUE_KIND_NORMAL";
        check(Command::default(), Ok(()));
        check(
            Command { workflow_run_timeout: seconds(-1), ..Default::default() },
            Err(&format!(
                "Invalid WorkflowRunTimeout on ContinueAsNewWorkflowExecutionCommand: negative duration. {place}"
            )),
        );
        check(
            Command { backoff_start_interval: seconds(-1), ..Default::default() },
            Err(&format!(
                "Invalid BackoffStartInterval on ContinueAsNewWorkflowExecutionCommand: negative duration. {place}"
            )),
        );
        let policy = RetryPolicy { backoff_coefficient: 0.1, ..Default::default() };
        check(
            Command { retry_policy: Some(policy), ..Default::default() },
            Err(&format!(
                "invalid WorkflowRetryPolicy on ContinueAsNewWorkflowExecutionCommand: \
                 BackoffCoefficient cannot be less than 1 on retry policy.. {place}"
            )),
        );
        check(
            Command { cron_schedule: "@daily".into(), ..Default::default() },
            Err("Cron schedules are not supported yet."),
        );
        let long = "t".repeat(1001);
        check(
            Command { workflow_type: Some(WorkflowType { name: long.clone() }), ..Default::default() },
            Err(&format!(
                "WorkflowType on ContinueAsNewWorkflowExecutionCommand exceeds length limit. \
                 WorkflowType={long} Length=1001 Limit=1000"
            )),
        );
    }

    #[test]
    fn attributes_of_the_system_are_not_the_workflows_to_set() {
        let indexed_fields = [("RunId".to_owned(), Payload::default())].into();
        let mut input = Command { search_attributes: Some(SearchAttributes { indexed_fields }), ..Default::default() };
        let expect = "invalid SearchAttributes on ContinueAsNewWorkflowExecutionCommand: RunId attribute can't be set in \
                      SearchAttributes. WorkflowType=OrderSaga TaskQueue=name:\"orders\" kind:TASK_QUEUE_KIND_NORMAL";
        let result = validate(&mut input, &testing::run(), &Limits::default());
        testing::check(Cause::BadSearchAttributes, result, Err(expect));
    }

    #[test]
    fn what_is_left_open_is_inherited() {
        /// Run timeout, workflow task timeout.
        type Timeouts = (i64, i64);
        let check = |input: Timeouts, execution: u64, run: u64, expect: Timeouts| {
            let facts = RunFacts {
                execution_timeout: Duration::from_secs(execution),
                run_timeout: Duration::from_secs(run),
                ..testing::run()
            };
            let mut attributes = Command {
                workflow_run_timeout: seconds(input.0),
                workflow_task_timeout: seconds(input.1),
                ..Default::default()
            };
            validate(&mut attributes, &facts, &Limits::default()).unwrap();
            assert_eq!(attributes.workflow_type.unwrap().name, "OrderSaga");
            assert_eq!(attributes.task_queue.unwrap().name, "orders");
            assert_eq!(
                (attributes.workflow_run_timeout, attributes.workflow_task_timeout),
                (seconds(expect.0), seconds(expect.1))
            );
        };
        check((0, 0), 0, 0, (0, 10));
        check((0, 0), 0, 60, (60, 10));
        check((90, 3), 0, 60, (90, 3));
        check((90, 3), 70, 60, (70, 3));
        check((5, 300), 0, 60, (5, 5));
        check((300, 300), 0, 60, (300, 120));
    }
}
