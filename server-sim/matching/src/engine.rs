//! The matching role: finds the partition for a call.
use crate::config::{ConfigError, MatchingConfig};
use crate::partition::RATE_UNLIMITED;
use crate::queue::{Queue, Shared, StartedTask, Unloaded, acknowledged, keep};
use crate::task::QueuedTask;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tempest_api::proto::enums::v1::{TaskQueueKind, TaskQueueType as ProtoQueueType};
use tempest_api::proto::taskqueue::v1::{PollerInfo, TaskQueue, TaskQueueStats, TaskQueueStatus};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{AddActivityTask, AddWorkflowTask, HistoryService, MatchingService, ServiceError, ServiceResult};
use tempest_core::{NamespaceId, Time};
use tempest_rt::task::TaskGroup;
use tempest_rt::time::Instant;
use tempest_store::{PartitionKey, Store, TaskQueueType};

/// How often idle partitions are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct QueueKey {
    partition: PartitionKey,
    sticky: bool,
}

/// What waits for polls in the partitions that a node has loaded. Rows of partitions that nobody has used since they came to
/// the node are not counted: only the store knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MatchingBacklog {
    pub partitions: u64,
    /// Tasks in memory that no poll has taken yet.
    pub tasks: u64,
    /// Whether the store may hold more of them.
    pub unread: bool,
}

/// The matching role of a node.
pub struct Matching {
    shared: Arc<Shared>,
    queues: Mutex<BTreeMap<QueueKey, Arc<Queue>>>,
}

impl Matching {
    /// Background work ends with `tasks`. Until [`Matching::connect`] no task is handed out.
    ///
    /// # Errors
    /// A bound of `config` is out of its range.
    pub fn start(store: Arc<dyn Store>, config: MatchingConfig, tasks: TaskGroup) -> Result<Arc<Self>, ConfigError> {
        config.validate()?;
        let shared = Shared { store, config, tasks: tasks.clone(), epoch: Instant::now(), history: Mutex::new(None) };
        let matching = Arc::new(Self { shared: Arc::new(shared), queues: Mutex::new(BTreeMap::new()) });
        let sweeping = Arc::downgrade(&matching);
        tasks.spawn(async move {
            loop {
                tempest_rt::time::sleep(SWEEP_INTERVAL).await;
                let Some(matching) = sweeping.upgrade() else { return };
                matching.unload_idle();
            }
        });
        Ok(matching)
    }

    /// Says where starts are recorded. The caller keeps `history` alive: history itself holds on to matching.
    pub fn connect(&self, history: &Arc<dyn HistoryService>) {
        let weak: Weak<dyn HistoryService> = Arc::downgrade(history);
        *self.shared.history.lock().expect("no holder of this lock panics") = Some(weak);
    }

    /// Partitions in memory, for tests and operators.
    pub fn partitions_loaded(&self) -> usize {
        self.queues.lock().expect("no holder of this lock panics").len()
    }

    #[cfg(test)]
    pub(crate) fn every_partition(&self) -> Vec<Arc<Queue>> {
        self.queues.lock().expect("no holder of this lock panics").values().cloned().collect()
    }

    /// What waits here, for operators.
    pub fn backlog(&self) -> MatchingBacklog {
        let queues = self.queues.lock().expect("no holder of this lock panics");
        let mut sum = MatchingBacklog::default();
        for (tasks, unread) in queues.values().map(|queue| queue.backlog()) {
            sum.partitions += 1;
            sum.tasks += tasks as u64;
            sum.unread |= unread;
        }
        sum
    }

    /// Lets go of every partition that belongs elsewhere. Its polls end empty, so that their callers ask again and find
    /// the node where it is now; tasks that were not acknowledged yet are refused, and come again.
    pub fn keep_only(&self, is_ours: impl Fn(&NamespaceId, &str) -> bool) {
        let mut queues = self.queues.lock().expect("no holder of this lock panics");
        queues.retain(|key, queue| {
            let ours = is_ours(&key.partition.namespace_id, &key.partition.name);
            if !ours {
                tempest_rt::probe!("matching-partition-handed-over");
                queue.leave();
            }
            ours
        });
    }

