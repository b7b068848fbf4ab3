//! What a worker's command must look like, before the state is asked whether it fits.
//!
//! [`sequence`] comes first and refuses the whole request; [`command`] then looks at one command at a time, fills in
//! defaults (as history shall show them), and names the cause with which the workflow task fails. Conditions that
//! depend on the run's state (duplicate ids, unknown timers, limits) are not known here.
mod activity;
mod child;
mod close;
mod continue_as_new;
mod external;
mod marker;
mod properties;
mod sequence;
mod timer;

pub use sequence::sequence;

use std::time::Duration;
use temporalio_protos::temporal::api::{
    command::v1::{Command, command::Attributes},
    enums::v1::{CommandType, WorkflowTaskFailedCause},
};

/// Why a command fails its workflow task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCommand {
    pub cause: WorkflowTaskFailedCause,
    /// Temporal's words, without the cause that is put before them.
    pub message: String,
}

impl BadCommand {
    pub fn new(cause: WorkflowTaskFailedCause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }

    /// What history and the caller are told: "BadStartTimerAttributes: TimerId is not set on StartTimerCommand."
    pub fn full_message(&self) -> String {
        format!("{}: {}", super::names::workflow_task_failed_cause(self.cause), self.message)
    }
}

/// What the validation of a command needs to know of its run.
#[derive(Clone, Debug)]
pub struct RunFacts<'a> {
    /// The namespace's name.
    pub namespace: &'a str,
    pub workflow_type: &'a str,
    /// The normal queue, never a sticky one.
    pub task_queue: &'a str,
    /// Zero means none, here and below.
    pub execution_timeout: Duration,
    pub run_timeout: Duration,
    pub workflow_task_timeout: Duration,
}

/// Checks one command and fills in its defaults.
///
/// A command whose attributes are of another type than it claims has none, as in Temporal. Commands to other services
/// pass: who decides them validates them.
///
/// # Errors
/// The cause and the message with which its workflow task fails.
pub fn command(command: &mut Command, run: &RunFacts<'_>, limits: &crate::Limits) -> Result<(), BadCommand> {
    let command_type = command.command_type();
    let attributes = command.attributes.as_mut();
    macro_rules! attributes_of {
        ($variant:ident) => {
            match attributes {
                Some(Attributes::$variant(attributes)) => Some(attributes),
                _ => None,
            }
        };
    }
    match command_type {
        CommandType::ScheduleActivityTask => {
            activity::schedule(attributes_of!(ScheduleActivityTaskCommandAttributes), run, limits)
        }
        CommandType::RequestCancelActivityTask => {
            activity::request_cancel(attributes_of!(RequestCancelActivityTaskCommandAttributes).as_deref())
        }
        CommandType::StartTimer => timer::start(attributes_of!(StartTimerCommandAttributes), limits),
        CommandType::CancelTimer => timer::cancel(attributes_of!(CancelTimerCommandAttributes).as_deref(), limits),
        CommandType::RecordMarker => marker::record(attributes_of!(RecordMarkerCommandAttributes).as_deref(), limits),
        CommandType::CompleteWorkflowExecution => {
            close::complete(attributes_of!(CompleteWorkflowExecutionCommandAttributes).as_deref())
        }
        CommandType::FailWorkflowExecution => {
            close::fail(attributes_of!(FailWorkflowExecutionCommandAttributes).as_deref())
        }
        CommandType::CancelWorkflowExecution => {
            close::cancel(attributes_of!(CancelWorkflowExecutionCommandAttributes).as_deref())
        }
        CommandType::ContinueAsNewWorkflowExecution => {
            continue_as_new::validate(attributes_of!(ContinueAsNewWorkflowExecutionCommandAttributes), run, limits)
        }
        CommandType::UpsertWorkflowSearchAttributes => properties::upsert_search_attributes(
            attributes_of!(UpsertWorkflowSearchAttributesCommandAttributes).as_deref(),
        ),
        CommandType::ModifyWorkflowProperties => {
            properties::modify(attributes_of!(ModifyWorkflowPropertiesCommandAttributes).as_deref())
        }
        CommandType::StartChildWorkflowExecution => {
            child::start(attributes_of!(StartChildWorkflowExecutionCommandAttributes), run, limits)
        }
        CommandType::SignalExternalWorkflowExecution => {
            external::signal(attributes_of!(SignalExternalWorkflowExecutionCommandAttributes).as_deref(), run, limits)
        }
        CommandType::RequestCancelExternalWorkflowExecution => external::cancel(
            attributes_of!(RequestCancelExternalWorkflowExecutionCommandAttributes).as_deref(),
            run,
            limits,
        ),
        _ => Ok(()),
    }
}

