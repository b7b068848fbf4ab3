//! RequestCancelExternalWorkflowExecution.
use super::target::is_run_id;
use crate::{
    Limits, TransferTask,
    run::{
        commands::{BadCommand, Commands, Handled, RunFacts, refuse_other_namespace},
        decision::Extras,
    },
};
use temporalio_protos::temporal::api::{
    command::v1::RequestCancelExternalWorkflowExecutionCommandAttributes, common::v1::WorkflowExecution,
    enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
};

/// A child cannot be asked for and cancelled at once: the two would race.
pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    command: RequestCancelExternalWorkflowExecutionCommandAttributes,
    extras: Extras,
) -> Handled {
    validate(&command, &commands.facts(), &commands.decision.context.limits)?;
    if commands.children_initiated.contains(&command.workflow_id) {
        #[allow(deprecated, reason = "older workers still send it")]
        let message = format!(
            "Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId={} \
             RunId={} Namespace={}",
            command.workflow_id, command.run_id, command.namespace
        );
        return Err(BadCommand::new(Cause::BadRequestCancelExternalWorkflowExecutionAttributes, message).into());
    }
    let limit = commands.decision.context.limits.pending_cancels_max;
    let pending = commands.decision.state.pending_cancels().count();
    let cause = Cause::PendingRequestCancelLimitExceeded;
    commands.check_count("pending requests to cancel external workflows", pending, limit, cause)?;
    let initiated_event_id = commands.decision.next_event_id();
    #[allow(deprecated, reason = "older workers still send it")]
    let attributes = RequestCancelExternalWorkflowExecutionInitiatedEventAttributes {
        workflow_task_completed_event_id: commands.completed_event_id,
        namespace: commands.namespace.clone(),
        namespace_id: commands.decision.state.key().namespace_id.0.clone(),
        workflow_execution: Some(WorkflowExecution { workflow_id: command.workflow_id, run_id: command.run_id }),
        control: command.control,
        child_workflow_only: command.child_workflow_only,
        reason: command.reason,
    };
    commands.decision.event_with(attributes, extras);
    commands.decision.transfer(TransferTask::CancelExternal { initiated_event_id });
    Ok(())
}

#[allow(deprecated, reason = "the namespace is deprecated, and still sent")]
fn validate(
    attributes: &RequestCancelExternalWorkflowExecutionCommandAttributes,
    run: &RunFacts<'_>,
    limits: &Limits,
) -> Result<(), BadCommand> {
    let cause = Cause::BadRequestCancelExternalWorkflowExecutionAttributes;
    let bad = |message| BadCommand::new(cause, message);
    refuse_other_namespace(&attributes.namespace, run).map_err(bad)?;
    let (id, run_id) = (&attributes.workflow_id, &attributes.run_id);
    let (namespace, max) = (&attributes.namespace, limits.id_bytes_max);
    if id.is_empty() {
        return Err(bad(format!(
            "WorkflowId is not set on RequestCancelExternalWorkflowExecutionCommand. Namespace={namespace} \
             RunId={run_id}"
        )));
    }
    if id.len() > max {
        return Err(bad(format!(
            "WorkflowId on RequestCancelExternalWorkflowExecutionCommand exceeds length limit. WorkflowId={id} \
             Length={} Limit={max} RunId={run_id} Namespace={namespace}",
            id.len()
        )));
    }
    if !is_run_id(run_id) {
        return Err(bad(format!(
            "Invalid RunId set on RequestCancelExternalWorkflowExecutionCommand. WorkflowId={id} RunId={run_id} \
             Namespace={namespace}"
        )));
    }
    Ok(())
}

#[cfg(test)]
#[allow(deprecated, reason = "the namespace is deprecated, and still sent")]
mod tests {
    use super::*;
    use crate::run::commands::testing;

    #[test]
    fn a_cancellation_names_its_target() {
        let check = |namespace: &str, id: &str, run_id: &str, expect: Result<(), &str>| {
            let attributes = RequestCancelExternalWorkflowExecutionCommandAttributes {
                namespace: namespace.into(),
                workflow_id: id.into(),
                run_id: run_id.into(),
                ..Default::default()
            };
            testing::check(
                Cause::BadRequestCancelExternalWorkflowExecutionAttributes,
                validate(&attributes, &testing::run(), &Limits::default()),
                expect,
            );
        };
        check("", "order-8", "", Ok(()));
        check("other", "order-8", "", Err("cross namespace commands are not allowed"));
        check(
            "shop",
            "",
            "",
            Err("WorkflowId is not set on RequestCancelExternalWorkflowExecutionCommand. Namespace=shop RunId="),
        );
        check(
            "",
            "order-8",
            "x",
            Err("Invalid RunId set on RequestCancelExternalWorkflowExecutionCommand. WorkflowId=order-8 RunId=x \
                 Namespace="),
        );
    }
}
