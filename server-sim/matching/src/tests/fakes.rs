//! A history and a store that do as they are told.
use async_trait::async_trait;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{HistoryService, Read, Reply, ServiceError, ServiceResult, Target, View};
use tempest_core::Input;
use tempest_store::*;

/// How history answers one attempt to record a start; with an empty script it succeeds at once.
pub(super) enum Record {
    Fail(ServiceError),
    Slow(Duration),
}

#[derive(Default)]
pub(super) struct FakeHistory {
    script: Mutex<VecDeque<Record>>,
    request_ids: Mutex<Vec<String>>,
}

impl FakeHistory {
    pub(super) fn script(&self, records: impl IntoIterator<Item = Record>) {
        self.script.lock().unwrap().extend(records);
    }

    pub(super) fn request_ids(&self) -> Vec<String> {
        self.request_ids.lock().unwrap().clone()
    }

    async fn record(&self, request_id: String) -> ServiceResult<()> {
        self.request_ids.lock().unwrap().push(request_id);
        let record = self.script.lock().unwrap().pop_front();
        match record {
            Some(Record::Fail(error)) => Err(error),
            Some(Record::Slow(time)) => {
                tempest_rt::time::sleep(time).await;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[async_trait]
impl HistoryService for FakeHistory {
    async fn call(&self, _: Target, input: Input) -> ServiceResult<Reply> {
        match input {
            Input::RecordWorkflowTaskStarted(request) => {
                self.record(request.request_id).await?;
                Ok(Reply::WorkflowTaskStarted(Box::new(api::PollWorkflowTaskQueueResponse {
                    started_event_id: request.scheduled_event_id + 1,
                    ..Default::default()
                })))
            }
            Input::RecordActivityTaskStarted(request) => {
                self.record(request.request_id).await?;
                Ok(Reply::ActivityTaskStarted(Box::new(api::PollActivityTaskQueueResponse {
                    activity_id: request.scheduled_event_id.to_string(),
                    ..Default::default()
                })))
            }
            input => panic!("matching does not ask history for {input:?}"),
        }
    }

    async fn read(&self, _: Target, read: Read) -> ServiceResult<View> {
        panic!("matching does not ask history for {read:?}")
    }
}

/// Backlogs in memory, fenced as the contract says.
#[derive(Default)]
pub(super) struct FakeStore {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    partitions: BTreeMap<PartitionKey, (PartitionRecord, BTreeMap<i64, BacklogRow>)>,
    /// The next commits with additions end like this; the flag says whether they are applied all the same.
    script: VecDeque<(CommitOutcome, bool)>,
    rows_ever: usize,
    pages_read: usize,
    panics: bool,
    refuses_leases: bool,
}

impl FakeStore {
    pub(super) fn script_commits(&self, outcomes: impl IntoIterator<Item = (CommitOutcome, bool)>) {
        self.inner.lock().unwrap().script.extend(outcomes);
    }

    /// The next commit panics after it was applied.
    pub(super) fn panic_once(&self) {
        self.inner.lock().unwrap().panics = true;
    }

    pub(super) fn rows(&self) -> Vec<i64> {
        self.inner.lock().unwrap().partitions.values().flat_map(|(_, rows)| rows.keys().copied()).collect()
    }

    pub(super) fn rows_ever(&self) -> usize {
        self.inner.lock().unwrap().rows_ever
    }

    pub(super) fn pages_read(&self) -> usize {
        self.inner.lock().unwrap().pages_read
    }

    pub(super) fn refuse_leases(&self, refuse: bool) {
        self.inner.lock().unwrap().refuses_leases = refuse;
    }

    pub(super) fn steal(&self) {
        for (record, _) in self.inner.lock().unwrap().partitions.values_mut() {
            record.range_id.0 += 1;
        }
    }

    fn apply(&self, commit: BacklogCommit) -> CommitOutcome {
        let mut inner = self.inner.lock().unwrap();
        let scripted = match commit.added.is_empty() {
            true => None,
            false => inner.script.pop_front(),
        };
        let added = commit.added.len();
        let (record, rows) = inner.partitions.get_mut(&commit.partition).expect("it was leased");
        if record.range_id != commit.range_id {
            return CommitOutcome::OwnershipLost { current: record.range_id };
        }
        if scripted.as_ref().is_none_or(|(_, applied)| *applied) {
            assert!(commit.ack_level >= record.ack_level, "the ack level never goes back");
            record.ack_level = commit.ack_level;
            record.rows = commit.rows;
            for row in commit.added {
                assert!(rows.insert(row.task_id, row).is_none(), "row ids are unique");
            }
            for row in commit.deleted {
                assert!(rows.remove(&row).is_some(), "a row is deleted once");
            }
            assert_eq!(record.rows, rows.len() as u64, "every row is counted once");
            inner.rows_ever += added;
        }
        scripted.map_or(CommitOutcome::Committed, |(outcome, _)| outcome)
    }
}

impl Store for FakeStore {
    fn write(&self, request: WriteRequest) -> WriteFuture {
        match request {
            WriteRequest::LeasePartition(partition) => {
                let mut inner = self.inner.lock().unwrap();
                if inner.refuses_leases {
                    return Box::pin(async { Err(StoreError::Unavailable("as a story says".into())) });
                }
                let (record, _) = inner.partitions.entry(partition).or_default();
                record.range_id.0 += 1;
                let leased = Written::Partition(record.clone());
                Box::pin(async move { Ok(leased) })
            }
            WriteRequest::Backlog(commit) => {
                let outcome = self.apply(commit);
                let panics = std::mem::take(&mut self.inner.lock().unwrap().panics);
                Box::pin(async move {
                    assert!(!panics, "as a bug would");
                    tempest_rt::time::sleep(Duration::from_millis(1)).await;
                    outcome.into()
                })
            }
            other => panic!("matching does not ask the store for this: {other:?}"),
        }
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        let ReadRequest::Backlog { partition, after, limit } = request else {
            panic!("matching does not ask the store for this: {request:?}")
        };
        let mut inner = self.inner.lock().unwrap();
        inner.pages_read += 1;
        let (_, rows) = inner.partitions.get(&partition).expect("it was leased");
        let found = rows.range(after + 1..).take(limit).map(|(_, row)| row.clone()).collect();
        Box::pin(async move { Ok(Found::Backlog(found)) })
    }

    fn timeline(&self) -> tokio::sync::watch::Receiver<Timeline> {
        tokio::sync::watch::Sender::default().subscribe()
    }

    fn hear_of(&self, _: Timeline) {}
}