/// Commands stay within their namespace, as with Temporal's defaults. Whether the other one exists is for the frontend.
fn refuse_other_namespace(namespace: &str, run: &RunFacts<'_>) -> Result<(), String> {
    match namespace.is_empty() || namespace == run.namespace {
        true => Ok(()),
        false => Err("cross namespace commands are not allowed".into()),
    }
}

/// The words for missing attributes, shared by all commands.
fn not_set(name: &str) -> String {
    format!("{name}Attributes is not set on {name}.")
}

#[cfg(test)]
mod testing {
    use super::*;

    /// The run that asks: no timeouts but the workflow task's.
    pub fn run() -> RunFacts<'static> {
        RunFacts {
            namespace: "shop",
            workflow_type: "OrderSaga",
            task_queue: "orders",
            execution_timeout: Duration::ZERO,
            run_timeout: Duration::ZERO,
            workflow_task_timeout: Duration::from_secs(10),
        }
    }

    /// Validates a command; expects it as it then is, or cause and message as history shows them.
    pub fn check(command_type: CommandType, attributes: Option<Attributes>, expect: Result<(), &str>) -> Command {
        let mut input = Command { attributes, ..Default::default() };
        input.set_command_type(command_type);
        let result = command(&mut input, &run(), &crate::Limits::default());
        assert_eq!(result.map_err(|bad| bad.full_message()), expect.map_err(str::to_owned), "{input:?}");
        input
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_without_its_own_attributes_has_none() {
        let check = |command_type: CommandType, expect: &str| {
            let strange = Attributes::ProtocolMessageCommandAttributes(Default::default());
            testing::check(command_type, None, Err(expect));
            testing::check(command_type, Some(strange), Err(expect));
        };
        use CommandType::*;
        check(
            ScheduleActivityTask,
            "BadScheduleActivityAttributes: \
             ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.",
        );
        check(
            RequestCancelActivityTask,
            "BadRequestCancelActivityAttributes: \
             RequestCancelActivityTaskCommandAttributes is not set on RequestCancelActivityTaskCommand.",
        );
        check(StartTimer, "BadStartTimerAttributes: StartTimerCommandAttributes is not set on StartTimerCommand.");
        check(CancelTimer, "BadCancelTimerAttributes: CancelTimerCommandAttributes is not set on CancelTimerCommand.");
        check(
            RecordMarker,
            "BadRecordMarkerAttributes: RecordMarkerCommandAttributes is not set on RecordMarkerCommand.",
        );
        check(
            CompleteWorkflowExecution,
            "BadCompleteWorkflowExecutionAttributes: \
             CompleteWorkflowExecutionCommandAttributes is not set on CompleteWorkflowExecutionCommand.",
        );
        check(
            FailWorkflowExecution,
            "BadFailWorkflowExecutionAttributes: \
             FailWorkflowExecutionCommandAttributes is not set on FailWorkflowExecutionCommand.",
        );
        check(
            CancelWorkflowExecution,
            "BadCancelWorkflowExecutionAttributes: \
             CancelWorkflowExecutionCommandAttributes is not set on CancelWorkflowExecutionCommand.",
        );
        check(
            ContinueAsNewWorkflowExecution,
            "BadContinueAsNewAttributes: \
             ContinueAsNewWorkflowExecutionCommandAttributes is not set on ContinueAsNewWorkflowExecutionCommand.",
        );
        check(
            UpsertWorkflowSearchAttributes,
            "BadSearchAttributes: \
             UpsertWorkflowSearchAttributesCommandAttributes is not set on UpsertWorkflowSearchAttributesCommand.",
        );
        check(
            ModifyWorkflowProperties,
            "BadModifyWorkflowPropertiesAttributes: \
             ModifyWorkflowPropertiesCommandAttributes is not set on ModifyWorkflowPropertiesCommand.",
        );
        check(
            StartChildWorkflowExecution,
            "BadStartChildExecutionAttributes: \
             StartChildWorkflowExecutionCommandAttributes is not set on StartChildWorkflowExecutionCommand.",
        );
        check(
            SignalExternalWorkflowExecution,
            "BadSignalWorkflowExecutionAttributes: \
             SignalExternalWorkflowExecutionCommandAttributes is not set on SignalExternalWorkflowExecutionCommand.",
        );
        check(
            RequestCancelExternalWorkflowExecution,
            "BadRequestCancelExternalWorkflowExecutionAttributes: \
             RequestCancelExternalWorkflowExecutionCommandAttributes is not set on \
             RequestCancelExternalWorkflowExecutionCommand.",
        );
    }
}
