//! StartChildWorkflowExecution: what the command leaves open, the child takes from its parent.
use crate::{
    Limits, TransferTask,
    rules::{durations, priority, retry_policy, search_attributes, start_request, task_queue},
    run::{
        commands::{
            BadCommand, Commands, Handled, RunFacts, check_search_attributes_size, refuse_other_namespace, size_of,
        },
        decision::Extras,
    },
};
use temporalio_protos::temporal::api::{
    command::v1::StartChildWorkflowExecutionCommandAttributes,
    enums::v1::{ParentClosePolicy, WorkflowIdReusePolicy, WorkflowTaskFailedCause as Cause},
    history::v1::StartChildWorkflowExecutionInitiatedEventAttributes,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    mut command: StartChildWorkflowExecutionCommandAttributes,
    extras: Extras,
) -> Handled {
    validate(&mut command, &commands.facts(), &commands.decision.context.limits)?;
    let cause = Cause::BadStartChildExecutionAttributes;
    commands.check_size(
        size_of(command.input.as_ref()),
        cause,
        "StartChildWorkflowExecutionCommandAttributes. Input exceeds size limit.",
    )?;
    commands.check_size(
        size_of(command.memo.as_ref()),
        cause,
        "StartChildWorkflowExecutionCommandAttributes.Memo exceeds size limit.",
    )?;
    check_search_attributes_size(command.search_attributes.as_ref(), cause)?;
    let limit = commands.decision.context.limits.pending_children_max;
    let pending = commands.decision.state.pending_children().count();
    let cause = Cause::PendingChildWorkflowsLimitExceeded;
    commands.check_count("pending child workflow executions", pending, limit, cause)?;
    if command.parent_close_policy() == ParentClosePolicy::Unspecified {
        command.set_parent_close_policy(ParentClosePolicy::Terminate);
    }
    if command.workflow_id_reuse_policy() == WorkflowIdReusePolicy::Unspecified {
        command.set_workflow_id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate);
    }
    commands.children_initiated.insert(command.workflow_id.clone());
    let initiated_event_id = commands.decision.next_event_id();
    #[allow(deprecated, reason = "older workers still send these")]
    let attributes = StartChildWorkflowExecutionInitiatedEventAttributes {
        namespace: commands.namespace.clone(),
        namespace_id: commands.decision.state.key().namespace_id.0.clone(),
        workflow_id: command.workflow_id,
        workflow_type: command.workflow_type,
        task_queue: command.task_queue,
        input: command.input,
        workflow_execution_timeout: command.workflow_execution_timeout,
        workflow_run_timeout: command.workflow_run_timeout,
        workflow_task_timeout: command.workflow_task_timeout,
        parent_close_policy: command.parent_close_policy,
        control: command.control,
        workflow_task_completed_event_id: commands.completed_event_id,
        workflow_id_reuse_policy: command.workflow_id_reuse_policy,
        retry_policy: command.retry_policy,
        cron_schedule: command.cron_schedule,
        header: command.header,
        memo: command.memo,
        search_attributes: command.search_attributes,
        inherit_build_id: command.inherit_build_id,
        priority: command.priority,
        ..StartChildWorkflowExecutionInitiatedEventAttributes::default()
    };
    commands.decision.event_with(attributes, extras);
    commands.decision.transfer(TransferTask::StartChild { initiated_event_id });
    Ok(())
}

#[allow(deprecated, reason = "the namespace is deprecated, and still sent")]
fn validate(
    attributes: &mut StartChildWorkflowExecutionCommandAttributes,
    run: &RunFacts<'_>,
    limits: &Limits,
) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(Cause::BadStartChildExecutionAttributes, message);
    refuse_other_namespace(&attributes.namespace, run).map_err(bad)?;
    let (id, max) = (attributes.workflow_id.clone(), limits.id_bytes_max);
    let namespace = run.namespace;
    let kind = attributes.workflow_type.as_ref().map_or(String::new(), |workflow_type| workflow_type.name.clone());
    validate_names(&id, &kind, namespace, max).map_err(bad)?;
    let place = format!("WorkflowId={id} WorkflowType={kind} Namespace={namespace}");
    for (duration, field) in [
        (&mut attributes.workflow_execution_timeout, "WorkflowExecutionTimeout"),
        (&mut attributes.workflow_run_timeout, "WorkflowRunTimeout"),
        (&mut attributes.workflow_task_timeout, "WorkflowTaskTimeout"),
    ] {
        durations::validate_and_cap(duration.as_mut())
            .map_err(|error| bad(format!("Invalid {field} on StartChildWorkflowExecutionCommand: {error}. {place}")))?;
    }
    if let Some(policy) = &mut attributes.retry_policy {
        retry_policy::fill_defaults(policy);
        retry_policy::validate(policy).map_err(|error| {
            bad(format!("invalid WorkflowRetryPolicy on StartChildWorkflowExecutionCommand: {error}. {place}"))
        })?;
    }
    if attributes.versioning_override.is_some() {
        return Err(bad("Versioning overrides are not supported yet.".into()));
    }
    if !attributes.cron_schedule.is_empty() {
        // Refused rather than run once: the parent would wait for the second run forever.
        return Err(bad("Cron schedules are not supported yet.".into()));
    }
    search_attributes::validate(attributes.search_attributes.as_ref())
        .map_err(|error| format!("invalid SearchAttributes on StartChildWorkflowCommand: {error}. {place}"))
        .map_err(|error| BadCommand::new(Cause::BadSearchAttributes, error))?;
    priority::validate(attributes.priority.as_ref()).map_err(|error| bad(error.into()))?;
    let queue = attributes.task_queue.get_or_insert_default();
    task_queue::normalize(Some(&mut *queue), Some(run.task_queue), Some(run.task_queue), max).map_err(|error| {
        let queue = format!("name:{:?} kind:{}", queue.name, queue.kind().as_str_name());
        bad(format!("invalid TaskQueue on StartChildWorkflowExecutionCommand: {error}. {place} TaskQueue={queue}"))
    })?;
    // The execution timeout stays as it is: zero is forever.
    let run_timeout = start_request::run_timeout(
        durations::value(attributes.workflow_run_timeout.as_ref()),
        durations::value(attributes.workflow_execution_timeout.as_ref()),
    );
    let task_timeout = durations::value(attributes.workflow_task_timeout.as_ref());
    let task_timeout = start_request::workflow_task_timeout(task_timeout, run_timeout, limits);
    attributes.workflow_run_timeout = Some(durations::to_wire(run_timeout));
    attributes.workflow_task_timeout = Some(durations::to_wire(task_timeout));
    Ok(())
}

