//! The end of a run.
use crate::{
    Decision, TransferTask,
    decision::Extras,
    entities::run::Successor,
    rules::{
        failure,
        retry_policy::{self, RetryDecision},
    },
};
use std::time::Duration;
use temporalio_protos::temporal::api::{
    common::v1::{Link, Payloads},
    enums::v1::{RetryState, WorkflowTaskFailedCause},
    failure::v1::Failure,
    history::v1::{
        WorkflowExecutionTerminatedEventAttributes, WorkflowExecutionTimedOutEventAttributes, history_event::Attributes,
    },
};

impl Decision<'_> {
    /// Writes the closing event and tells who waits for it.
    pub(crate) fn close_run(&mut self, attributes: impl Into<Attributes>, extras: Extras) {
        self.event_with(attributes, extras);
        assert!(!self.state.is_open(), "only closing events come here");
        self.transfer(TransferTask::CloseExecution);
    }

    /// Ends the run at once: a workflow task in a worker's hands fails, what it has not seen is written before the end.
    pub(crate) fn terminate_run(&mut self, reason: &str, details: Option<Payloads>, identity: &str, links: Vec<Link>) {
        self.fail_started_workflow_task(WorkflowTaskFailedCause::ForceCloseCommand);
        self.flush_buffer();
        let attributes = WorkflowExecutionTerminatedEventAttributes {
            reason: reason.to_owned(),
            details,
            identity: identity.to_owned(),
        };
        self.close_run(attributes, Extras { links, ..Extras::default() });
    }

    /// The run's own timeout: a retry may follow, until the whole chain's time is over.
    pub(crate) fn time_out_run(&mut self) {
        let timeout = failure::workflow_timeout();
        // If the chain's time is over as well, that is the reason, whatever the policy says.
        let chain_is_over = self.state.durable.execution_expiration().is_some_and(|end| end <= self.now());
        let retry = if chain_is_over { Err(RetryState::Timeout) } else { self.workflow_retry(&timeout) };
        let last_completion_result = self.state.durable.started.last_completion_result.clone();
        self.close_timed_out(retry);
        if let Ok(delay) = retry {
            self.probe("workflow_retried_after_timeout");
            self.open_successor(Successor::Retry { delay, failure: Box::new(timeout), last_completion_result });
        }
    }

    /// The whole chain's timeout: nothing follows.
    pub(crate) fn time_out_execution(&mut self) {
        self.close_timed_out(Err(RetryState::Timeout));
    }

    fn close_timed_out(&mut self, retry: Result<Duration, RetryState>) {
        self.fail_started_workflow_task(WorkflowTaskFailedCause::ForceCloseCommand);
        self.flush_buffer();
        let (retry_state, new_execution_run_id) = self.retry_outcome(retry);
        let attributes =
            WorkflowExecutionTimedOutEventAttributes { retry_state: retry_state.into(), new_execution_run_id };
        self.close_run(attributes, Extras::default());
    }

    /// How long the next run of this workflow waits, or why there is none.
    pub(crate) fn workflow_retry(&self, failure: &Failure) -> Result<Duration, RetryState> {
        let durable = &self.state.durable;
        let Some(policy) = &durable.started.retry_policy else { return Err(RetryState::RetryPolicyNotSet) };
        let attempt = durable.started.attempt;
        let expiration = durable.execution_expiration();
        match retry_policy::next_workflow_retry(policy, attempt, Some(failure), self.now(), expiration) {
            RetryDecision::Retry { delay } => Ok(delay),
            RetryDecision::Stop(state) => Err(state),
        }
    }

    /// What a closing event says of a retry: its state and the run id of the next run.
    pub(crate) fn retry_outcome(&self, retry: Result<Duration, RetryState>) -> (RetryState, String) {
        match retry {
            Ok(_) => (RetryState::InProgress, self.new_run_id()),
            Err(state) => (state, String::new()),
        }
    }
}
