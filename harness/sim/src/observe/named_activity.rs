//! Activities that a caller names by the id that their workflow gave them, as a person at a desk does, not by a task's token.
use crate::observe::{Observations, Operation, RpcKind, RunObserved, of_no_workflow};
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::history::v1::history_event::Attributes;
use tempest_api::proto::workflowservice::v1 as api;

/// What a call by id names. Which attempt is meant it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedActivity {
    pub execution: WorkflowExecution,
    pub activity_id: String,
}

impl NamedActivity {
    fn new(workflow_id: String, run_id: String, activity_id: String) -> NamedActivity {
        NamedActivity { execution: WorkflowExecution { workflow_id, run_id }, activity_id }
    }

    /// What this call names; nothing if it is none by id.
    pub fn of(operation: &Operation) -> Option<NamedActivity> {
        macro_rules! named {
            ($request:ident) => {{
                let request: api::$request = operation.request()?;
                Some(NamedActivity::new(request.workflow_id, request.run_id, request.activity_id))
            }};
        }
        match &operation.rpc {
            RpcKind::RecordActivityTaskHeartbeatById => named!(RecordActivityTaskHeartbeatByIdRequest),
            RpcKind::RespondActivityTaskCanceledById => named!(RespondActivityTaskCanceledByIdRequest),
            RpcKind::RespondActivityTaskCompletedById => named!(RespondActivityTaskCompletedByIdRequest),
            RpcKind::RespondActivityTaskFailedById => named!(RespondActivityTaskFailedByIdRequest),
            // Name a task by its token, or none.
            RpcKind::DescribeWorkflowExecution
            | RpcKind::GetWorkflowExecutionHistory
            | RpcKind::GetWorkflowExecutionHistoryReverse
            | RpcKind::PollActivityTaskQueue
            | RpcKind::PollWorkflowTaskQueue
            | RpcKind::RecordActivityTaskHeartbeat
            | RpcKind::ResetStickyTaskQueue
            | RpcKind::RequestCancelWorkflowExecution
            | RpcKind::RespondActivityTaskCanceled
            | RpcKind::RespondActivityTaskCompleted
            | RpcKind::RespondActivityTaskFailed
            | RpcKind::RespondWorkflowTaskCompleted
            | RpcKind::RespondWorkflowTaskFailed
            | RpcKind::SignalWithStartWorkflowExecution
            | RpcKind::SignalWorkflowExecution
            | RpcKind::StartWorkflowExecution
            | RpcKind::TerminateWorkflowExecution
            | of_no_workflow!() => None,
        }
    }

    /// The runs that may be meant: the one named, or any of the workflow.
    pub fn runs<'a>(&self, observations: &'a Observations) -> Vec<&'a RunObserved> {
        observations.meant(&self.execution)
    }

    /// Run and scheduled event of the only activity that can be meant; nothing if there is none, or more than one: an id
    /// may be used again once its activity has ended, and in the next run.
    pub fn only<'a>(&self, observations: &'a Observations) -> Option<(&'a RunObserved, i64)> {
        let of_run = |run: &'a RunObserved| {
            let events = run.stored.iter().map(|event| event.event_id);
            let named = events.filter(|id| activity_id(run, *id) == Some(&self.activity_id));
            named.map(move |id| (run, id)).collect::<Vec<_>>()
        };
        match self.runs(observations).into_iter().flat_map(of_run).collect::<Vec<_>>()[..] {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// The id of the activity that this event of a run scheduled.
pub fn activity_id(run: &RunObserved, scheduled_event_id: i64) -> Option<&str> {
    match run.event(scheduled_event_id)?.attributes.as_ref()? {
        Attributes::ActivityTaskScheduledEventAttributes(a) => Some(&a.activity_id),
        _ => None,
    }
}
