//! CompleteWorkflowExecution.
use crate::run::{
    commands::{Commands, Handled, size_of},
    decision::Extras,
};
use temporalio_protos::temporal::api::{
    command::v1::CompleteWorkflowExecutionCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::WorkflowExecutionCompletedEventAttributes,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    command: CompleteWorkflowExecutionCommandAttributes,
    extras: Extras,
) -> Handled {
    // The cause is that of another command in Temporal too.
    commands.check_size(
        size_of(command.result.as_ref()),
        Cause::BadScheduleActivityAttributes,
        "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.",
    )?;
    let attributes = WorkflowExecutionCompletedEventAttributes {
        result: command.result,
        workflow_task_completed_event_id: commands.completed_event_id,
        new_execution_run_id: String::new(),
    };
    commands.decision.close_run(attributes, extras);
    Ok(())
}
