//! One loaded partition: the shell around the matcher and the backlog. It holds what their ids stand for, performs what
//! they decide, and answers those who wait.
use crate::backlog::Backlog;
use crate::config::MatchingConfig;
use crate::dispatch::{Verdict, record_started};
use crate::gone_workers::GoneWorkers;
use crate::partition::{Action, DispatchEnd, PollId, TaskId, TaskQueuePartition};
use crate::task::{QueuedTask, StoredTask};
use crate::task_rate::TaskRate;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;
use tempest_api::{
    HistoryService, ResourceExhaustedCause, ServiceError, ServiceResult, proto::workflowservice::v1 as api,
};
use tempest_core::Time;
use tempest_rt::task::TaskGroup;
use tempest_rt::time::Instant;
use tempest_store::{PartitionKey, Store, Timeline};
use tokio::sync::{Notify, oneshot};

mod describe;
mod keeper;
mod poll;
pub(crate) use keeper::{acknowledged, keep};

/// What all partitions of a node share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) config: MatchingConfig,
    pub(crate) tasks: TaskGroup,
    pub(crate) epoch: Instant,
    /// Weak: history holds on to matching already.
    pub(crate) history: Mutex<Option<Weak<dyn HistoryService>>>,
    pub(crate) gone: Mutex<GoneWorkers>,
}

impl Shared {
    /// Monotonic time since the node started.
    pub(crate) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn is_gone(&self, worker: &str) -> bool {
        !worker.is_empty() && self.gone.lock().expect("no holder of this lock panics").contains(worker, self.now())
    }

    pub(crate) fn history(&self) -> Option<Arc<dyn HistoryService>> {
        self.history.lock().expect("no holder of this lock panics").as_ref().and_then(Weak::upgrade)
    }
}

/// The answer to a poll.
#[derive(Clone, Debug)]
pub(crate) enum StartedTask {
    Workflow(Box<api::PollWorkflowTaskQueueResponse>),
    Activity(Box<api::PollActivityTaskQueueResponse>),
}

/// The partition was unloaded between finding it and using it: look it up again.
#[derive(Debug)]
pub(crate) struct Unloaded;

type Ack = oneshot::Sender<ServiceResult<()>>;

/// A task in memory.
struct Held {
    stored: StoredTask,
    /// Drawn for the first dispatch and kept until one succeeds: if an answer of history was lost, the next dispatch
    /// gets the same answer instead of being refused.
    request_id: Option<String>,
    failures: u32,
    /// Its start is recorded, but the poll went away before it had the answer.
    started: bool,
    ack: Option<Ack>,
}

/// A task that waits for its row.
struct Append {
    stored: StoredTask,
    request_id: Option<String>,
    ack: Option<Ack>,
}

/// A poll that waits.
struct Waiting {
    answer: oneshot::Sender<Answer>,
    /// Instance key of the worker; empty if it has none.
    worker: String,
}

enum Answer {
    Started { response: StartedTask, held: Box<Held> },
    Failed(ServiceError),
    Nothing,
}

struct State {
    matcher: TaskQueuePartition,
    backlog: Backlog,
    tasks: BTreeMap<TaskId, Held>,
    polls: BTreeMap<PollId, Waiting>,
    appends: VecDeque<Append>,
    /// Numbers polls and tasks in memory.
    next: u64,
    last_used: Duration,
    /// Tasks that came, and tasks that went to workers, by way of the backlog or not.
    added: TaskRate,
    dispatched: TaskRate,
    /// The database's timeline when the partition was leased first. Once it is another, all that is in memory is void.
    leased_on: Option<Timeline>,
    /// What the keeper waits for; nothing while it is at work.
    keeper_sleeps: Option<KeeperSleep>,
    unloaded: bool,
}

/// The keeper has nothing to do before that time, if there is one.
struct KeeperSleep {
    until: Option<Duration>,
}

/// A loaded partition.
pub(crate) struct Queue {
    pub(crate) key: PartitionKey,
    pub(crate) sticky: bool,
    shared: Arc<Shared>,
    state: Mutex<State>,
    /// Wakes the keeper.
    wake: Notify,
    /// Wakes those who wait to describe the backlog.
    known: Notify,
}

/// What is told of a partition.
#[derive(Debug)]
pub(crate) struct Description {
    /// Pollers of late with the time since they were seen.
    pub(crate) pollers: Vec<(String, Duration)>,
    /// Tasks that wait: rows of the durable backlog, or the tasks of a sticky queue.
    pub(crate) backlog_count: u64,
    /// When the oldest row came; nothing if none waits.
    pub(crate) oldest: Option<Time>,
    /// Per second, over the last half minute.
    pub(crate) add_rate: f32,
    pub(crate) dispatch_rate: f32,
    /// Tasks that may be handed out per second.
    pub(crate) rate_per_second: f64,
}