/// The workflow id and type that the command must give, in Temporal's order and words.
fn validate_names(id: &str, kind: &str, namespace: &str, max: usize) -> Result<(), String> {
    if id.is_empty() {
        return Err(format!(
            "Required field WorkflowId is not set on StartChildWorkflowExecutionCommand. WorkflowType={kind} \
             Namespace={namespace}"
        ));
    }
    if kind.is_empty() {
        return Err(format!(
            "Required field WorkflowType is not set on StartChildWorkflowExecutionCommand. WorkflowId={id} \
             Namespace={namespace}"
        ));
    }
    if id.len() > max {
        return Err(format!(
            "WorkflowId on StartChildWorkflowExecutionCommand exceeds length limit. WorkflowId={id} Length={} \
             Limit={max} WorkflowType={kind} Namespace={namespace}",
            id.len()
        ));
    }
    if kind.len() > max {
        return Err(format!(
            "WorkflowType on StartChildWorkflowExecutionCommand exceeds length limit. WorkflowId={id} \
             WorkflowType={kind} Length={} Limit={max} Namespace={namespace}",
            kind.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::commands::testing;
    use temporalio_protos::temporal::api::common::v1::{RetryPolicy, WorkflowType};

    type Command = StartChildWorkflowExecutionCommandAttributes;

    fn ship() -> Command {
        Command {
            workflow_id: "ship-7".into(),
            workflow_type: Some(WorkflowType { name: "Ship".into() }),
            ..Default::default()
        }
    }

    fn check(mut input: Command, expect: Result<(), &str>) -> Command {
        testing::check(
            Cause::BadStartChildExecutionAttributes,
            validate(&mut input, &testing::run(), &Limits::default()),
            expect,
        );
        input
    }

    #[test]
    fn what_is_left_open_is_filled_in() {
        let seconds = |seconds| Some(prost_wkt_types::Duration { seconds, nanos: 0 });
        let child = check(ship(), Ok(()));
        assert_eq!(child.task_queue.unwrap().name, "orders");
        assert_eq!((child.workflow_run_timeout, child.workflow_task_timeout), (seconds(0), seconds(10)));
        let child = check(Command { workflow_execution_timeout: seconds(5), ..ship() }, Ok(()));
        assert_eq!((child.workflow_run_timeout, child.workflow_task_timeout), (seconds(5), seconds(5)));
    }

    #[test]
    #[allow(deprecated)]
    fn bad_attributes_are_named() {
        let long = "x".repeat(1001);
        check(
            Command { workflow_id: String::new(), ..ship() },
            Err("Required field WorkflowId is not set on StartChildWorkflowExecutionCommand. WorkflowType=Ship \
                 Namespace=shop"),
        );
        check(
            Command { workflow_type: None, ..ship() },
            Err("Required field WorkflowType is not set on StartChildWorkflowExecutionCommand. WorkflowId=ship-7 \
                 Namespace=shop"),
        );
        check(
            Command { workflow_id: long.clone(), ..ship() },
            Err(&format!(
                "WorkflowId on StartChildWorkflowExecutionCommand exceeds length limit. WorkflowId={long} Length=1001 \
                 Limit=1000 WorkflowType=Ship Namespace=shop"
            )),
        );
        check(
            Command { workflow_type: Some(WorkflowType { name: long.clone() }), ..ship() },
            Err(&format!(
                "WorkflowType on StartChildWorkflowExecutionCommand exceeds length limit. WorkflowId=ship-7 \
                 WorkflowType={long} Length=1001 Limit=1000 Namespace=shop"
            )),
        );
        check(
            Command { workflow_run_timeout: Some(prost_wkt_types::Duration { seconds: -1, nanos: 0 }), ..ship() },
            Err("Invalid WorkflowRunTimeout on StartChildWorkflowExecutionCommand: negative duration. \
                 WorkflowId=ship-7 WorkflowType=Ship Namespace=shop"),
        );
        let policy = RetryPolicy { maximum_attempts: -1, ..Default::default() };
        check(
            Command { retry_policy: Some(policy), ..ship() },
            Err("invalid WorkflowRetryPolicy on StartChildWorkflowExecutionCommand: MaximumAttempts cannot be \
                 negative on retry policy.. WorkflowId=ship-7 WorkflowType=Ship Namespace=shop"),
        );
        check(Command { namespace: "shop".into(), ..ship() }, Ok(()));
        check(Command { namespace: "other".into(), ..ship() }, Err("cross namespace commands are not allowed"));
    }
}
