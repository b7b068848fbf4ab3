//! What a heartbeat and a signal cost a run with few and with many pending things: bytes in the store's commits, bytes that
//! reach the file, CPU of the process. A node's history on the embedded store, one request after the other.
//!
//! Not criterion: what counts is the process's CPU and the file's bytes. `cargo bench -p tempest-history --bench pending`.
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

const INPUT_BYTES: usize = 10_000;
/// Requests that are measured together.
const ROUND: u32 = 500;
/// Commands of one workflow task: a batch of events has its limit.
const COMMANDS: usize = 200;

/// Counts what commits carry.
struct Counted {
    inner: RedbStore,
    bytes: AtomicUsize,
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

impl World {
    async fn new(directory: &std::path::Path) -> Self {
        let path = directory.join("tempest.db");
        let inner = RedbStore::open(Arc::new(RealFileSystem), &path, RedbConfig::default()).await.unwrap();
        let store = Arc::new(Counted { inner, bytes: AtomicUsize::new(0) });
        let matching = Arc::new(Tasks::default());
        let history = Arc::new(HistoryHandle::new(HistoryConfig::default(), store.clone()).unwrap());
        let peers: Arc<dyn HistoryService> = history.clone();
        history.start(matching.clone(), Arc::downgrade(&peers));
        Self { store, matching, history }
    }

    async fn call(&self, input: Input) {
        let history: &dyn HistoryService = &*self.history;
        history.call(Target::current(&"namespace".into(), "order"), input).await.unwrap();
    }

    async fn start(&self) {
        self.call(Input::Start(Box::new(api::StartWorkflowExecutionRequest {
            workflow_id: "order".into(),
            workflow_type: Some(WorkflowType { name: "Order".into() }),
            task_queue: Some(queue()),
            request_id: "start".into(),
            ..Default::default()
        })))
        .await;
    }

    /// Waits for the next workflow task and completes it with these commands.
    async fn command(&self, commands: Vec<Command>, more: bool) {
        let task = taken(&self.matching.workflow).await;
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
        let task = taken(&self.matching.activity).await;
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
        self.call(Input::HeartbeatActivity(ActivityRef::Token(token.clone()), Box::new(request))).await;
    }

    async fn signal(&self, number: u32) {
        self.call(Input::Signal(Box::new(api::SignalWorkflowExecutionRequest {
            workflow_execution: Some(WorkflowExecution { workflow_id: "order".into(), ..Default::default() }),
            signal_name: "look".into(),
            request_id: format!("signal-{number}"),
            input: payloads(100),
            ..Default::default()
        })))
        .await;
    }
}

async fn taken<T>(tasks: &Mutex<Vec<T>>) -> T {
    loop {
        if let Some(task) = tasks.lock().unwrap().pop() {
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
    fn now(world: &World) -> Self {
        Self { committed: world.store.bytes.load(Relaxed), written: written(), cpu_us: cpu_us() }
    }

    fn tell(self, what: &str, world: &World) {
        let now = Self::now(world);
        println!(
            "{what:<42} {:>9} B committed   {:>9} B to the file   {:>6} us CPU",
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

fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.map_or(0, |bytes| bytes.trim().parse().unwrap())
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

async fn measure(activities: usize, children: usize) {
    let directory = std::env::temp_dir().join(format!("tempest-pending-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let world = World::new(&directory).await;
    world.start().await;
    world.pend((0..activities).map(activity).collect()).await;
    if children > 0 {
        world.signal(u32::MAX).await;
        world.pend((0..children).map(child).collect()).await;
    }
    let token = world.start_activity().await;
    // What was begun by the commands comes to an end.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let pending = format!("{activities} activities, {children} children");
    for _ in 0..2 {
        let cost = Cost::now(&world);
        for _ in 0..ROUND {
            world.heartbeat(&token).await;
        }
        cost.tell(&format!("heartbeat, {pending}"), &world);
    }
    let cost = Cost::now(&world);
    for number in 0..ROUND {
        world.signal(number).await;
    }
    cost.tell(&format!("signal,    {pending}"), &world);
    world.history.shutdown().await;
    std::fs::remove_dir_all(&directory).unwrap();
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // `cargo test` only tries whether it works.
    let many = if std::env::args().any(|argument| argument == "--bench") { 1000 } else { 10 };
    for (activities, children) in [(1, 0), (many, 0), (1, many)] {
        runtime.block_on(measure(activities, children));
    }
}
