//! The run that follows a closed one: what it takes over, and how long it waits.
use super::open::{Opening, open};
use crate::{Context, Decision, MutableState, RunId, RunKey, Time, rules::durations, run::decision::Extras};
use std::time::Duration;
use temporalio_protos::temporal::api::{
    command::v1::ContinueAsNewWorkflowExecutionCommandAttributes, common::v1::Payloads,
    enums::v1::ContinueAsNewInitiator, failure::v1::Failure, history::v1::WorkflowExecutionStartedEventAttributes,
};

/// Which run follows a closed one.
pub(crate) enum Successor {
    ContinuedAsNew(Box<ContinueAsNewWorkflowExecutionCommandAttributes>),
    Retry { delay: Duration, failure: Box<Failure>, last_completion_result: Option<Payloads> },
}

impl Decision<'_> {
    /// Opens the run that goes on in place of this one. Its parent, if any, hears only of the last run of the chain.
    pub(crate) fn open_successor(&mut self, successor: Successor) {
        let state = &self.state;
        let key = RunKey { run_id: RunId(self.new_run_id()), ..state.key().clone() };
        let started = match successor {
            Successor::ContinuedAsNew(command) => continued_as_new(state, *command, &key, self.now(), self.context),
            Successor::Retry { delay, failure, last_completion_result } => {
                let backoff = minimal_backoff(state, delay, self.now(), self.context);
                let previous = self.context.events.started();
                WorkflowExecutionStartedEventAttributes {
                    continued_failure: Some(*failure),
                    last_completion_result,
                    attempt: previous.attempt + 1,
                    initiator: ContinueAsNewInitiator::Retry.into(),
                    memo: previous.memo.clone(),
                    search_attributes: previous.search_attributes.clone(),
                    input: previous.input.clone(),
                    header: previous.header.clone(),
                    cron_schedule: previous.cron_schedule.clone(),
                    retry_policy: previous.retry_policy.clone(),
                    workflow_run_timeout: previous.workflow_run_timeout,
                    workflow_task_timeout: previous.workflow_task_timeout,
                    workflow_type: previous.workflow_type.clone(),
                    task_queue: previous.task_queue.clone(),
                    first_workflow_task_backoff: Some(durations::to_wire(backoff)),
                    priority: previous.priority.clone(),
                    ..chained(state, &key)
                }
            }
        };
        // A successor has a request id of its own, which is never repeated.
        let request_id = key.run_id.0.clone();
        let opening = Opening { started, extras: Extras::default(), request_id, signal: None, waits_for_parent: false };
        let opened = open(key, opening, self.context).expect("a successor begins without a signal");
        self.open(opened);
    }
}

/// What every run takes over from the one before it in its chain.
fn chained(previous: &MutableState, key: &RunKey) -> WorkflowExecutionStartedEventAttributes {
    let durable = &previous.durable;
    let started = durable.started.as_ref();
    WorkflowExecutionStartedEventAttributes {
        parent_workflow_namespace: started.parent_workflow_namespace.clone(),
        parent_workflow_namespace_id: started.parent_workflow_namespace_id.clone(),
        parent_workflow_execution: started.parent_workflow_execution.clone(),
        parent_initiated_event_id: started.parent_initiated_event_id,
        parent_initiated_event_version: started.parent_initiated_event_version,
        root_workflow_execution: started.root_workflow_execution.clone(),
        workflow_execution_timeout: started.workflow_execution_timeout,
        workflow_execution_expiration_time: started.workflow_execution_expiration_time,
        continued_execution_run_id: previous.key().run_id.0.clone(),
        first_execution_run_id: durable.first_execution_run_id.0.clone(),
        original_execution_run_id: key.run_id.0.clone(),
        workflow_id: key.workflow_id.0.clone(),
        attempt: 1,
        ..WorkflowExecutionStartedEventAttributes::default()
    }
}

fn continued_as_new(
    previous: &MutableState,
    command: ContinueAsNewWorkflowExecutionCommandAttributes,
    key: &RunKey,
    now: Time,
    context: &Context,
) -> WorkflowExecutionStartedEventAttributes {
    let is_retry = command.initiator() == ContinueAsNewInitiator::Retry;
    let asked = durations::value(command.backoff_start_interval.as_ref());
    let backoff = minimal_backoff(previous, asked, now, context);
    // The closing event keeps the initiator as the worker gave it; only the new run gets the default.
    let initiator = match command.initiator() {
        ContinueAsNewInitiator::Unspecified => ContinueAsNewInitiator::Workflow,
        given => given,
    };
    WorkflowExecutionStartedEventAttributes {
        initiator: initiator.into(),
        continued_failure: command.failure,
        last_completion_result: command.last_completion_result,
        attempt: if is_retry { previous.durable.started.attempt + 1 } else { 1 },
        memo: command.memo,
        search_attributes: command.search_attributes,
        input: command.input,
        header: command.header,
        cron_schedule: command.cron_schedule,
        retry_policy: command.retry_policy,
        workflow_run_timeout: command.workflow_run_timeout,
        workflow_task_timeout: command.workflow_task_timeout,
        workflow_type: command.workflow_type,
        task_queue: command.task_queue,
        first_workflow_task_backoff: Some(durations::to_wire(backoff)),
        priority: previous.durable.started.priority.clone(),
        ..chained(previous, key)
    }
}

/// A run that lived shorter than the minimal interval makes its successor wait, or a workflow that only continues as
/// new would spin.
fn minimal_backoff(previous: &MutableState, asked: Duration, now: Time, context: &Context) -> Duration {
    let earliest = previous.durable.execution_time().plus(context.limits.continue_as_new_min_interval);
    if now.plus(asked) < earliest { earliest.since(now) } else { asked }
}