    fn unload_idle(&self) {
        let mut queues = self.queues.lock().expect("no holder of this lock panics");
        queues.retain(|_, queue| !queue.unload_if_idle());
    }

    fn loaded(&self, key: &QueueKey) -> Option<Arc<Queue>> {
        self.queues.lock().expect("no holder of this lock panics").get(key).cloned()
    }

    fn load(&self, key: &QueueKey) -> Arc<Queue> {
        let mut queues = self.queues.lock().expect("no holder of this lock panics");
        if let Some(queue) = queues.get(key) {
            return Arc::clone(queue);
        }
        let queue = Queue::new(key.partition.clone(), key.sticky, Arc::clone(&self.shared));
        self.shared.tasks.spawn(keep(Arc::clone(&queue)));
        queues.insert(key.clone(), Arc::clone(&queue));
        queue
    }

    async fn add(&self, key: QueueKey, task: QueuedTask) -> ServiceResult<()> {
        loop {
            // Only a poll loads a sticky queue: before the first one there is no worker behind it.
            let queue = match key.sticky {
                true => self.loaded(&key).ok_or(ServiceError::StickyWorkerUnavailable)?,
                false => self.load(&key),
            };
            match queue.add(task.clone()) {
                Ok(receiver) => return acknowledged(receiver).await,
                Err(Unloaded) => self.forget(&key, &queue),
            }
        }
    }

    async fn poll(
        &self,
        key: QueueKey,
        identity: &str,
        rate_per_second: f64,
        timeout: Duration,
    ) -> ServiceResult<Option<(StartedTask, usize)>> {
        loop {
            let queue = self.load(&key);
            match queue.poll(identity, rate_per_second, timeout).await {
                Ok(answer) => return Ok(answer?.map(|started| (started, queue.tasks_waiting()))),
                Err(Unloaded) => self.forget(&key, &queue),
            }
        }
    }

    /// Takes an unloaded partition off the map, unless another has its place already.
    fn forget(&self, key: &QueueKey, unloaded: &Arc<Queue>) {
        let mut queues = self.queues.lock().expect("no holder of this lock panics");
        if queues.get(key).is_some_and(|queue| Arc::ptr_eq(queue, unloaded)) {
            queues.remove(key);
        }
    }
}

fn key(namespace: &NamespaceId, name: &str, queue_type: TaskQueueType, sticky: bool) -> QueueKey {
    let partition = PartitionKey { namespace_id: namespace.clone(), name: name.to_owned(), queue_type, partition: 0 };
    QueueKey { partition, sticky }
}

/// The polled queue; its kind tells sticky from normal.
fn polled(namespace: &NamespaceId, queue: Option<&TaskQueue>, queue_type: TaskQueueType) -> ServiceResult<QueueKey> {
    let queue = queue.ok_or_else(|| ServiceError::InvalidArgument("taskQueue is not set".to_owned()))?;
    Ok(key(namespace, &queue.name, queue_type, queue.kind == TaskQueueKind::Sticky as i32))
}

#[async_trait]
impl MatchingService for Matching {
    async fn add_workflow_task(&self, task: AddWorkflowTask) -> ServiceResult<()> {
        let sticky = task.sticky_for.is_some();
        let key = key(&task.run.namespace_id, &task.task_queue, TaskQueueType::Workflow, sticky);
        self.add(key, QueuedTask::Workflow(task)).await
    }

    async fn add_activity_task(&self, task: AddActivityTask) -> ServiceResult<()> {
        let key = key(&task.run.namespace_id, &task.task_queue, TaskQueueType::Activity, false);
        self.add(key, QueuedTask::Activity(task)).await
    }

    async fn poll_workflow_task_queue(
        &self,
        namespace: &NamespaceId,
        request: api::PollWorkflowTaskQueueRequest,
        timeout: Duration,
    ) -> ServiceResult<api::PollWorkflowTaskQueueResponse> {
        let key = polled(namespace, request.task_queue.as_ref(), TaskQueueType::Workflow)?;
        Ok(match self.poll(key, &request.identity, RATE_UNLIMITED, timeout).await? {
            Some((StartedTask::Workflow(response), waiting)) => {
                api::PollWorkflowTaskQueueResponse { backlog_count_hint: count(waiting), ..*response }
            }
            _ => api::PollWorkflowTaskQueueResponse::default(),
        })
    }

