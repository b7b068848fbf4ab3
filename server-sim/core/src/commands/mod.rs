//! What a worker commands when it completes a workflow task, one command per file. A command sees what the commands
//! before it did; if one is bad, nothing of any of them happens and the workflow task fails instead.
mod activity;
mod cancel_external;
mod cancel_workflow;
mod complete_workflow;
mod continue_as_new;
mod fail_workflow;
mod properties;
mod record_marker;
mod signal_external;
mod start_child;
mod timer;

use crate::{
    Decision, EventId,
    decision::Extras,
    rules::{
        durations,
        validate_command::{self, BadCommand, RunFacts},
    },
};
use prost::Message;
use std::collections::BTreeSet;
use temporalio_protos::temporal::api::{
    command::v1::{Command, command::Attributes},
    enums::v1::{CommandType, WorkflowTaskFailedCause as Cause},
};

/// Why a command fails its workflow task.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) bad: BadCommand,
    /// The run cannot go on: it is terminated with the same message.
    pub(crate) terminates: bool,
}

impl From<BadCommand> for Failed {
    fn from(bad: BadCommand) -> Self {
        Self { bad, terminates: false }
    }
}

pub(crate) type Handled = Result<(), Failed>;

/// One completion's commands at work.
pub(crate) struct Commands<'d, 'c> {
    pub(crate) decision: &'d mut Decision<'c>,
    pub(crate) completed_event_id: EventId,
    pub(crate) identity: String,
    /// The name of the run's namespace, as the worker knows it.
    pub(crate) namespace: String,
    /// News came while the worker decided: it must not close a run whose end it has not seen.
    pub(crate) has_news: bool,
    /// An activity ended without ever having been offered, which the workflow must hear of.
    pub(crate) cancelled_unstarted_activity: bool,
    /// Workflow ids of children that these commands ask for.
    pub(crate) children_initiated: BTreeSet<String>,
}

impl Commands<'_, '_> {
    pub(crate) fn handle(&mut self, mut command: Command) -> Handled {
        let kind = command.command_type();
        if closes(kind) && self.has_news {
            return Err(BadCommand::new(Cause::UnhandledCommand, "").into());
        }
        self.validate(&mut command)?;
        let extras = Extras { user_metadata: command.user_metadata, ..Extras::default() };
        match command.attributes {
            Some(Attributes::ScheduleActivityTaskCommandAttributes(attributes)) => {
                self.schedule_activity(attributes, extras)
            }
            Some(Attributes::RequestCancelActivityTaskCommandAttributes(attributes)) => {
                self.request_cancel_activity(&attributes, extras)
            }
            Some(Attributes::StartTimerCommandAttributes(attributes)) => self.start_timer(attributes, extras),
            Some(Attributes::CancelTimerCommandAttributes(attributes)) => self.cancel_timer(attributes, extras),
            Some(Attributes::RecordMarkerCommandAttributes(attributes)) => self.record_marker(attributes, extras),
            Some(Attributes::CompleteWorkflowExecutionCommandAttributes(attributes)) => {
                self.complete_workflow(attributes, extras)
            }
            Some(Attributes::FailWorkflowExecutionCommandAttributes(attributes)) => {
                self.fail_workflow(attributes, extras)
            }
            Some(Attributes::CancelWorkflowExecutionCommandAttributes(attributes)) => {
                self.cancel_workflow(attributes, extras)
            }
            Some(Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(attributes)) => {
                self.continue_as_new(attributes, extras)
            }
            Some(Attributes::UpsertWorkflowSearchAttributesCommandAttributes(attributes)) => {
                self.upsert_search_attributes(attributes, extras)
            }
            Some(Attributes::ModifyWorkflowPropertiesCommandAttributes(attributes)) => {
                self.modify_properties(attributes, extras)
            }
            Some(Attributes::StartChildWorkflowExecutionCommandAttributes(attributes)) => {
                self.start_child(attributes, extras)
            }
            Some(Attributes::SignalExternalWorkflowExecutionCommandAttributes(attributes)) => {
                self.signal_external(attributes, extras)
            }
            Some(Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(attributes)) => {
                self.cancel_external(attributes, extras)
            }
            _ => Err(unsupported(kind).into()),
        }
    }

    fn validate(&self, command: &mut Command) -> Result<(), BadCommand> {
        let durable = &self.decision.state.durable;
        let started = durable.started.as_ref();
        let facts = RunFacts {
            namespace: &self.namespace,
            workflow_type: durable.workflow_type(),
            task_queue: durable.task_queue(),
            execution_timeout: durations::value(started.workflow_execution_timeout.as_ref()),
            run_timeout: durations::value(started.workflow_run_timeout.as_ref()),
            workflow_task_timeout: durations::value(started.workflow_task_timeout.as_ref()),
        };
        validate_command::command(command, &facts, &self.decision.context.limits)
    }

    fn check_count(&self, what: &str, pending: usize, limit: usize, cause: Cause) -> Handled {
        if pending < limit {
            return Ok(());
        }
        let message = format!("the number of {what}, {pending}, has reached the per-workflow limit of {limit}");
        Err(BadCommand::new(cause, message).into())
    }

    /// A payload too large to keep ends the run: the worker would only send it again.
    fn check_size(&self, bytes: usize, cause: Cause, message: &str) -> Handled {
        if bytes <= self.decision.context.limits.blob_bytes_max {
            return Ok(());
        }
        Err(Failed { bad: BadCommand::new(cause, message), terminates: true })
    }
}

fn size_of<M: Message>(message: Option<&M>) -> usize {
    message.map_or(0, Message::encoded_len)
}

/// Temporal's words for a command that does not fit the state.
fn does_not_fit(cause: Cause, action: &str, details: &str) -> Failed {
    BadCommand::new(cause, format!("invalid history builder state for action: {action}, {details}")).into()
}

fn closes(kind: CommandType) -> bool {
    matches!(
        kind,
        CommandType::CompleteWorkflowExecution
            | CommandType::FailWorkflowExecution
            | CommandType::CancelWorkflowExecution
            | CommandType::ContinueAsNewWorkflowExecution
    )
}

fn unsupported(kind: CommandType) -> BadCommand {
    let cause = match kind {
        CommandType::ProtocolMessage => Cause::BadUpdateWorkflowExecutionMessage,
        CommandType::ScheduleNexusOperation => Cause::BadScheduleNexusOperationAttributes,
        CommandType::RequestCancelNexusOperation => Cause::BadRequestCancelNexusOperationAttributes,
        _ => Cause::Unspecified,
    };
    BadCommand::new(cause, format!("{} is not supported yet.", crate::rules::names::command_type(kind.into())))
}
