//! A run's time is over, or that of its whole chain.
use crate::{
    Decision, TimerKind,
    rules::failure,
    run::{decision::Extras, fire_timer::is_over, start::successor::Successor},
};
use std::time::Duration;
use temporalio_protos::temporal::api::{
    enums::v1::{RetryState, WorkflowTaskFailedCause},
    history::v1::WorkflowExecutionTimedOutEventAttributes,
};

pub(crate) fn fire_run(decision: &mut Decision<'_>, kind: &TimerKind) {
    if is_over(decision, decision.state.durable.run_expiration(), kind) {
        decision.time_out_run();
    }
}

pub(crate) fn fire_execution(decision: &mut Decision<'_>, kind: &TimerKind) {
    if is_over(decision, decision.state.durable.execution_expiration(), kind) {
        decision.time_out_execution();
    }
}

impl Decision<'_> {
    /// The run's own timeout: a retry may follow, until the whole chain's time is over.
    fn time_out_run(&mut self) {
        let timeout = failure::workflow_timeout();
        // If the chain's time is over as well, that is the reason, whatever the policy says.
        let chain_is_over = self.state.durable.execution_expiration().is_some_and(|end| end <= self.now());
        let retry = if chain_is_over { Err(RetryState::Timeout) } else { self.workflow_retry(&timeout) };
        self.close_timed_out(retry);
        if let Ok(delay) = retry {
            let last_completion_result = self.context.events.started().last_completion_result.clone();
            self.probe("workflow-retried-after-timeout");
            self.open_successor(Successor::Retry { delay, failure: Box::new(timeout), last_completion_result });
        }
    }

    /// The whole chain's timeout: nothing follows.
    fn time_out_execution(&mut self) {
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
}
