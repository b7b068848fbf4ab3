//! The one background task of a partition: it leases, writes, reads and deletes, one after the other, and watches the
//! clock for the matcher. One at a time: no read can overtake a write, nor a lease either of them.
use super::{Append, Held, KeeperSleep, Queue, State};
use crate::backlog::{Situation, Step};
use crate::partition::TaskId;
use crate::task::StoredTask;
use std::sync::Arc;
use std::time::Duration;
use tempest_api::{ServiceError, ServiceResult};
use tempest_rt::time::{sleep, sleep_until_maybe};
use tempest_store::{BacklogCommit, BacklogRow, CommitOutcome, RangeId, StoreCalls, StoreError};

/// How long the store is left alone after it was unavailable.
const STORE_PAUSE: Duration = Duration::from_millis(100);

/// If its keeper panics, the queue is unloaded, and the next caller loads it anew from the store.
struct Kept<'a>(&'a Queue);

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(queue = self.0.key.name, "the keeper of a task queue panicked: it is loaded anew");
            self.0.leave();
        }
    }
}

/// Keeps `queue` until it is unloaded.
pub(crate) async fn keep(queue: Arc<Queue>) {
    let _kept = Kept(&queue);
    loop {
        let mut timeline = queue.shared.store.timeline();
        let step = {
            let mut state = queue.lock();
            if state.unloaded {
                return;
            }
            let timeline_now = timeline.borrow_and_update();
            if state.leased_on.is_some_and(|timeline| timeline != *timeline_now) {
                // What was done with may be undone: tasks whose start was lost must be read again.
                tempest_rt::probe!("matching-partition-failed-over");
                tracing::warn!(queue = queue.key.name, "the database failed over: the task queue is loaded anew");
                return queue.leave_locked(&mut state);
            }
            let actions = state.matcher.tick(queue.shared.now());
            queue.perform(&mut state, actions);
            let step = queue.next_step(&state);
            state.keeper_sleeps = match step {
                Step::Wait { until } => Some(KeeperSleep { until }),
                _ => None,
            };
            step
        };
        match step {
            Step::Lease => queue.lease().await,
            Step::Write => queue.write().await,
            Step::Read { after } => queue.read(after).await,
            Step::Wait { until } => {
                let until = until.map(|until| queue.shared.epoch + until);
                tokio::select! {
                    biased;
                    () = queue.wake.notified() => {}
                    Ok(()) = timeline.changed() => {}
                    () = sleep_until_maybe(until) => {}
                }
            }
        }
    }
}

/// A backlog write that is under way.
struct Write {
    commit: BacklogCommit,
    rows: Vec<i64>,
    appends: Vec<Append>,
}

impl Queue {
    /// Wakes the keeper if there is something for it to do before it wakes by itself. Most polls, and most tasks given to
    /// one, leave it nothing to do, and each turn of it is one more task for the runtime.
    pub(super) fn wake_keeper(&self, state: &State) {
        let sleeps_on = |sleep: &KeeperSleep| match (self.next_step(state), sleep.until) {
            (Step::Wait { until: None }, _) => true,
            (Step::Wait { until: Some(until) }, Some(wakes)) => wakes <= until,
            _ => false,
        };
        if state.unloaded || !state.keeper_sleeps.as_ref().is_some_and(sleeps_on) {
            self.wake.notify_one();
        }
    }

    fn next_step(&self, state: &State) -> Step {
        let config = &self.shared.config;
        let tick = state.matcher.next_tick();
        if self.sticky {
            return Step::Wait { until: tick };
        }
        let situation = Situation {
            now: self.shared.now(),
            appends: state.appends.len(),
            buffered: state.tasks.len(),
            buffered_low: config.backlog_buffer_tasks_max.saturating_sub(config.backlog_page_rows_max).max(1),
            deletion_batch_rows: config.deletion_batch_rows,
            deletion_interval: config.deletion_interval,
            lease_check_interval: config
                .lease_check_interval
                .filter(|_| !tempest_rt::planted!(tempest_core::planted::IDLE_OWNER_NEVER_CHECKS)),
        };
        match state.backlog.next_step(situation) {
            Step::Wait { until } => Step::Wait { until: until.into_iter().chain(tick).min() },
            step => step,
        }
    }

    async fn lease(self: &Arc<Self>) {
        let leased = self.shared.store.lease_partition(&self.key).await;
        let mut state = self.lock();
        match leased {
            Ok(record) => {
                tracing::debug!(queue = self.key.name, range = %record.range_id, "task queue partition leased");
                // If it is another than before, nothing of that is done to the store any more.
                state.leased_on.get_or_insert(record.range_id.timeline());
                state.backlog.leased(&record, self.shared.now());
                self.known.notify_waiters();
            }
            Err(error) => {
                tracing::warn!(queue = self.key.name, %error, "task queue partition not leased");
                state.backlog.pause(self.shared.now() + STORE_PAUSE);
                for mut append in std::mem::take(&mut state.appends) {
                    append.answer(Err(ServiceError::Unavailable(format!("task queue is not available: {error}"))));
                }
            }
        }
    }