impl Queue {
    pub(crate) fn new(key: PartitionKey, sticky: bool, shared: Arc<Shared>) -> Arc<Self> {
        let state = State {
            matcher: TaskQueuePartition::new(shared.config.pollers_max),
            backlog: Backlog::default(),
            tasks: BTreeMap::new(),
            polls: BTreeMap::new(),
            appends: VecDeque::new(),
            next: 0,
            last_used: shared.now(),
            added: TaskRate::new(shared.now()),
            dispatched: TaskRate::new(shared.now()),
            leased_on: None,
            keeper_sleeps: None,
            unloaded: false,
        };
        Arc::new(Self { key, sticky, shared, state: Mutex::new(state), wake: Notify::new(), known: Notify::new() })
    }

    /// What a panic left half changed is given up: the store has the rows, and history adds again what was not
    /// acknowledged.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| {
            tracing::error!(queue = self.key.name, "a panic left the task queue half changed: it is loaded anew");
            self.state.clear_poison();
            let mut state = poisoned.into_inner();
            self.leave_locked(&mut state);
            state
        })
    }

    #[cfg(test)]
    pub(crate) fn panic_under_its_lock(&self) {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _state = self.lock();
            panic!("as a bug would");
        }));
        assert!(panicked.is_err());
    }

    /// Adds a task; the receiver hears when it is acknowledged.
    pub(crate) fn add(self: &Arc<Self>, task: QueuedTask) -> Result<oneshot::Receiver<ServiceResult<()>>, Unloaded> {
        let (ack, acknowledged) = oneshot::channel();
        let mut state = self.lock();
        if state.unloaded {
            return Err(Unloaded);
        }
        let now = self.shared.now();
        state.last_used = now;
        let expires = task.lifetime().map(|lifetime| now + lifetime);
        let sync_match = self.sticky || !tempest_rt::buggify!("matching-skips-sync-match");
        let id = state.memory_id();
        state.added.count(now);
        let stored = StoredTask { task, added_at: Time(tempest_rt::time::wall_clock_ns()) };
        // A poll that was offered the task is no longer waiting: none may be where none is meant.
        let matched = if sync_match { state.matcher.offer(now, id, expires) } else { None };
        match matched {
            Some(action) => {
                tempest_rt::probe!("matching-sync-match");
                let held = Held { stored, request_id: None, failures: 0, started: false, ack: Some(ack) };
                state.tasks.insert(id, held);
                self.perform(&mut state, vec![action]);
            }
            None if self.sticky => self.add_sticky(&mut state, id, stored, expires, ack),
            None => self.append(&mut state, Append { stored, request_id: None, ack: Some(ack) }),
        }
        Ok(acknowledged)
    }

    /// A sticky task waits in memory if a worker may come for it; history's schedule-to-start timer guards it, so a task
    /// without one is not taken.
    fn add_sticky(
        self: &Arc<Self>,
        state: &mut State,
        id: TaskId,
        stored: StoredTask,
        expires: Option<Duration>,
        ack: Ack,
    ) {
        let now = self.shared.now();
        let polled = state.matcher.polled_within(now, self.shared.config.sticky_poller_timeout);
        if !polled || expires.is_none() || state.tasks.len() >= self.shared.config.sticky_tasks_max {
            let _ = ack.send(Err(ServiceError::StickyWorkerUnavailable));
            return;
        }
        state.tasks.insert(id, Held { stored, request_id: None, failures: 0, started: false, ack: None });
        let actions = state.matcher.add(now, id, expires);
        self.perform(state, actions);
        self.wake.notify_one();
        let _ = ack.send(Ok(()));
    }

    /// Queues a task for the backlog.
    fn append(&self, state: &mut State, mut append: Append) {
        if state.unloaded {
            return append.answer(Err(moved()));
        }
        if state.appends.len() >= self.shared.config.pending_appends_max {
            let error = ServiceError::ResourceExhausted {
                cause: ResourceExhaustedCause::SystemOverloaded,
                message: "too many outstanding appends to the task queue".to_owned(),
            };
            append.answer(Err(error));
            return;
        }
        if tempest_rt::planted!(crate::plants::BACKLOG_ACKNOWLEDGED_BEFORE_DURABLE) {
            append.answer(Ok(()));
        }
        state.appends.push_back(append);
        self.wake.notify_one();
    }

    /// Does what the matcher decided.
    fn perform(self: &Arc<Self>, state: &mut State, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Expired { task } => {
                    tempest_rt::probe!("matching-task-expired");
                    let _ = self.finish(state, task);
                }
                Action::Dispatch { task, poll } => {
                    let held = state.tasks.get_mut(&task).expect("the matcher dispatches tasks that are held");
                    let request_id = held.request_id.get_or_insert_with(tempest_rt::entropy::uuid).clone();
                    let queued = held.stored.task.clone();
                    let queue = Arc::clone(self);
                    self.shared.tasks.spawn(async move { queue.dispatch(task, poll, queued, request_id).await });
                }
            }
        }
    }

    /// In a task of its own, so that a poll that goes away leaves no half-done dispatch behind.
    async fn dispatch(self: Arc<Self>, task: TaskId, poll: PollId, queued: QueuedTask, request_id: String) {
        let verdict = match self.identity_waiting(poll) {
            Some(identity) => record_started(&self.shared, &queued, request_id, identity).await,
            None if tempest_rt::planted!(crate::plants::TASK_DROPPED_WHEN_POLL_GOES_AWAY) => {
                self.lock().matcher.poll_gone(self.shared.now(), poll);
                Verdict::Dropped
            }
            None => Verdict::Kept { fail_poll: None },
        };
        self.dispatch_ended(task, poll, verdict);
    }

    fn identity_waiting(&self, poll: PollId) -> Option<String> {
        let state = self.lock();
        state.polls.get(&poll)?;
        state.matcher.identity_served(poll).map(str::to_owned)
    }

    fn dispatch_ended(self: &Arc<Self>, task: TaskId, poll: PollId, verdict: Verdict) {
        let mut state = self.lock();
        let state = &mut *state;
        let now = self.shared.now();
        let end = match verdict {
            Verdict::Started(response) => {
                let held = self.finish(state, task).expect("a dispatched task is held");
                state.dispatched.count(now);
                self.answer(state, poll, response, held);
                DispatchEnd::Started
            }
            Verdict::Dropped => {
                let _ = self.finish(state, task);
                DispatchEnd::Dropped
            }
            Verdict::Kept { fail_poll } => {
                if let Some(error) = fail_poll
                    && let Some(waiting) = state.polls.remove(&poll)
                {
                    let _ = waiting.answer.send(Answer::Failed(error));
                    state.matcher.poll_gone(now, poll);
                }
                self.keep_task(state, task)
            }
        };
        let actions = state.matcher.dispatch_ended(now, task, poll, end);
        self.perform(state, actions);
        if state.unloaded {
            self.leave_locked(state);
        }
        self.wake_keeper(state);
    }

    /// The start of a task could not be recorded.
    fn keep_task(&self, state: &mut State, task: TaskId) -> DispatchEnd {
        let held = state.tasks.get_mut(&task).expect("a dispatched task is held");
        let config = &self.shared.config;
        let pause = config.retry_backoff_min.saturating_mul(1 << held.failures.min(16)).min(config.retry_backoff_max);
        held.failures += 1;
        let waits_for_row = matches!(task, TaskId::Memory(_)) && !self.sticky && !held.started;
        if waits_for_row {
            // Its caller waits for an acknowledgement, and history may need long: from now on a row keeps the task.
            let Held { stored, request_id, ack, .. } = state.tasks.remove(&task).expect("it was found just now");
            self.append(state, Append { stored, request_id, ack });
            return DispatchEnd::Spooled;
        }
        if let Some(ack) = held.ack.take() {
            // Only sticky tasks are held with someone waiting.
            if held.stored.task.lifetime().is_none() {
                state.tasks.remove(&task);
                let _ = ack.send(Err(ServiceError::StickyWorkerUnavailable));
                return DispatchEnd::Dropped;
            }
            let _ = ack.send(Ok(()));
        }
        DispatchEnd::Kept { pause }
    }

    /// A task needs nothing more of this partition.
    fn finish(&self, state: &mut State, task: TaskId) -> Option<Held> {
        let mut held = state.tasks.remove(&task)?;
        if let TaskId::Row(row) = task {
            state.backlog.done(row, self.shared.now());
        }
        if let Some(ack) = held.ack.take() {
            let _ = ack.send(Ok(()));
        }
        Some(held)
    }

    fn answer(self: &Arc<Self>, state: &mut State, poll: PollId, response: StartedTask, held: Held) {
        let answer = Answer::Started { response, held: Box::new(held) };
        let undelivered = match state.polls.remove(&poll) {
            Some(waiting) => waiting.answer.send(answer).err(),
            None => Some(answer),
        };
        if let Some(Answer::Started { held, .. }) = undelivered {
            self.offer_again(state, *held);
        }
    }

    /// The poll went away before it had its task, whose start is recorded: the next poll may ask for the same
    /// start. If none does, its start-to-close timeout passes as if a worker had taken it and died.
    fn offer_again(self: &Arc<Self>, state: &mut State, mut held: Held) {
        tempest_rt::probe!("matching-poll-gone-after-start");
        if state.unloaded {
            return;
        }
        held.started = true;
        let now = self.shared.now();
        let id = state.memory_id();
        state.tasks.insert(id, held);
        let actions = state.matcher.add(now, id, Some(now + self.shared.config.record_started_timeout));
        self.perform(state, actions);
        self.wake.notify_one();
    }

    /// Unloads the partition if nothing needs it. True if it is unloaded now.
    pub(crate) fn unload_if_idle(&self) -> bool {
        let mut state = self.lock();
        let idle_for = self.shared.now().saturating_sub(state.last_used);
        let busy = !state.polls.is_empty()
            || !state.tasks.is_empty()
            || !state.appends.is_empty()
            || !state.backlog.is_idle()
            || state.matcher.dispatches_under_way() > 0;
        if !busy && idle_for >= self.shared.config.idle_unload {
            state.unloaded = true;
            self.wake.notify_one();
            self.known.notify_waiters();
        }
        state.unloaded
    }

    /// Unloads the partition because it belongs to another node now. What is being dispatched ends; rows are in the
    /// store; tasks of a sticky queue are brought back by history's schedule-to-start timer.
    pub(crate) fn leave(&self) {
        self.leave_locked(&mut self.lock());
    }

    fn leave_locked(&self, state: &mut State) {
        state.unloaded = true;
        self.wake.notify_one();
        self.known.notify_waiters();
        // A poll that is being served ends with that: its task is started, or will be, and no other poll gets it.
        let served = |poll: &PollId| state.matcher.identity_served(*poll).is_some();
        let (served, idle): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut state.polls).into_iter().partition(|(poll, _)| served(poll));
        state.polls = served;
        for poll in idle.into_values() {
            let _ = poll.answer.send(Answer::Nothing);
        }
        for mut append in std::mem::take(&mut state.appends) {
            append.answer(Err(moved()));
        }
    }

    /// A worker goes down: its polls end empty. A task that is on its way to one goes to the next poll.
    pub(crate) fn end_polls_of(&self, worker: &str) {
        let mut state = self.lock();
        let now = self.shared.now();
        let of_worker = state.polls.extract_if(.., |_, waiting| waiting.worker == worker);
        for (poll, waiting) in of_worker.collect::<Vec<_>>() {
            tempest_rt::probe!("matching-poll-of-gone-worker-ended");
            let _ = waiting.answer.send(Answer::Nothing);
            state.matcher.poll_gone(now, poll);
        }
    }

    /// It is not listed any more, unless it polls under the same name.
    pub(crate) fn forget_poller(&self, identity: &str) {
        self.lock().matcher.forget_poller(identity);
    }

    /// Unloads a sticky partition whose worker goes down; returns the tasks that waited for it.
    pub(crate) fn unload_sticky(&self) -> Vec<QueuedTask> {
        let mut state = self.lock();
        self.leave_locked(&mut state);
        let waiting = state.matcher.take_waiting();
        waiting.into_iter().filter_map(|id| state.tasks.remove(&id)).map(|held| held.stored.task).collect()
    }

    /// How many tasks are known to wait, and whether the store may hold more.
    pub(crate) fn backlog(&self) -> (usize, bool) {
        let state = self.lock();
        let unread = !self.sticky && !state.backlog.is_caught_up();
        (state.matcher.tasks_waiting() + state.appends.len(), unread)
    }

    /// Tasks that wait, for the poll's answer.
    pub(crate) fn backlog_count(&self) -> u64 {
        self.lock().backlog_count(self.sticky)
    }
}

/// The row is not written any more: the caller tries again and finds the queue where it is.
fn moved() -> ServiceError {
    ServiceError::Unavailable("the task queue is moving to another node".to_owned())
}

impl State {
    fn backlog_count(&self, sticky: bool) -> u64 {
        if sticky { self.matcher.tasks_waiting() as u64 } else { self.backlog.count() }
    }

    fn memory_id(&mut self) -> TaskId {
        self.next += 1;
        TaskId::Memory(self.next)
    }
}

impl Append {
    fn answer(&mut self, result: ServiceResult<()>) {
        if let Some(ack) = self.ack.take() {
            let _ = ack.send(result);
        }
    }
}
