//! SignalExternalWorkflowExecution.
use super::target::is_run_id;
use crate::{
    Limits, TransferTask,
    run::{
        commands::{BadCommand, Commands, Handled, RunFacts, refuse_other_namespace, size_of},
        decision::Extras,
    },
};
use temporalio_protos::temporal::api::{
    command::v1::SignalExternalWorkflowExecutionCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::SignalExternalWorkflowExecutionInitiatedEventAttributes,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    command: SignalExternalWorkflowExecutionCommandAttributes,
    extras: Extras,
) -> Handled {
    validate(&command, &commands.facts(), &commands.decision.context.limits)?;
    let limit = commands.decision.context.limits.pending_signals_max;
    let pending = commands.decision.state.pending_signals().count();
    let cause = Cause::PendingSignalsLimitExceeded;
    commands.check_count("pending signals to external workflows", pending, limit, cause)?;
    commands.check_size(
        size_of(command.input.as_ref()),
        Cause::BadSignalWorkflowExecutionAttributes,
        "SignalExternalWorkflowExecutionCommandAttributes.Input exceeds size limit.",
    )?;
    let initiated_event_id = commands.decision.next_event_id();
    #[allow(deprecated, reason = "older workers still send it")]
    let attributes = SignalExternalWorkflowExecutionInitiatedEventAttributes {
        workflow_task_completed_event_id: commands.completed_event_id,
        namespace: commands.namespace.clone(),
        namespace_id: commands.decision.state.key().namespace_id.0.clone(),
        workflow_execution: command.execution,
        signal_name: command.signal_name,
        input: command.input,
        control: command.control,
        child_workflow_only: command.child_workflow_only,
        header: command.header,
    };
    commands.decision.event_with(attributes, extras);
    commands.decision.transfer(TransferTask::SignalExternal { initiated_event_id });
    Ok(())
}

#[allow(deprecated, reason = "the namespace is deprecated, and still sent")]
fn validate(
    attributes: &SignalExternalWorkflowExecutionCommandAttributes,
    run: &RunFacts<'_>,
    limits: &Limits,
) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(Cause::BadSignalWorkflowExecutionAttributes, message);
    let Some(execution) = &attributes.execution else {
        return Err(bad("Execution is not set on SignalExternalWorkflowExecutionCommand.".into()));
    };
    refuse_other_namespace(&attributes.namespace, run).map_err(bad)?;
    let (id, run_id, name) = (&execution.workflow_id, &execution.run_id, &attributes.signal_name);
    let (namespace, max) = (&attributes.namespace, limits.id_bytes_max);
    if id.is_empty() {
        return Err(bad(format!(
            "WorkflowId is not set on SignalExternalWorkflowExecutionCommand. Namespace={namespace} RunId={run_id} \
             SignalName={name}"
        )));
    }
    if id.len() > max {
        return Err(bad(format!(
            "WorkflowId on SignalExternalWorkflowExecutionCommand exceeds length limit. WorkflowId={id} Length={} \
             Limit={max} Namespace={namespace} RunId={run_id} SignalName={name}",
            id.len()
        )));
    }
    if !is_run_id(run_id) {
        return Err(bad(format!(
            "Invalid RunId set on SignalExternalWorkflowExecutionCommand. WorkflowId={id} Namespace={namespace} \
             RunId={run_id} SignalName={name}"
        )));
    }
    if name.is_empty() {
        return Err(bad(format!(
            "SignalName is not set on SignalExternalWorkflowExecutionCommand. WorkflowId={id} Namespace={namespace} \
             RunId={run_id}"
        )));
    }
    Ok(())
}

#[cfg(test)]
#[allow(deprecated, reason = "the namespace is deprecated, and still sent")]
mod tests {
    use super::*;
    use crate::run::commands::testing;
    use temporalio_protos::temporal::api::common::v1::WorkflowExecution;

    const RUN_ID: &str = "0198c3a4-0000-7000-8000-00000000000a";

    #[test]
    fn a_signal_names_its_target() {
        let check = |namespace: &str, id: &str, run_id: &str, name: &str, expect: Result<(), &str>| {
            let attributes = SignalExternalWorkflowExecutionCommandAttributes {
                namespace: namespace.into(),
                execution: Some(WorkflowExecution { workflow_id: id.into(), run_id: run_id.into() }),
                signal_name: name.into(),
                ..Default::default()
            };
            testing::check(
                Cause::BadSignalWorkflowExecutionAttributes,
                validate(&attributes, &testing::run(), &Limits::default()),
                expect,
            );
        };
        check("", "order-8", "", "hello", Ok(()));
        check("shop", "order-8", RUN_ID, "hello", Ok(()));
        check("other", "order-8", "", "hello", Err("cross namespace commands are not allowed"));
        check(
            "",
            "",
            RUN_ID,
            "hello",
            Err(&format!(
                "WorkflowId is not set on SignalExternalWorkflowExecutionCommand. Namespace= RunId={RUN_ID} \
                 SignalName=hello"
            )),
        );
        check(
            "shop",
            "order-8",
            "newest",
            "hello",
            Err("Invalid RunId set on SignalExternalWorkflowExecutionCommand. WorkflowId=order-8 Namespace=shop \
                 RunId=newest SignalName=hello"),
        );
        check(
            "",
            "order-8",
            "",
            "",
            Err("SignalName is not set on SignalExternalWorkflowExecutionCommand. WorkflowId=order-8 Namespace= \
                 RunId="),
        );
    }
}
