//! A worker's cache that is too small: now and then it evicts the run of an application, and says so. The next workflow task
//! then goes to any worker, which replays the run from its history.
use std::time::Duration;
use tempest::Client;
use tempest::proto::common::v1::WorkflowExecution;
use tempest::proto::workflowservice::v1 as api;
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::{Code, Request};

/// Evicts the current run of an application again and again. Never comes to an end: the application does.
pub async fn happen(client: &Client, id: &str) -> anyhow::Result<()> {
    for eviction in 0.. {
        let pause = client.decisions().between(&format!("eviction.pause.{id}"), eviction, 1_000..=10_000);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let request = api::ResetStickyTaskQueueRequest {
            namespace: tempest::NAMESPACE.to_owned(),
            execution: Some(WorkflowExecution { workflow_id: id.to_owned(), run_id: String::new() }),
        };
        let call = || {
            let (mut sdk, request) = (client.sdk().clone(), Request::new(request.clone()));
            async move { sdk.reset_sticky_task_queue(request).await }
        };
        match client.until_known(format!("an eviction of {id}"), call).await {
            Ok(_) => {}
            // It has closed meanwhile.
            Err(status) if status.code() == Code::NotFound => {}
            Err(status) => return Err(status.into()),
        }
    }
    Ok(())
}
