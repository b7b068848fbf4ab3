//! What a shard reads beside itself, so that one slow read does not stall it.
use super::effects::TaskPage;
use super::executions::{Loaded, LoadedRun};
use crate::codec::{decode_record, decode_task};
use crate::config::backoff;
use std::sync::Arc;
use std::time::Duration;
use tempest_api::WorkflowKey;
use tempest_core::{HistoryTask, RunId};
use tempest_store::{ShardId, Store, StoreCalls, StoreError, TaskKey};

/// A page of tasks, tried until it comes, with pauses from the first to the second of `retry`.
pub(super) async fn tasks(
    store: Arc<dyn Store>,
    shard: ShardId,
    page: TaskPage,
    retry: (Duration, Duration),
) -> Vec<(TaskKey, HistoryTask)> {
    let mut failures = 0;
    loop {
        match read_page(&*store, shard, page).await {
            Ok(rows) => return rows,
            Err(error) => {
                tempest_rt::probe!("history-task-read-retried");
                failures += 1;
                tracing::warn!(%error, failures, "history tasks could not be read");
                tempest_rt::time::sleep(backoff(retry.0, retry.1, failures)).await;
            }
        }
    }
}

/// The workflow's current run pointer and the run meant.
pub(super) async fn load(store: &dyn Store, workflow: WorkflowKey, run_id: RunId) -> Result<Loaded, StoreError> {
    let current = store.current_run(&workflow.namespace_id, &workflow.workflow_id).await?;
    let meant = if run_id.is_empty() { current.clone() } else { Some(run_id) };
    let Some(run_id) = meant else { return Ok(Loaded { workflow, current, run: None }) };
    let key = workflow.run(run_id.clone());
    let (state, bytes) = match store.run(&key).await? {
        None => (None, 0),
        Some(record) => {
            let state = decode_record(&record)?;
            if *state.key() != key || state.version() != record.version {
                return Err(StoreError::Corrupt(format!(
                    "the state stored for run {run_id} is another's or another version's"
                )));
            }
            let bytes = state.approximate_bytes();
            (Some(Box::new(state)), bytes)
        }
    };
    if state.is_none() && current.as_ref() == Some(&run_id) {
        return Err(StoreError::Corrupt(format!("the current run {run_id} of {} is missing", workflow.workflow_id)));
    }
    Ok(Loaded { workflow, current, run: Some(LoadedRun { run_id, state, bytes }) })
}

async fn read_page(
    store: &dyn Store,
    shard: ShardId,
    page: TaskPage,
) -> Result<Vec<(TaskKey, HistoryTask)>, StoreError> {
    let rows = store.tasks(shard, page.after, page.before, page.limit).await?;
    rows.into_iter().map(|row| Ok((row.key, decode_task(&row.body)?))).collect()
}
