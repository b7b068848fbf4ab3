//! CancelWorkflowExecution: the workflow agrees to be cancelled.
use crate::run::{
    commands::{Commands, Handled},
    decision::Extras,
};
use temporalio_protos::temporal::api::{
    command::v1::CancelWorkflowExecutionCommandAttributes, history::v1::WorkflowExecutionCanceledEventAttributes,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    command: CancelWorkflowExecutionCommandAttributes,
    extras: Extras,
) -> Handled {
    let attributes = WorkflowExecutionCanceledEventAttributes {
        workflow_task_completed_event_id: commands.completed_event_id,
        details: command.details,
    };
    commands.decision.close_run(attributes, extras);
    Ok(())
}
