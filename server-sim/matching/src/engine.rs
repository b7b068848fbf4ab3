//! The matching role: finds the partition for a call.
use crate::config::{ConfigError, MatchingConfig};
use crate::partition::RATE_UNLIMITED;
use crate::queue::{Description, Queue, Shared, StartedTask, Unloaded, acknowledged, keep};
use crate::task::QueuedTask;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;
use tempest_api::proto::enums::v1::{TaskQueueKind, TaskQueueType as ProtoQueueType};
use tempest_api::proto::taskqueue::v1::{PollerInfo, TaskQueue, TaskQueueStats, TaskQueueStatus};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{
    AddActivityTask, AddWorkflowTask, HistoryService, MatchingAsk, MatchingReply, MatchingService, ServiceError,
    ServiceResult, TaskQueueKey, WorkerInstance,
};
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

/// What waits for polls in the partitions that a node has loaded. Rows of partitions that were not used since they came
/// to the node are not counted: only the store knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MatchingBacklog {
    pub partitions: u64,
    /// Tasks in memory that no poll has taken yet.
    pub tasks: u64,
    /// Whether the store may hold more of them.
    pub unread: bool,
}

/// Whether a task queue belongs to this node.
type IsOurs = Box<dyn Fn(&NamespaceId, &str) -> bool + Send + Sync>;

/// What this node has loaded, and what it may load. Under one lock: what was just given away is not loaded again.
#[derive(Default)]
struct Partitions {
    loaded: BTreeMap<QueueKey, Arc<Queue>>,
    /// As of the last [`Matching::keep_only`]; nothing on a node that is alone, to which every queue belongs.
    is_ours: Option<IsOurs>,
}

/// The matching role of a node.
pub struct Matching {
    shared: Arc<Shared>,
    partitions: Mutex<Partitions>,
    /// The whole cluster's matching. Weak: it holds on to this one.
    routed: Mutex<Option<Weak<dyn MatchingService>>>,
}

impl Matching {
    /// Background work ends with `tasks`. Until [`Matching::connect`] no task is handed out.
    ///
    /// # Errors
    /// A bound of `config` is out of its range.
    pub fn start(store: Arc<dyn Store>, config: MatchingConfig, tasks: TaskGroup) -> Result<Arc<Self>, ConfigError> {
        config.validate()?;
        let shared = Shared {
            store,
            config,
            tasks: tasks.clone(),
            epoch: Instant::now(),
            history: Mutex::new(None),
            gone: Mutex::default(),
        };
        let matching =
            Arc::new(Self { shared: Arc::new(shared), partitions: Mutex::default(), routed: Mutex::new(None) });
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

    /// Says where starts are recorded, and how tasks reach queues of other nodes: `matching` is the whole cluster's, or
    /// this one if the node is alone. The caller keeps both alive: they themselves hold on to this.
    pub fn connect(&self, history: &Arc<dyn HistoryService>, matching: &Arc<dyn MatchingService>) {
        let weak: Weak<dyn HistoryService> = Arc::downgrade(history);
        *self.shared.history.lock().expect("no holder of this lock panics") = Some(weak);
        *self.routed.lock().expect("no holder of this lock panics") = Some(Arc::downgrade(matching));
    }

    fn routed(&self) -> Option<Arc<dyn MatchingService>> {
        self.routed.lock().expect("no holder of this lock panics").as_ref().and_then(Weak::upgrade)
    }

    fn partitions(&self) -> MutexGuard<'_, Partitions> {
        self.partitions.lock().expect("no holder of this lock panics")
    }

    /// Partitions in memory.
    #[cfg(test)]
    pub(crate) fn partitions_loaded(&self) -> usize {
        self.partitions().loaded.len()
    }

    #[cfg(test)]
    pub(crate) fn every_partition(&self) -> Vec<Arc<Queue>> {
        self.partitions().loaded.values().cloned().collect()
    }

    /// What waits here, for operators.
    pub fn backlog(&self) -> MatchingBacklog {
        let partitions = self.partitions();
        let mut sum = MatchingBacklog::default();
        for (tasks, unread) in partitions.loaded.values().map(|queue| queue.backlog()) {
            sum.partitions += 1;
            sum.tasks += tasks as u64;
            sum.unread |= unread;
        }
        sum
    }

