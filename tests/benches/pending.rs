//! What a heartbeat and a signal cost a run with few and with many pending things: bytes in the store's commits, bytes that
//! reach the file or PostgreSQL's log, CPU of the process. A node's history, one request after the other.
//!
//! A store with more in it has deeper trees. So a run with one activity is measured alone, and beside as many others as a
//! run with children has of them.
//!
//! Not criterion: what counts is the process's CPU and the store's bytes. `cargo bench -p tempest-tests --bench pending`.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by a panic")]
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tempest_api::proto::command::v1::command::Attributes as Command;
use tempest_api::proto::command::v1::{
    Command as ProtoCommand, ScheduleActivityTaskCommandAttributes, StartChildWorkflowExecutionCommandAttributes,
};
use tempest_api::proto::common::v1::{ActivityType, Payload, Payloads, WorkflowExecution, WorkflowType};
use tempest_api::proto::enums::v1::CommandType;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{
    AddActivityTask, AddWorkflowTask, HistoryService, MatchingAsk, MatchingReply, MatchingService, ServiceResult,
    Target, TaskQueueKey,
};
use tempest_core::{ActivityRef, Input, RecordActivityTaskStarted, RecordWorkflowTaskStarted};
use tempest_history::{HistoryConfig, HistoryHandle};
use tempest_store::file_system::RealFileSystem;
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::{ReadFuture, ReadRequest, Store, Timeline, WriteFuture, WriteRequest};
use tempest_store_postgres::{PostgresStore, testing::TestPostgres};

/// The run that is measured.
const ORDER: &str = "order";
const INPUT_BYTES: usize = 10_000;
/// Requests that are measured together.
const ROUND: u32 = 500;
/// Commands of one workflow task: a batch of events has its limit.
const COMMANDS: usize = 200;

/// Counts what commits carry.
struct Counted {
    inner: Arc<dyn Store>,
    bytes: AtomicUsize,
}

/// Where a store keeps what it is given.
#[derive(Clone, Copy)]
enum Medium<'a> {
    File,
    Postgres(&'a TestPostgres),
}

impl Store for Counted {
    fn write(&self, request: WriteRequest) -> WriteFuture {
        self.bytes.fetch_add(request.bytes(), Relaxed);
        self.inner.write(request)
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        self.inner.read(request)
    }

    fn timeline(&self) -> tokio::sync::watch::Receiver<Timeline> {
        self.inner.timeline()
    }

    fn hear_of(&self, timeline: Timeline) {
        self.inner.hear_of(timeline);
    }
}

/// Takes every task.
#[derive(Default)]
struct Tasks {
    workflow: Mutex<Vec<AddWorkflowTask>>,
    activity: Mutex<Vec<AddActivityTask>>,
}

#[async_trait::async_trait]
impl MatchingService for Tasks {
    async fn ask(&self, _: TaskQueueKey, what: MatchingAsk) -> ServiceResult<MatchingReply> {
        match what {
            MatchingAsk::AddWorkflowTask(task) => self.workflow.lock().unwrap().push(task),
            MatchingAsk::AddActivityTask(task) => self.activity.lock().unwrap().push(task),
            what => unimplemented!("history never asks for {what:?}"),
        }
        Ok(MatchingReply::Done)
    }
}

struct World {
    store: Arc<Counted>,
    matching: Arc<Tasks>,
    history: Arc<HistoryHandle>,
}

impl Medium<'_> {
    async fn open(self, directory: &std::path::Path) -> Arc<dyn Store> {
        match self {
            Self::File => {
                let path = directory.join("tempest.db");
                Arc::new(RedbStore::open(Arc::new(RealFileSystem), &path, RedbConfig::default()).await.unwrap())
            }
            Self::Postgres(server) => {
                // Each case has a schema of its own.
                let schema = directory.file_name().unwrap().to_str().unwrap();
                Arc::new(PostgresStore::connect(server.config(schema)).await.unwrap())
            }
        }
    }

    /// Bytes that were written so far: by this process, or into PostgreSQL's log.
    async fn written(self) -> u64 {
        match self {
            Self::File => {
                let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
                let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
                line.map_or(0, |bytes| bytes.trim().parse().unwrap())
            }
            Self::Postgres(server) => {
                let log = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint";
                let row = server.client().await.query_one(log, &[]).await.unwrap();
                u64::try_from(row.get::<_, i64>(0)).unwrap()
            }
        }
    }
}

