//! Why a command fails its workflow task, and what the validation of commands shares.
use super::Commands;
use crate::rules::{durations, names, search_attributes};
use prost::Message;
use std::time::Duration;
use temporalio_protos::temporal::api::{common::v1::SearchAttributes, enums::v1::WorkflowTaskFailedCause as Cause};

/// Why a command fails its workflow task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadCommand {
    pub(crate) cause: Cause,
    /// Temporal's words, without the cause that is put before them.
    pub(crate) message: String,
}

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

/// What the validation of a command needs to know of its run.
#[derive(Clone, Debug)]
pub(crate) struct RunFacts<'a> {
    /// The namespace's name.
    pub(crate) namespace: &'a str,
    pub(crate) workflow_type: &'a str,
    /// The normal queue, never a sticky one.
    pub(crate) task_queue: &'a str,
    /// Zero means none, here and below.
    pub(crate) execution_timeout: Duration,
    pub(crate) run_timeout: Duration,
    pub(crate) workflow_task_timeout: Duration,
}

impl BadCommand {
    pub(crate) fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }

    /// What history and the caller are told: "BadStartTimerAttributes: TimerId is not set on StartTimerCommand."
    pub(crate) fn full_message(&self) -> String {
        format!("{}: {}", names::workflow_task_failed_cause(self.cause), self.message)
    }
}

impl Commands<'_, '_> {
    pub(crate) fn facts(&self) -> RunFacts<'_> {
        let durable = &self.decision.state.durable;
        let started = durable.started.as_ref();
        RunFacts {
            namespace: &self.namespace,
            workflow_type: durable.workflow_type(),
            task_queue: durable.task_queue(),
            execution_timeout: durations::value(started.workflow_execution_timeout.as_ref()),
            run_timeout: durations::value(started.workflow_run_timeout.as_ref()),
            workflow_task_timeout: durations::value(started.workflow_task_timeout.as_ref()),
        }
    }

    pub(crate) fn check_count(&self, what: &str, pending: usize, limit: usize, cause: Cause) -> Handled {
        if pending < limit {
            return Ok(());
        }
        let message = format!("the number of {what}, {pending}, has reached the per-workflow limit of {limit}");
        Err(BadCommand::new(cause, message).into())
    }

    /// A payload too large to keep ends the run: the worker would only send it again.
    pub(crate) fn check_size(&self, bytes: usize, cause: Cause, message: &str) -> Handled {
        if bytes <= self.decision.context.limits.blob_bytes_max {
            return Ok(());
        }
        Err(Failed { bad: BadCommand::new(cause, message), terminates: true })
    }
}

/// Search attributes too large to keep end the run as well.
pub(crate) fn check_search_attributes_size(attributes: Option<&SearchAttributes>, cause: Cause) -> Handled {
    let sizes = attributes.map_or(Ok(()), search_attributes::validate_size);
    sizes.map_err(|message| Failed { bad: BadCommand::new(cause, message), terminates: true })
}

pub(crate) fn size_of<M: Message>(message: Option<&M>) -> usize {
    message.map_or(0, Message::encoded_len)
}

/// Temporal's words for a command that does not fit the state.
pub(crate) fn does_not_fit(cause: Cause, action: &str, details: &str) -> Failed {
    BadCommand::new(cause, format!("invalid history builder state for action: {action}, {details}")).into()
}

/// Commands stay within their namespace, as with Temporal's defaults. Whether the other one exists is for the frontend.
pub(crate) fn refuse_other_namespace(namespace: &str, run: &RunFacts<'_>) -> Result<(), String> {
    match namespace.is_empty() || namespace == run.namespace {
        true => Ok(()),
        false => Err("cross namespace commands are not allowed".into()),
    }
}

/// The words for missing attributes, shared by all commands.
pub(super) fn not_set(cause: Cause, command: &str) -> Failed {
    BadCommand::new(cause, format!("{command}CommandAttributes is not set on {command}Command.")).into()
}

pub(super) fn unsupported(cause: Cause, command: &str) -> Failed {
    BadCommand::new(cause, format!("{command} is not supported yet.")).into()
}
