//! The applicants: they hand in page by page, may withdraw, and wait for the decision.
use super::desk::Desk;
use super::workflow::{Application, Form};
use super::{Sizes, clerk, evictions, reader};
use futures::future::try_join_all;
use std::sync::Arc;
use std::time::Duration;
use tempest::{Client, Handle};
use temporalio_client::errors::WorkflowStartError;
use temporalio_client::tonic::Status;
use temporalio_client::{WorkflowIdReusePolicy, WorkflowStartOptions};

/// Every applicant at once, each with a clerk.
pub async fn apply(client: Client, desk: Arc<Desk>, sizes: Sizes) -> anyhow::Result<()> {
    try_join_all((0..sizes.applications).map(|number| applicant(&client, &desk, &sizes, number))).await?;
    Ok(())
}

async fn applicant(client: &Client, desk: &Desk, sizes: &Sizes, number: u64) -> anyhow::Result<()> {
    let id = format!("application-{number}");
    let draw =
        |what: &str, ordinal, range| client.decisions().between(&format!("applicant.{what}.{id}"), ordinal, range);
    sleep(draw("arrives", 0, 0..=sizes.spread_ms)).await;
    let form = Form { id: id.clone(), pages: draw("pages", 0, 1..=sizes.pages_max.max(1)) };
    for page in 1..=form.pages {
        hand_in(client, &form, page).await?;
        sleep(draw("next_page_after", page, 0..=1_500)).await;
    }
    let handle = client.sdk().get_workflow_handle::<Application>(id.clone());
    let withdrawing = async {
        if draw("withdraws", 0, 1..=100) <= sizes.withdrawn_percent {
            sleep(draw("withdraws_after", 0, 0..=6_000)).await;
            client.cancel(&handle, "the applicant changed their mind").await?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        biased;
        decided = futures::future::try_join(withdrawing, decided(client, desk, &handle)) => { decided?; }
        gave_up = clerk::work(client, desk, sizes, &id) => gave_up?,
        gave_up = reader::follow(client, &id) => gave_up?,
        gave_up = evictions::happen(client, &id) => gave_up?,
    }
    reader::compare(client, &id).await
}

/// Starts the application with its first page; the others reach the one that is open.
async fn hand_in(client: &Client, form: &Form, page: u64) -> anyhow::Result<()> {
    // A page that arrives late must not begin the application once more.
    let options = WorkflowStartOptions::new(tempest::TASK_QUEUE, form.id.clone())
        .id_reuse_policy(WorkflowIdReusePolicy::RejectDuplicate)
        .build();
    let call = || async {
        let (sdk, form, options) = (client.sdk(), form.clone(), options.clone());
        match sdk.signal_with_start_workflow(Application::run, form, Application::page, page, options).await {
            // It has been decided already, so an earlier try, whose answer was lost, handed in this page.
            Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => Ok(()),
            Err(WorkflowStartError::Rpc(status)) => Err(status),
            Err(other) => Err(Status::invalid_argument(other.to_string())),
        }
    };
    client.until_known(format!("page {page} of {} to be handed in", form.id), call).await?;
    Ok(())
}

async fn decided(client: &Client, desk: &Desk, handle: &Handle<Application>) -> anyhow::Result<()> {
    let id = &handle.info().workflow_id;
    match client.result(handle).await {
        Ok(decision) => {
            anyhow::ensure!(desk.was_written(id, &decision), "{id} was decided as {decision:?}, which no clerk wrote");
            Ok(())
        }
        // Refused or withdrawn.
        Err(error) if error.is_workflow_outcome() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn sleep(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
