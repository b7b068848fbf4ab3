//! Workflows that no worker works on, as benches start, signal and read them.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by a panic")]
use tempest_api::proto::common::v1::{WorkflowExecution, WorkflowType};
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_client::WorkflowServiceClient;
use tonic::transport::Channel;

pub type Client = WorkflowServiceClient<Channel>;

fn execution(number: u64) -> Option<WorkflowExecution> {
    Some(WorkflowExecution { workflow_id: format!("open-{number}"), ..Default::default() })
}

pub async fn start(mut client: Client, number: u64) {
    let request = api::StartWorkflowExecutionRequest {
        namespace: "default".into(),
        request_id: format!("start-{number}"),
        workflow_id: format!("open-{number}"),
        workflow_type: Some(WorkflowType { name: "Open".into() }),
        task_queue: Some(TaskQueue { name: "nobody".into(), ..Default::default() }),
        ..Default::default()
    };
    client.start_workflow_execution(request).await.unwrap();
}

/// Another one in each round.
pub fn signal(number: u64, round: u64) -> api::SignalWorkflowExecutionRequest {
    api::SignalWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: execution(number),
        signal_name: "look".into(),
        request_id: format!("signal-{number}-{round}"),
        ..Default::default()
    }
}

/// The whole history, which has something in it.
pub async fn read(mut client: Client, number: u64) {
    let request = api::GetWorkflowExecutionHistoryRequest {
        namespace: "default".into(),
        execution: execution(number),
        ..Default::default()
    };
    let answer = client.get_workflow_execution_history(request).await.unwrap().into_inner();
    assert!(!answer.history.unwrap().events.is_empty());
}