    /// Lets go of every partition that belongs elsewhere. Its polls end empty, so that their callers ask again and find
    /// the node where it is now; tasks that were not acknowledged yet are refused, and come again. Until the next call
    /// says otherwise, callers that ask for such a queue are sent on.
    pub fn keep_only(&self, is_ours: impl Fn(&NamespaceId, &str) -> bool + Send + Sync + 'static) {
        let mut partitions = self.partitions();
        partitions.loaded.retain(|key, queue| {
            let ours = is_ours(&key.partition.namespace_id, &key.partition.name);
            if !ours {
                tempest_rt::probe!("matching-partition-transferred");
                queue.leave();
            }
            ours
        });
        partitions.is_ours = Some(Box::new(is_ours));
    }

    fn unload_idle(&self) {
        self.partitions().loaded.retain(|_, queue| !queue.unload_if_idle());
    }

    fn loaded(&self, key: &QueueKey) -> Option<Arc<Queue>> {
        self.partitions().loaded.get(key).cloned()
    }

    fn load(&self, key: &QueueKey) -> ServiceResult<Arc<Queue>> {
        let mut partitions = self.partitions();
        if let Some(queue) = partitions.loaded.get(key) {
            return Ok(Arc::clone(queue));
        }
        let QueueKey { partition, .. } = key;
        if partitions.is_ours.as_ref().is_some_and(|is_ours| !is_ours(&partition.namespace_id, &partition.name)) {
            // Two nodes that lease one queue supersede each other without end. The caller asks its ring again.
            tempest_rt::probe!("matching-foreign-partition-not-loaded");
            return Err(ServiceError::ShardOwnershipLost { owner_host: String::new() });
        }
        let queue = Queue::new(key.partition.clone(), key.sticky, Arc::clone(&self.shared));
        self.shared.tasks.spawn(keep(Arc::clone(&queue)));
        partitions.loaded.insert(key.clone(), Arc::clone(&queue));
        Ok(queue)
    }

