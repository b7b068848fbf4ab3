//! What a shard reads beside itself, so that one slow read does not stall it.
use super::events::Event;
use super::executions::{Loaded, LoadedRun};
use super::owned::Owned;
use crate::codec::{decode_state, decode_task};
use crate::config::backoff;
use std::sync::Arc;
use tempest_api::WorkflowKey;
use tempest_core::{HistoryTask, RunId};
use tempest_store::{ShardId, Store, StoreCalls, StoreError, TaskKey};

impl Owned {
    /// Reads the workflow's current run pointer and the run meant.
    pub(super) fn begin_load(&mut self, workflow: WorkflowKey, run_id: RunId) {
        let store = self.node.store.clone();
        self.work.push(Box::pin(async move {
            let loaded = load(&*store, workflow.clone(), run_id).await;
            Event::Loaded(workflow, loaded)
        }));
    }

    pub(super) fn begin_transfer_read(&mut self) {
        let watermark = self.watermark();
        let Some((after, before, limit)) = self.transfers.begin_read(watermark) else { return };
        let page = self.read_tasks(after, before, limit);
        self.work.push(Box::pin(async move {
            let rows = page.await.into_iter().map(|(key, task)| (key.task_id, task)).collect();
            Event::TransferPage { before, limit, rows }
        }));
    }

    pub(super) fn begin_timer_read(&mut self) {
        let Some((after, before, limit)) = self.timers.begin_read() else { return };
        let page = self.read_tasks(after, before, limit);
        self.work.push(Box::pin(async move { Event::TimerPage { limit, rows: page.await } }));
    }

    /// A page of tasks, tried until it comes.
    fn read_tasks(
        &self,
        after: TaskKey,
        before: TaskKey,
        limit: usize,
    ) -> impl Future<Output = Vec<(TaskKey, HistoryTask)>> + Send + 'static {
        let (store, shard) = (self.node.store.clone(), self.shard);
        let (initial, max) = (self.node.config.task_retry_initial, self.node.config.task_retry_max);
        async move {
            let mut failures = 0;
            loop {
                match read_page(&store, shard, after, before, limit).await {
                    Ok(rows) => return rows,
                    Err(error) => {
                        tempest_rt::probe!("history-task-read-retried");
                        failures += 1;
                        tracing::warn!(%error, failures, "history tasks could not be read");
                        tempest_rt::time::sleep(backoff(initial, max, failures)).await;
                    }
                }
            }
        }
    }
}

async fn load(store: &dyn Store, workflow: WorkflowKey, run_id: RunId) -> Result<Loaded, StoreError> {
    let current = store.current_run(&workflow.namespace_id, &workflow.workflow_id).await?;
    let meant = if run_id.is_empty() { current.clone() } else { Some(run_id) };
    let Some(run_id) = meant else { return Ok(Loaded { workflow, current, run: None }) };
    let key = workflow.run(run_id.clone());
    let (state, bytes) = match store.run(&key).await? {
        None => (None, 0),
        Some(record) => {
            let state = decode_state(&record.row)?;
            if *state.key() != key || state.version() != record.version {
                return Err(StoreError::Corrupt(format!(
                    "the state stored for run {run_id} is another's or another version's"
                )));
            }
            (Some(Box::new(state)), record.row.len())
        }
    };
    if state.is_none() && current.as_ref() == Some(&run_id) {
        return Err(StoreError::Corrupt(format!("the current run {run_id} of {} is missing", workflow.workflow_id)));
    }
    Ok(Loaded { workflow, current, run: Some(LoadedRun { run_id, state, bytes }) })
}

async fn read_page(
    store: &Arc<dyn Store>,
    shard: ShardId,
    after: TaskKey,
    before: TaskKey,
    limit: usize,
) -> Result<Vec<(TaskKey, HistoryTask)>, StoreError> {
    let rows = store.tasks(shard, after, before, limit).await?;
    rows.into_iter().map(|row| Ok((row.key, decode_task(&row.body)?))).collect()
}
