//! Which workflow, and which of its runs, a call is about.
use super::named_activity::NamedActivity;
use super::{Operation, RpcKind, of_no_workflow};
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{decode_activity_token, decode_workflow_token};
use tempest_artifact::About;

/// The execution in the request.
macro_rules! named {
    ($operation:ident, $request:ident, $execution:ident) => {
        of($operation.request::<api::$request>()?.$execution?)
    };
}

/// The execution in the answer.
macro_rules! answered {
    ($operation:ident, $response:ident) => {
        of($operation.response::<api::$response>()?.workflow_execution?)
    };
}

/// The workflow in the request, and the run in the answer if there is one.
macro_rules! started {
    ($operation:ident, $request:ident, $response:ident) => {{
        let run_id = $operation.response::<api::$response>().map(|response| response.run_id).unwrap_or_default();
        About { workflow_id: $operation.request::<api::$request>()?.workflow_id, run_id }
    }};
}

/// The run whose task the token in the request is of.
macro_rules! by_token {
    ($operation:ident, $request:ident, $decode:ident) => {{
        let token = $decode(&$operation.request::<api::$request>()?.task_token).ok()?;
        About { workflow_id: token.workflow_id.0, run_id: token.run_id.0 }
    }};
}

/// What a call names, or was answered with; nothing if it is about no workflow. Polls are about the run whose task they
/// brought.
pub(super) fn about(operation: &Operation) -> Option<About> {
    Some(match &operation.rpc {
        RpcKind::DescribeWorkflowExecution => named!(operation, DescribeWorkflowExecutionRequest, execution),
        RpcKind::GetWorkflowExecutionHistory => named!(operation, GetWorkflowExecutionHistoryRequest, execution),
        RpcKind::GetWorkflowExecutionHistoryReverse => {
            named!(operation, GetWorkflowExecutionHistoryReverseRequest, execution)
        }
        RpcKind::RequestCancelWorkflowExecution => {
            named!(operation, RequestCancelWorkflowExecutionRequest, workflow_execution)
        }
        RpcKind::ResetStickyTaskQueue => named!(operation, ResetStickyTaskQueueRequest, execution),
        RpcKind::SignalWorkflowExecution => named!(operation, SignalWorkflowExecutionRequest, workflow_execution),
        RpcKind::TerminateWorkflowExecution => named!(operation, TerminateWorkflowExecutionRequest, workflow_execution),
        RpcKind::PollActivityTaskQueue => answered!(operation, PollActivityTaskQueueResponse),
        RpcKind::PollWorkflowTaskQueue => answered!(operation, PollWorkflowTaskQueueResponse),
        RpcKind::StartWorkflowExecution => {
            started!(operation, StartWorkflowExecutionRequest, StartWorkflowExecutionResponse)
        }
        RpcKind::SignalWithStartWorkflowExecution => {
            started!(operation, SignalWithStartWorkflowExecutionRequest, SignalWithStartWorkflowExecutionResponse)
        }
        RpcKind::RespondWorkflowTaskCompleted => {
            by_token!(operation, RespondWorkflowTaskCompletedRequest, decode_workflow_token)
        }
        RpcKind::RespondWorkflowTaskFailed => {
            by_token!(operation, RespondWorkflowTaskFailedRequest, decode_workflow_token)
        }
        RpcKind::RecordActivityTaskHeartbeat => {
            by_token!(operation, RecordActivityTaskHeartbeatRequest, decode_activity_token)
        }
        RpcKind::RespondActivityTaskCanceled => {
            by_token!(operation, RespondActivityTaskCanceledRequest, decode_activity_token)
        }
        RpcKind::RespondActivityTaskCompleted => {
            by_token!(operation, RespondActivityTaskCompletedRequest, decode_activity_token)
        }
        RpcKind::RespondActivityTaskFailed => {
            by_token!(operation, RespondActivityTaskFailedRequest, decode_activity_token)
        }
        RpcKind::RecordActivityTaskHeartbeatById
        | RpcKind::RespondActivityTaskCanceledById
        | RpcKind::RespondActivityTaskCompletedById
        | RpcKind::RespondActivityTaskFailedById => of(NamedActivity::of(operation)?.execution),
        of_no_workflow!() => return None,
    })
}

fn of(execution: WorkflowExecution) -> About {
    About { workflow_id: execution.workflow_id, run_id: execution.run_id }
}

#[cfg(test)]
mod tests {
    use super::about;
    use crate::check::samples::{RUN, WORKFLOW, sound};
    use crate::observe::RpcKind;
    use std::collections::BTreeSet;

    #[test]
    fn calls_of_the_sample_are_about_its_run() {
        let operations = sound().operations;
        let named = operations.iter().filter_map(about);
        let named: BTreeSet<(String, String)> = named.map(|about| (about.workflow_id, about.run_id)).collect();
        let names = |run_id: &str| (WORKFLOW.to_owned(), run_id.to_owned());
        assert!(named.contains(&names(RUN)), "{named:?}");
        assert!(named.is_subset(&[names(RUN), names("")].into()), "{named:?}");
        let not_named = operations.iter().filter(|operation| about(operation).is_none());
        let asked: Vec<_> = not_named.map(|operation| operation.rpc.clone()).collect();
        assert_eq!(asked, [RpcKind::PollActivityTaskQueue], "of which the sample has not the whole answer");
    }
}
