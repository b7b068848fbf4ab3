//! The response to a worker that gets a workflow task: what the core says of it, history's first page, and tokens.
use crate::HistoryConfig;
use crate::config::backoff;
use crate::history_read::{PageSize, read_events};
use tempest_api::proto::history::v1::History;
use tempest_api::proto::workflowservice::v1::PollWorkflowTaskQueueResponse;
use tempest_api::{HistoryPageToken, ServiceResult, encode_token};
use tempest_core::{BranchRef, RunKey, WorkflowTaskStarted};
use tempest_store::Store;

/// Tries of one read: the task's start is recorded, and without an answer the worker would lose it until it times out.
const READ_TRIES_MAX: u32 = 5;

pub(crate) async fn poll_response(
    store: &dyn Store,
    config: &HistoryConfig,
    run: &RunKey,
    branch: &BranchRef,
    started: WorkflowTaskStarted,
) -> ServiceResult<PollWorkflowTaskQueueResponse> {
    let WorkflowTaskStarted { mut response, token, history_from, history_until, transient_events } = started;
    let until = history_until + 1;
    let events = if tempest_rt::buggify!("history-poll-page-of-one") { 1 } else { config.poll_page_events };
    let page = PageSize { events, bytes: config.history_page_bytes_max };
    let mut tries = 1;
    let mut events = loop {
        match read_events(store, branch, history_from, until, page, config.history_nodes_per_read).await {
            Ok(events) => break events,
            Err(error) if error.is_retryable() && tries < READ_TRIES_MAX => {
                tempest_rt::probe!("history-poll-read-retried");
                let pause = backoff(config.task_retry_initial, config.task_retry_max, tries);
                tempest_rt::time::sleep(pause).await;
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    };
    let next = events.last().map_or(history_from, |last| last.event_id + 1);
    if next < until {
        let token = HistoryPageToken {
            run: run.clone(),
            branch: branch.clone(),
            from: next,
            until,
            wait: false,
            transient: !transient_events.is_empty(),
        };
        response.next_page_token = token.encode();
    } else {
        events.extend(transient_events);
    }
    response.task_token = encode_token(&token);
    response.history = Some(History { events });
    Ok(response)
}