    async fn poll_activity_task_queue(
        &self,
        namespace: &NamespaceId,
        request: api::PollActivityTaskQueueRequest,
        timeout: Duration,
    ) -> ServiceResult<api::PollActivityTaskQueueResponse> {
        let key = polled(namespace, request.task_queue.as_ref(), TaskQueueType::Activity)?;
        let asked = request.task_queue_metadata.and_then(|metadata| metadata.max_tasks_per_second);
        // As in Temporal, the latest poll counts, also if it asks for no limit.
        let rate_per_second = asked.unwrap_or(RATE_UNLIMITED);
        Ok(match self.poll(key, &request.identity, rate_per_second, timeout).await? {
            Some((StartedTask::Activity(response), _)) => *response,
            _ => api::PollActivityTaskQueueResponse::default(),
        })
    }

    async fn describe_task_queue(
        &self,
        namespace: &NamespaceId,
        request: api::DescribeTaskQueueRequest,
    ) -> ServiceResult<api::DescribeTaskQueueResponse> {
        let queue_type = match ProtoQueueType::try_from(request.task_queue_type) {
            Ok(ProtoQueueType::Activity) => TaskQueueType::Activity,
            _ => TaskQueueType::Workflow,
        };
        let key = polled(namespace, request.task_queue.as_ref(), queue_type)?;
        let queue = match key.sticky {
            // Asking must not load a sticky queue, or it would look as if a worker were there.
            true => self.loaded(&key),
            false => Some(self.load(&key)),
        };
        let (pollers, waiting) = queue.as_ref().map(|queue| queue.describe()).unwrap_or_default();
        // Of the queue: what each poller asked for is not remembered.
        let rate_per_second = queue.map_or(RATE_UNLIMITED, |queue| queue.rate_per_second());
        let now = Time(tempest_rt::time::wall_clock_ns());
        let pollers = pollers
            .into_iter()
            .map(|(identity, age)| PollerInfo {
                last_access_time: Some(before(now, age)),
                identity,
                rate_per_second,
                ..PollerInfo::default()
            })
            .collect();
        #[allow(deprecated)] // clients of today still ask for it
        let task_queue_status = request.include_task_queue_status.then(|| TaskQueueStatus {
            backlog_count_hint: count(waiting),
            rate_per_second,
            ..TaskQueueStatus::default()
        });
        let stats = request
            .report_stats
            .then(|| TaskQueueStats { approximate_backlog_count: count(waiting), ..TaskQueueStats::default() });
        #[allow(deprecated)]
        Ok(api::DescribeTaskQueueResponse { pollers, task_queue_status, stats, ..Default::default() })
    }

    async fn unload_sticky_task_queue(&self, namespace: &NamespaceId, sticky_task_queue: &str) -> ServiceResult<()> {
        let key = key(namespace, sticky_task_queue, TaskQueueType::Workflow, true);
        let queue = self.queues.lock().expect("no holder of this lock panics").remove(&key);
        let Some(queue) = queue else { return Ok(()) };
        for task in queue.unload_sticky() {
            if let QueuedTask::Workflow(AddWorkflowTask { sticky_for: Some(normal), .. }) = &task {
                tempest_rt::probe!("matching-sticky-task-moved");
                let normal = normal.clone();
                let QueuedTask::Workflow(task) = task else { continue };
                // If this fails the task's schedule-to-start timer brings it back.
                let _ = self
                    .add_workflow_task(AddWorkflowTask {
                        task_queue: normal,
                        sticky_for: None,
                        schedule_to_start_timeout: None,
                        ..task
                    })
                    .await;
            }
        }
        Ok(())
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn before(now: Time, age: Duration) -> prost_wkt_types::Timestamp {
    Time(now.0.saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX))).to_proto()
}
