//! Readers of a case: they page through its history forwards and backwards.
use std::time::Duration;
use tempest::Client;
use tempest::proto::common::v1::WorkflowExecution;
use tempest::proto::history::v1::HistoryEvent;
use tempest::proto::workflowservice::v1 as api;
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::{Request, Status};

/// Small enough that every history has several pages.
const EVENTS_OF_A_PAGE: i32 = 3;

/// Looks at the history again and again, backwards. A look that fails is not repeated: what counts is that what is shown is
/// true.
pub async fn follow(client: &Client, id: &str) -> anyhow::Result<()> {
    for look in 0.. {
        let pause = client.decisions().between(&format!("reader.pause.{id}"), look, 500..=5_000);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let Ok(run) = current_run(client, id).await else { continue };
        let mut token = Vec::new();
        while let Ok(page) = page_backwards(client, &run, token).await {
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// Reads the history of what has ended in both directions: it is the same.
pub async fn compare(client: &Client, id: &str) -> anyhow::Result<()> {
    let run = client.until_known(format!("{id} to be described"), || current_run(client, id)).await?;
    let (forwards, mut backwards) = (forwards(client, &run).await?, backwards(client, &run).await?);
    backwards.reverse();
    anyhow::ensure!(
        forwards == backwards,
        "{id} has {} events read forwards and {} read backwards, and they are not the same",
        forwards.len(),
        backwards.len()
    );
    Ok(())
}

async fn current_run(client: &Client, id: &str) -> Result<WorkflowExecution, Status> {
    let request = api::DescribeWorkflowExecutionRequest {
        namespace: tempest::NAMESPACE.to_owned(),
        execution: Some(WorkflowExecution { workflow_id: id.to_owned(), run_id: String::new() }),
    };
    let mut sdk = client.sdk().clone();
    let described = sdk.describe_workflow_execution(Request::new(request)).await?.into_inner();
    let info = described.workflow_execution_info.and_then(|info| info.execution);
    info.ok_or_else(|| Status::internal("a description without an execution"))
}

async fn forwards(client: &Client, run: &WorkflowExecution) -> anyhow::Result<Vec<HistoryEvent>> {
    let (mut events, mut next_page_token) = (Vec::new(), Vec::new());
    loop {
        let request = api::GetWorkflowExecutionHistoryRequest {
            namespace: tempest::NAMESPACE.to_owned(),
            execution: Some(run.clone()),
            maximum_page_size: EVENTS_OF_A_PAGE,
            next_page_token,
            ..Default::default()
        };
        let call = || {
            let (mut sdk, request) = (client.sdk().clone(), Request::new(request.clone()));
            async move { sdk.get_workflow_execution_history(request).await }
        };
        let page = client.until_known(format!("the history of {}", run.workflow_id), call).await?.into_inner();
        events.extend(page.history.into_iter().flat_map(|history| history.events));
        next_page_token = page.next_page_token;
        if next_page_token.is_empty() {
            return Ok(events);
        }
    }
}

async fn backwards(client: &Client, run: &WorkflowExecution) -> anyhow::Result<Vec<HistoryEvent>> {
    let (mut events, mut token) = (Vec::new(), Vec::new());
    loop {
        let call = || page_backwards(client, run, token.clone());
        let page = client.until_known(format!("the history of {}, backwards", run.workflow_id), call).await?;
        events.extend(page.history.into_iter().flat_map(|history| history.events));
        token = page.next_page_token;
        if token.is_empty() {
            return Ok(events);
        }
    }
}

async fn page_backwards(
    client: &Client,
    run: &WorkflowExecution,
    next_page_token: Vec<u8>,
) -> Result<api::GetWorkflowExecutionHistoryReverseResponse, Status> {
    let request = api::GetWorkflowExecutionHistoryReverseRequest {
        namespace: tempest::NAMESPACE.to_owned(),
        execution: Some(run.clone()),
        maximum_page_size: EVENTS_OF_A_PAGE,
        next_page_token,
    };
    let mut sdk = client.sdk().clone();
    Ok(sdk.get_workflow_execution_history_reverse(Request::new(request)).await?.into_inner())
}
