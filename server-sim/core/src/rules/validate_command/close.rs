//! CompleteWorkflow, FailWorkflow and CancelWorkflow.
use super::{BadCommand, not_set};
use temporalio_protos::temporal::api::{
    command::v1::{
        CancelWorkflowExecutionCommandAttributes, CompleteWorkflowExecutionCommandAttributes,
        FailWorkflowExecutionCommandAttributes,
    },
    enums::v1::WorkflowTaskFailedCause as Cause,
};

pub(super) fn complete(attributes: Option<&CompleteWorkflowExecutionCommandAttributes>) -> Result<(), BadCommand> {
    present(attributes, Cause::BadCompleteWorkflowExecutionAttributes, "CompleteWorkflowExecutionCommand").map(|_| ())
}

pub(super) fn fail(attributes: Option<&FailWorkflowExecutionCommandAttributes>) -> Result<(), BadCommand> {
    let cause = Cause::BadFailWorkflowExecutionAttributes;
    let attributes = present(attributes, cause, "FailWorkflowExecutionCommand")?;
    match attributes.failure {
        Some(_) => Ok(()),
        None => Err(BadCommand::new(cause, "Failure is not set on FailWorkflowExecutionCommand.")),
    }
}

pub(super) fn cancel(attributes: Option<&CancelWorkflowExecutionCommandAttributes>) -> Result<(), BadCommand> {
    present(attributes, Cause::BadCancelWorkflowExecutionAttributes, "CancelWorkflowExecutionCommand").map(|_| ())
}

fn present<'a, A>(attributes: Option<&'a A>, cause: Cause, name: &str) -> Result<&'a A, BadCommand> {
    attributes.ok_or_else(|| BadCommand::new(cause, not_set(name)))
}

#[cfg(test)]
mod tests {
    use super::{super::testing::check, *};
    use crate::rules::failure::server_failure;
    use temporalio_protos::temporal::api::{command::v1::command::Attributes, enums::v1::CommandType};

    #[test]
    fn only_a_failed_run_must_say_more() {
        check(
            CommandType::CompleteWorkflowExecution,
            Some(Attributes::CompleteWorkflowExecutionCommandAttributes(Default::default())),
            Ok(()),
        );
        check(
            CommandType::CancelWorkflowExecution,
            Some(Attributes::CancelWorkflowExecutionCommandAttributes(Default::default())),
            Ok(()),
        );
        let failed = FailWorkflowExecutionCommandAttributes { failure: Some(server_failure("no stock", false)) };
        check(
            CommandType::FailWorkflowExecution,
            Some(Attributes::FailWorkflowExecutionCommandAttributes(failed)),
            Ok(()),
        );
        check(
            CommandType::FailWorkflowExecution,
            Some(Attributes::FailWorkflowExecutionCommandAttributes(Default::default())),
            Err("BadFailWorkflowExecutionAttributes: Failure is not set on FailWorkflowExecutionCommand."),
        );
    }
}
