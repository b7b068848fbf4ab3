//! SignalExternalWorkflowExecution and RequestCancelExternalWorkflowExecution.
#![allow(deprecated, reason = "the namespace is deprecated, and still sent")]
use super::{BadCommand, RunFacts, not_set, refuse_other_namespace};
use crate::Limits;
use temporalio_protos::temporal::api::{
    command::v1::{
        RequestCancelExternalWorkflowExecutionCommandAttributes, SignalExternalWorkflowExecutionCommandAttributes,
    },
    enums::v1::WorkflowTaskFailedCause,
};

pub(super) fn signal(
    attributes: Option<&SignalExternalWorkflowExecutionCommandAttributes>,
    run: &RunFacts<'_>,
    limits: &Limits,
) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(WorkflowTaskFailedCause::BadSignalWorkflowExecutionAttributes, message);
    let Some(attributes) = attributes else { return Err(bad(not_set("SignalExternalWorkflowExecutionCommand"))) };
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

pub(super) fn cancel(
    attributes: Option<&RequestCancelExternalWorkflowExecutionCommandAttributes>,
    run: &RunFacts<'_>,
    limits: &Limits,
) -> Result<(), BadCommand> {
    let cause = WorkflowTaskFailedCause::BadRequestCancelExternalWorkflowExecutionAttributes;
    let bad = |message| BadCommand::new(cause, message);
    let Some(attributes) = attributes else {
        return Err(bad(not_set("RequestCancelExternalWorkflowExecutionCommand")));
    };
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

/// Empty, or a UUID in its usual form.
fn is_run_id(text: &str) -> bool {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    const LENGTH: usize = 36;
    let fits = |(at, byte): (usize, u8)| if DASHES.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.is_empty() || (text.len() == LENGTH && text.bytes().enumerate().all(fits))
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};
    use temporalio_protos::temporal::api::{
        command::v1::command::Attributes, common::v1::WorkflowExecution, enums::v1::CommandType,
    };

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
            let attributes = Attributes::SignalExternalWorkflowExecutionCommandAttributes(attributes);
            let expect = expect.map_err(|text| format!("BadSignalWorkflowExecutionAttributes: {text}"));
            let expect = expect.as_ref().copied().map_err(String::as_str);
            testing::check(CommandType::SignalExternalWorkflowExecution, Some(attributes), expect);
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

    #[test]
    fn a_cancellation_names_its_target() {
        let check = |namespace: &str, id: &str, run_id: &str, expect: Result<(), &str>| {
            let attributes = RequestCancelExternalWorkflowExecutionCommandAttributes {
                namespace: namespace.into(),
                workflow_id: id.into(),
                run_id: run_id.into(),
                ..Default::default()
            };
            let attributes = Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(attributes);
            let expect = expect.map_err(|text| format!("BadRequestCancelExternalWorkflowExecutionAttributes: {text}"));
            let expect = expect.as_ref().copied().map_err(String::as_str);
            testing::check(CommandType::RequestCancelExternalWorkflowExecution, Some(attributes), expect);
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