    async fn write(self: &Arc<Self>) {
        if tempest_rt::planted!(crate::plants::BACKLOG_ACKNOWLEDGED_BEFORE_DURABLE) {
            sleep(Duration::from_millis(500)).await;
        }
        let Some(write) = self.begin_write() else { return };
        let outcome = self.shared.store.commit_backlog(write.commit.clone()).await;
        let mut state = self.lock();
        let refused = match outcome {
            CommitOutcome::Committed => return self.written(&mut state, write),
            CommitOutcome::OutcomeUnknown(_)
                if tempest_rt::planted!(crate::plants::UNKNOWN_APPEND_TAKEN_FOR_WRITTEN) =>
            {
                return self.written(&mut state, write);
            }
            CommitOutcome::Unavailable(why) => {
                state.backlog.pause(self.shared.now() + STORE_PAUSE);
                ServiceError::Unavailable(format!("task queue is not available: {why}"))
            }
            CommitOutcome::Conflict(why) => {
                state.backlog.lost();
                ServiceError::Unavailable(format!("task queue is not available: {why}"))
            }
            CommitOutcome::OwnershipLost { current } => {
                tempest_rt::probe!("matching-partition-lost");
                state.backlog.lost();
                ServiceError::Unavailable(format!("another node has leased the task queue, with range {current}"))
            }
            CommitOutcome::OutcomeUnknown(why) => {
                // A new lease fences this write; then the store says whether it happened. The caller adds again.
                tempest_rt::probe!("matching-append-outcome-unknown");
                state.backlog.lost();
                state.backlog.pause(self.shared.now() + STORE_PAUSE);
                ServiceError::OutcomeUnknown(format!("whether the task was added is unknown: {why}"))
            }
        };
        tracing::warn!(queue = self.key.name, error = %refused, "backlog not written");
        for mut append in write.appends {
            append.answer(Err(refused.clone()));
        }
    }

    fn begin_write(&self) -> Option<Write> {
        let mut state = self.lock();
        let config = &self.shared.config;
        let range_id: RangeId = state.backlog.range_id()?;
        let count = state.appends.len().min(config.append_batch_rows_max);
        let rows = if count == 0 { Vec::new() } else { state.backlog.row_ids(count) };
        if rows.len() < count && rows.is_empty() {
            return None; // the lease ran out of ids: the next one has more
        }
        let appends: Vec<Append> = state.appends.drain(..rows.len()).collect();
        let added = rows
            .iter()
            .zip(&appends)
            .map(|(row, append)| BacklogRow { task_id: *row, body: append.stored.encode() })
            .collect();
        let deletions_max = config.deletion_batch_rows.max(config.append_batch_rows_max);
        let (deleted, ack_level) = state.backlog.deletions(deletions_max);
        let rows_after = state.backlog.rows_after(rows.len(), deleted.len());
        let partition = self.key.clone();
        let commit = BacklogCommit { partition, range_id, added, deleted, ack_level, rows: rows_after };
        Some(Write { commit, rows, appends })
    }

    fn written(self: &Arc<Self>, state: &mut State, write: Write) {
        let now = self.shared.now();
        let Write { commit, rows, appends } = write;
        let room = self.shared.config.backlog_buffer_tasks_max.saturating_sub(state.tasks.len());
        let direct = state.backlog.written(&rows, &commit.deleted, commit.ack_level, now, room);
        for (row, mut append) in rows.into_iter().zip(appends) {
            append.answer(Ok(()));
            if direct {
                self.hold_row(state, row, append.stored, append.request_id);
            }
        }
    }

    async fn read(self: &Arc<Self>, after: i64) {
        let limit = self.shared.config.backlog_page_rows_max;
        let page = self.shared.store.backlog(&self.key, after, limit).await;
        let mut state = self.lock();
        let rows = match page {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(queue = self.key.name, %error, "backlog not read");
                if matches!(error, StoreError::OwnershipLost { .. }) {
                    state.backlog.lost();
                }
                state.backlog.pause(self.shared.now() + STORE_PAUSE);
                return;
            }
        };
        let ids: Vec<i64> = rows.iter().map(|row| row.task_id).collect();
        let new = state.backlog.read(&ids, limit);
        self.known.notify_waiters();
        if !new.is_empty() {
            tempest_rt::probe!("matching-backlog-read");
        }
        for row in rows.into_iter().filter(|row| new.binary_search(&row.task_id).is_ok()) {
            match StoredTask::decode(&row.body) {
                Ok(stored) => self.hold_row(&mut state, row.task_id, stored, None),
                // It stays in the store, and the ack level below it, for a build that can read it.
                Err(error) => {
                    tracing::error!(queue = self.key.name, row = row.task_id, %error, "unreadable backlog row")
                }
            }
        }
    }

    /// Its lifetime is counted from here: longer than it really has, which history's own timer makes harmless.
    fn hold_row(self: &Arc<Self>, state: &mut State, row: i64, stored: StoredTask, request_id: Option<String>) {
        let now = self.shared.now();
        let expires = stored.task.lifetime().map(|lifetime| now + lifetime);
        let id = TaskId::Row(row);
        state.tasks.insert(id, Held { stored, request_id, failures: 0, started: false, ack: None });
        let actions = state.matcher.add(now, id, expires);
        self.perform(state, actions);
    }
}

/// Waits for the acknowledgement of an add.
pub(crate) async fn acknowledged(receiver: tokio::sync::oneshot::Receiver<ServiceResult<()>>) -> ServiceResult<()> {
    let unloaded = || ServiceError::OutcomeUnknown("the task queue was unloaded before it had an answer".to_owned());
    receiver.await.unwrap_or_else(|_| Err(unloaded()))
}
