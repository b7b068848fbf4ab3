//! FailWorkflowExecution, and the run that retries it.
use crate::run::{
    commands::{BadCommand, Commands, Handled, size_of},
    decision::Extras,
    start::successor::Successor,
};
use temporalio_protos::temporal::api::{
    command::v1::FailWorkflowExecutionCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::WorkflowExecutionFailedEventAttributes,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    command: FailWorkflowExecutionCommandAttributes,
    extras: Extras,
) -> Handled {
    let Some(failure) = command.failure else {
        let message = "Failure is not set on FailWorkflowExecutionCommand.";
        return Err(BadCommand::new(Cause::BadFailWorkflowExecutionAttributes, message).into());
    };
    commands.check_size(
        size_of(Some(&failure)),
        Cause::BadFailWorkflowExecutionAttributes,
        "FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.",
    )?;
    let retry = commands.decision.workflow_retry(&failure);
    let (retry_state, new_execution_run_id) = commands.decision.retry_outcome(retry);
    let attributes = WorkflowExecutionFailedEventAttributes {
        failure: Some(failure.clone()),
        retry_state: retry_state.into(),
        workflow_task_completed_event_id: commands.completed_event_id,
        new_execution_run_id,
    };
    commands.decision.close_run(attributes, extras);
    if let Ok(delay) = retry {
        commands.decision.probe("workflow-retried");
        // A retry forgets the result that the run before may have been given; Temporal does so too.
        let failure = Box::new(failure);
        commands.decision.open_successor(Successor::Retry { delay, failure, last_completion_result: None });
    }
    Ok(())
}
