//! Whether a run that ended badly is followed by another.
use crate::{
    Decision,
    rules::retry_policy::{self, RetryDecision},
};
use std::time::Duration;
use temporalio_protos::temporal::api::{enums::v1::RetryState, failure::v1::Failure};

impl Decision<'_> {
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