    async fn add(&self, key: QueueKey, task: QueuedTask) -> ServiceResult<()> {
        loop {
            // Only a poll loads a sticky queue: before the first one there is no worker behind it.
            let queue = match key.sticky {
                true => self.loaded(&key).ok_or(ServiceError::StickyWorkerUnavailable)?,
                false => self.load(&key)?,
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
        worker: &WorkerInstance,
        rate_per_second: f64,
        timeout: Duration,
    ) -> ServiceResult<Option<(StartedTask, u64)>> {
        loop {
            let queue = self.load(&key)?;
            match queue.poll(worker, rate_per_second, timeout).await {
                Ok(answer) => return Ok(answer?.map(|started| (started, queue.backlog_count()))),
                Err(Unloaded) => self.forget(&key, &queue),
            }
        }
    }

    /// Nothing of a sticky queue that is not loaded: asking must not load it, or it would look as if a worker were there.
    async fn describe(&self, key: &QueueKey) -> ServiceResult<Option<Description>> {
        loop {
            let queue = match key.sticky {
                true => self.loaded(key),
                false => Some(self.load(key)?),
            };
            let Some(queue) = queue else { return Ok(None) };
            match queue.describe().await {
                Ok(description) => return description.map(Some),
                Err(Unloaded) => self.forget(key, &queue),
            }
        }
    }

    /// Takes an unloaded partition off the map, unless another has its place already.
    fn forget(&self, key: &QueueKey, unloaded: &Arc<Queue>) {
        let mut partitions = self.partitions();
        if partitions.loaded.get(key).is_some_and(|queue| Arc::ptr_eq(queue, unloaded)) {
            partitions.loaded.remove(key);
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
    async fn ask(&self, to: TaskQueueKey, what: MatchingAsk) -> ServiceResult<MatchingReply> {
        let namespace = &to.namespace_id;
        Ok(match what {
            MatchingAsk::AddWorkflowTask(task) => {
                self.add_workflow_task(task).await?;
                MatchingReply::Done
            }
            MatchingAsk::AddActivityTask(task) => {
                self.add_activity_task(task).await?;
                MatchingReply::Done
            }
            MatchingAsk::PollWorkflowTaskQueue(request, timeout) => {
                MatchingReply::WorkflowTask(self.poll_workflow_task_queue(namespace, *request, timeout).await?)
            }
            MatchingAsk::PollActivityTaskQueue(request, timeout) => {
                MatchingReply::ActivityTask(self.poll_activity_task_queue(namespace, *request, timeout).await?)
            }
            MatchingAsk::DescribeTaskQueue(request) => {
                MatchingReply::Described(Box::new(self.describe_task_queue(namespace, *request).await?))
            }
            MatchingAsk::EndWorkerPolls(worker) => {
                self.end_worker_polls(namespace, &to.name, worker).await?;
                MatchingReply::Done
            }
            MatchingAsk::UnloadStickyTaskQueue => {
                self.unload_sticky_task_queue(namespace, &to.name).await?;
                MatchingReply::Done
            }
        })
    }
}

impl Matching {
    pub(crate) async fn add_workflow_task(&self, task: AddWorkflowTask) -> ServiceResult<()> {
        let sticky = task.sticky_for.is_some();
        let key = key(&task.run.namespace_id, &task.task_queue, TaskQueueType::Workflow, sticky);
        self.add(key, QueuedTask::Workflow(task)).await
    }

    pub(crate) async fn add_activity_task(&self, task: AddActivityTask) -> ServiceResult<()> {
        let key = key(&task.run.namespace_id, &task.task_queue, TaskQueueType::Activity, false);
        self.add(key, QueuedTask::Activity(task)).await
    }

    pub(crate) async fn poll_workflow_task_queue(
        &self,
        namespace: &NamespaceId,
        request: api::PollWorkflowTaskQueueRequest,
        timeout: Duration,
    ) -> ServiceResult<Box<api::PollWorkflowTaskQueueResponse>> {
        let key = polled(namespace, request.task_queue.as_ref(), TaskQueueType::Workflow)?;
        let worker = WorkerInstance { key: request.worker_instance_key, identity: request.identity };
        Ok(match self.poll(key, &worker, RATE_UNLIMITED, timeout).await? {
            Some((StartedTask::Workflow(mut response), waiting)) => {
                response.backlog_count_hint = count(waiting);
                response
            }
            _ => Box::default(),
        })
    }

    pub(crate) async fn poll_activity_task_queue(
        &self,
        namespace: &NamespaceId,
        request: api::PollActivityTaskQueueRequest,
        timeout: Duration,
    ) -> ServiceResult<Box<api::PollActivityTaskQueueResponse>> {
        let key = polled(namespace, request.task_queue.as_ref(), TaskQueueType::Activity)?;
        let asked = request.task_queue_metadata.and_then(|metadata| metadata.max_tasks_per_second);
        // As in Temporal, the latest poll counts, also if it asks for no limit.
        let rate_per_second = asked.unwrap_or(RATE_UNLIMITED);
        let worker = WorkerInstance { key: request.worker_instance_key, identity: request.identity };
        Ok(match self.poll(key, &worker, rate_per_second, timeout).await? {
            Some((StartedTask::Activity(response), _)) => response,
            _ => Box::default(),
        })
    }

    pub(crate) async fn describe_task_queue(
        &self,
        namespace: &NamespaceId,
        request: api::DescribeTaskQueueRequest,
    ) -> ServiceResult<api::DescribeTaskQueueResponse> {
        let queue_type = match ProtoQueueType::try_from(request.task_queue_type) {
            Ok(ProtoQueueType::Activity) => TaskQueueType::Activity,
            _ => TaskQueueType::Workflow,
        };
        let key = polled(namespace, request.task_queue.as_ref(), queue_type)?;
        let described = self.describe(&key).await?;
        let now = Time(tempest_rt::time::wall_clock_ns());
        // Of the queue: what each poller asked for is not remembered.
        let rate_per_second = described.as_ref().map_or(RATE_UNLIMITED, |queue| queue.rate_per_second);
        let backlog_count_hint = described.as_ref().map_or(0, |queue| count(queue.backlog_count));
        let stats = request.report_stats.then(|| described.as_ref().map(|queue| stats(queue, now)).unwrap_or_default());
        let pollers = described.into_iter().flat_map(|queue| queue.pollers);
        let pollers = pollers
            .map(|(identity, age)| PollerInfo {
                last_access_time: Some(before(now, age)),
                identity,
                rate_per_second,
                ..PollerInfo::default()
            })
            .collect();
        #[allow(deprecated)] // clients of today still ask for it
        let task_queue_status = request.include_task_queue_status.then(|| TaskQueueStatus {
            backlog_count_hint,
            rate_per_second,
            ..TaskQueueStatus::default()
        });
        #[allow(deprecated)]
        Ok(api::DescribeTaskQueueResponse { pollers, task_queue_status, stats, ..Default::default() })
    }

    pub(crate) async fn end_worker_polls(
        &self,
        namespace: &NamespaceId,
        task_queue: &str,
        worker: WorkerInstance,
    ) -> ServiceResult<()> {
        if worker.key.is_empty() {
            return Ok(());
        }
        let now = self.shared.now();
        self.shared.gone.lock().expect("no holder of this lock panics").insert(&worker.key, now);
        let partitions = self.partitions();
        for (QueueKey { partition, .. }, queue) in &partitions.loaded {
            // An instance key is one worker's, whatever it polls.
            queue.end_polls_of(&worker.key);
            if partition.namespace_id == *namespace && partition.name == task_queue {
                queue.forget_poller(&worker.identity);
            }
        }
        Ok(())
    }

    pub(crate) async fn unload_sticky_task_queue(
        &self,
        namespace: &NamespaceId,
        sticky_task_queue: &str,
    ) -> ServiceResult<()> {
        let key = key(namespace, sticky_task_queue, TaskQueueType::Workflow, true);
        let unloaded = self.partitions().loaded.remove(&key);
        let Some(queue) = unloaded else { return Ok(()) };
        let waiting = queue.unload_sticky();
        // The normal queue may belong to another node.
        let Some(routed) = self.routed() else { return Ok(()) };
        for task in waiting {
            let QueuedTask::Workflow(task) = task else { continue };
            let Some(normal) = task.sticky_for.clone() else { continue };
            tempest_rt::probe!("matching-sticky-task-moved");
            let run = task.run.clone();
            let moved =
                AddWorkflowTask { task_queue: normal, sticky_for: None, schedule_to_start_timeout: None, ..task };
            // History does not add it again: the sticky queue has acknowledged it. If this fails, or its outcome is
            // unknown, the task's schedule-to-start timer, which only a start ends, brings it back.
            if let Err(error) = routed.add_workflow_task(moved).await {
                tracing::debug!(?run, %error, "a task of a sticky queue was not moved, or the outcome is unknown");
            }
        }
        Ok(())
    }
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The count is that of the durable backlog, and exact; a task that is in no row, since a poll was there for it, is in
/// none of the two. Temporal promises no more than an approximation.
fn stats(queue: &Description, now: Time) -> TaskQueueStats {
    let age = queue.oldest.map_or(Duration::ZERO, |oldest| age(oldest, now));
    TaskQueueStats {
        approximate_backlog_count: count(queue.backlog_count),
        approximate_backlog_age: Some(prost_wkt_types::Duration {
            seconds: i64::try_from(age.as_secs()).unwrap_or(i64::MAX),
            nanos: age.subsec_nanos() as i32,
        }),
        tasks_add_rate: queue.add_rate,
        tasks_dispatch_rate: queue.dispatch_rate,
        ..TaskQueueStats::default()
    }
}

/// None if the clock has gone back meanwhile.
fn age(then: Time, now: Time) -> Duration {
    Duration::from_nanos(u64::try_from(now.0.saturating_sub(then.0)).unwrap_or(0))
}

fn before(now: Time, age: Duration) -> prost_wkt_types::Timestamp {
    Time(now.0.saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX))).to_proto()
}