impl World {
    async fn new(medium: Medium<'_>, directory: &std::path::Path) -> Self {
        let store = Arc::new(Counted { inner: medium.open(directory).await, bytes: AtomicUsize::new(0) });
        let matching = Arc::new(Tasks::default());
        let history = Arc::new(HistoryHandle::new(HistoryConfig::default(), store.clone()).unwrap());
        let peers: Arc<dyn HistoryService> = history.clone();
        history.start(matching.clone(), Arc::downgrade(&peers));
        Self { store, matching, history }
    }

    async fn call(&self, workflow: &str, input: Input) {
        let history: &dyn HistoryService = &*self.history;
        history.call(Target::current(&"namespace".into(), workflow), input).await.unwrap();
    }

    async fn start(&self, workflow: &str) {
        let request = api::StartWorkflowExecutionRequest {
            workflow_id: workflow.into(),
            workflow_type: Some(WorkflowType { name: "Order".into() }),
            task_queue: Some(queue()),
            request_id: "start".into(),
            input: payloads(INPUT_BYTES),
            ..Default::default()
        };
        self.call(workflow, Input::Start(Box::new(request))).await;
    }

    /// Waits for the next workflow task and completes it with these commands.
    async fn command(&self, commands: Vec<Command>, more: bool) {
        let task = taken(&self.matching.workflow, |task| task.run.workflow_id.as_str() == ORDER).await;
        let history: &dyn HistoryService = &*self.history;
        let request = RecordWorkflowTaskStarted {
            scheduled_event_id: task.scheduled_event_id,
            stamp: task.stamp,
            request_id: format!("poll-{}", task.scheduled_event_id),
            identity: "worker".into(),
            polled_queue: task.task_queue.clone(),
        };
        let started = history.record_workflow_task_started(&task.run, request).await.unwrap();
        let token = tempest_api::decode_workflow_token(&started.task_token).unwrap();
        let request = api::RespondWorkflowTaskCompletedRequest {
            commands: commands.into_iter().map(command).collect(),
            force_create_new_workflow_task: more,
            ..Default::default()
        };
        history.complete_workflow_task(token, request).await.unwrap();
    }

    async fn pend(&self, mut commands: Vec<Command>) {
        while !commands.is_empty() {
            let some = commands.drain(..COMMANDS.min(commands.len())).collect();
            self.command(some, !commands.is_empty()).await;
        }
    }

    async fn start_activity(&self) -> tempest_core::ActivityTaskToken {
        let task = taken(&self.matching.activity, |_| true).await;
        let history: &dyn HistoryService = &*self.history;
        let start = RecordActivityTaskStarted {
            scheduled_event_id: task.scheduled_event_id,
            attempt: task.attempt,
            request_id: "poll".into(),
            identity: "worker".into(),
        };
        let started = history.record_activity_task_started(&task.run, start).await.unwrap();
        assert_eq!(started.input.unwrap().payloads[0].data.len(), INPUT_BYTES);
        tempest_api::decode_activity_token(&started.task_token).unwrap()
    }

    async fn heartbeat(&self, token: &tempest_core::ActivityTaskToken) {
        let request = api::RecordActivityTaskHeartbeatRequest { details: payloads(100), ..Default::default() };
        self.call(ORDER, Input::HeartbeatActivity(ActivityRef::Token(token.clone()), Box::new(request))).await;
    }

    async fn signal(&self, number: u32) {
        let request = api::SignalWorkflowExecutionRequest {
            workflow_execution: Some(WorkflowExecution { workflow_id: ORDER.into(), ..Default::default() }),
            signal_name: "look".into(),
            request_id: format!("signal-{number}"),
            input: payloads(100),
            ..Default::default()
        };
        self.call(ORDER, Input::Signal(Box::new(request))).await;
    }
}

/// The newest that is wanted, once there is one.
async fn taken<T>(tasks: &Mutex<Vec<T>>, is_wanted: impl Fn(&T) -> bool) -> T {
    let find = || {
        let mut tasks = tasks.lock().unwrap();
        let index = tasks.iter().rposition(&is_wanted)?;
        Some(tasks.swap_remove(index))
    };
    loop {
        if let Some(task) = find() {
            return task;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// What one round has cost.
struct Cost {
    committed: usize,
    written: u64,
    cpu_us: u64,
}

impl Cost {
    async fn now(world: &World, medium: Medium<'_>) -> Self {
        Self { committed: world.store.bytes.load(Relaxed), written: medium.written().await, cpu_us: cpu_us() }
    }

    async fn tell(self, what: &str, world: &World, medium: Medium<'_>) {
        let now = Self::now(world, medium).await;
        println!(
            "{what:<58} {:>9} B committed   {:>9} B written   {:>6} us CPU",
            (now.committed - self.committed) / ROUND as usize,
            (now.written - self.written) / u64::from(ROUND),
            (now.cpu_us - self.cpu_us) / u64::from(ROUND)
        );
    }
}

/// Of this process, in all threads.
fn cpu_us() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // User and system time, in ticks of 10 ms.
    [11, 12].iter().map(|field| fields[*field].parse::<u64>().unwrap()).sum::<u64>() * 10_000
}

fn queue() -> TaskQueue {
    TaskQueue { name: "orders".into(), ..TaskQueue::default() }
}

fn payloads(bytes: usize) -> Option<Payloads> {
    Some(Payloads { payloads: vec![Payload { data: vec![b'x'; bytes], ..Payload::default() }] })
}

fn activity(number: usize) -> Command {
    Command::ScheduleActivityTaskCommandAttributes(ScheduleActivityTaskCommandAttributes {
        activity_id: format!("charge-{number}"),
        activity_type: Some(ActivityType { name: "Charge".into() }),
        task_queue: Some(queue()),
        input: payloads(INPUT_BYTES),
        start_to_close_timeout: Some(std::time::Duration::from_secs(3600).try_into().unwrap()),
        ..Default::default()
    })
}

fn child(number: usize) -> Command {
    Command::StartChildWorkflowExecutionCommandAttributes(StartChildWorkflowExecutionCommandAttributes {
        workflow_id: format!("ship-{number}"),
        workflow_type: Some(WorkflowType { name: "Ship".into() }),
        input: payloads(INPUT_BYTES),
        ..Default::default()
    })
}

fn command(attributes: Command) -> ProtoCommand {
    let command_type = match &attributes {
        Command::ScheduleActivityTaskCommandAttributes(_) => CommandType::ScheduleActivityTask,
        _ => CommandType::StartChildWorkflowExecution,
    };
    ProtoCommand { command_type: command_type.into(), attributes: Some(attributes), ..Default::default() }
}

/// What there is beside the run's own first activity.
#[derive(Clone, Copy, Default)]
struct Case {
    activities: usize,
    children: usize,
    /// Other runs in the same store.
    others: usize,
}

async fn measure(medium: Medium<'_>, case: Case) {
    let Case { activities, children, others } = case;
    let directory = std::env::temp_dir().join(format!("pending-{activities}-{children}-{others}"));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    let world = World::new(medium, &directory).await;
    for other in 0..others {
        world.start(&format!("other-{other}")).await;
    }
    world.start(ORDER).await;
    world.pend((0..=activities).map(activity).collect()).await;
    if children > 0 {
        world.signal(u32::MAX).await;
        world.pend((0..children).map(child).collect()).await;
    }
    let token = world.start_activity().await;
    // What was begun by the commands comes to an end.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let pending = format!("{} activities, {children} children, {others} others", activities + 1);
    for _ in 0..2 {
        let cost = Cost::now(&world, medium).await;
        for _ in 0..ROUND {
            world.heartbeat(&token).await;
        }
        cost.tell(&format!("heartbeat, {pending}"), &world, medium).await;
    }
    let cost = Cost::now(&world, medium).await;
    for number in 0..ROUND {
        world.signal(number).await;
    }
    cost.tell(&format!("signal,    {pending}"), &world, medium).await;
    world.history.shutdown().await;
    std::fs::remove_dir_all(&directory).unwrap();
}

async fn measure_all(medium: Medium<'_>, many: usize) {
    let none = Case::default();
    let one_each = [none, Case { others: many, ..none }];
    let many_each = [Case { activities: many, ..none }, Case { children: many, ..none }];
    for case in one_each.into_iter().chain(many_each) {
        measure(medium, case).await;
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // `cargo test` only tries whether it works.
    let many = if std::env::args().any(|argument| argument == "--bench") { 1000 } else { 10 };
    runtime.block_on(async {
        println!("on a file");
        measure_all(Medium::File, many).await;
        let Some(server) = TestPostgres::start(&[]).await else { return };
        println!("over PostgreSQL");
        measure_all(Medium::Postgres(&server), many).await;
    });
}
