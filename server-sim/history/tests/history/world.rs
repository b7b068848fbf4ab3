//! A history node with one shard, its store, its matching, its clock, and a client's and a worker's few words.
use crate::matching::FakeMatching;
use crate::store::MemoryStore;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempest_api::proto::command::v1::command::Attributes as Command;
use tempest_api::proto::command::v1::{
    Command as ProtoCommand, CompleteWorkflowExecutionCommandAttributes, ScheduleActivityTaskCommandAttributes,
    StartTimerCommandAttributes,
};
use tempest_api::proto::common::v1::{ActivityType, WorkflowExecution, WorkflowType};
use tempest_api::proto::enums::v1::{CommandType, EventType};
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{
    AddWorkflowTask, HistoryService, HistoryWait, MatchingService, Reply, ServiceResult, Target, decode_workflow_token,
};
use tempest_core::{Input, NamespaceId, OtherRun, RecordWorkflowTaskStarted, Started, Time};
use tempest_history::{HistoryConfig, HistoryHandle};
use tempest_store::ShardId;

pub const SECOND: Duration = Duration::from_secs(1);
pub const SHARD: ShardId = ShardId(1);
const EPOCH: i64 = 1_700_000_000_000_000_000;

pub struct World {
    pub store: Arc<MemoryStore>,
    pub matching: Arc<FakeMatching>,
    pub history: Arc<HistoryHandle>,
    /// Nanoseconds that the wall clock is off.
    skew: Arc<Mutex<i64>>,
    began: tokio::time::Instant,
    config: HistoryConfig,
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut HistoryConfig)) -> Self {
        let mut config = HistoryConfig { shard_count: 1, ..HistoryConfig::default() };
        change(&mut config);
        let store = crate::store::shared();
        let (skew, began) = (Arc::new(Mutex::new(0)), tokio::time::Instant::now());
        let matching = Arc::new(FakeMatching::default());
        let history = node(&config, &store, &matching, &skew, began);
        Self { store, matching, history, skew, began, config }
    }

    /// The process dies and another begins on the same store.
    pub fn restart(&mut self) {
        self.history = node(&self.config, &self.store, &self.matching, &self.skew, self.began);
    }

    /// Another node that believes that it owns the shard as well.
    pub fn second_node(&self) -> Arc<HistoryHandle> {
        node(&self.config, &self.store, &self.matching, &self.skew, self.began)
    }

    /// The wall clock jumps.
    pub fn jump(&self, seconds: i64) {
        *self.skew.lock().unwrap() += seconds * 1_000_000_000;
    }

    /// The history by the protocol that the other roles speak.
    pub fn asked(&self) -> &dyn HistoryService {
        &*self.history
    }

    pub async fn start(&self, workflow: &str) -> ServiceResult<String> {
        self.start_with(workflow, "start-1").await
    }

    pub async fn start_with(&self, workflow: &str, request_id: &str) -> ServiceResult<String> {
        let request = api::StartWorkflowExecutionRequest {
            workflow_id: workflow.into(),
            workflow_type: Some(WorkflowType { name: "Order".into() }),
            task_queue: Some(TaskQueue { name: "orders".into(), ..TaskQueue::default() }),
            request_id: request_id.into(),
            ..Default::default()
        };
        start(&*self.history, request).await.map(|started| started.run_id.0)
    }

    pub async fn signal(&self, workflow: &str, name: &str) -> ServiceResult<()> {
        let request = api::SignalWorkflowExecutionRequest {
            workflow_execution: Some(execution(workflow)),
            signal_name: name.into(),
            request_id: format!("signal-{name}"),
            ..Default::default()
        };
        signal(&*self.history, request).await
    }

    pub async fn describe(&self, workflow: &str) -> ServiceResult<Box<api::DescribeWorkflowExecutionResponse>> {
        self.asked().describe(target(workflow)).await
    }

    /// The next workflow task that matching was given, started for a poll.
    pub async fn poll(&self) -> Box<api::PollWorkflowTaskQueueResponse> {
        let task = self.matching.workflow_task().await;
        self.record_started(&task, "poll").await.unwrap()
    }

    /// The next workflow task of this workflow; those of others are let lie.
    pub async fn poll_of(&self, workflow: &str) -> Box<api::PollWorkflowTaskQueueResponse> {
        loop {
            let task = self.matching.workflow_task().await;
            if task.run.workflow_id.as_str() == workflow {
                return self.record_started(&task, "poll").await.unwrap();
            }
        }
    }

    pub async fn record_started(
        &self,
        task: &AddWorkflowTask,
        poll: &str,
    ) -> ServiceResult<Box<api::PollWorkflowTaskQueueResponse>> {
        let request = RecordWorkflowTaskStarted {
            scheduled_event_id: task.scheduled_event_id,
            stamp: task.stamp,
            request_id: format!("{poll}-{}-{}", task.scheduled_event_id, task.stamp),
            identity: "worker".into(),
            polled_queue: task.task_queue.clone(),
        };
        self.asked().record_workflow_task_started(&task.run, request).await
    }

    pub async fn complete(
        &self,
        task: &api::PollWorkflowTaskQueueResponse,
        commands: Vec<Command>,
    ) -> ServiceResult<()> {
        let commands = commands.into_iter().map(command).collect();
        let request = api::RespondWorkflowTaskCompletedRequest { commands, ..Default::default() };
        self.complete_with(task, request).await.map(drop)
    }

    pub async fn complete_with(
        &self,
        task: &api::PollWorkflowTaskQueueResponse,
        request: api::RespondWorkflowTaskCompletedRequest,
    ) -> ServiceResult<api::RespondWorkflowTaskCompletedResponse> {
        let token = decode_workflow_token(&task.task_token).unwrap();
        self.asked().complete_workflow_task(token, request).await
    }

    pub async fn events(&self, workflow: &str) -> Vec<HistoryEvent> {
        let position = self.asked().history_position(target(workflow), None).await.unwrap();
        self.asked().read_history(&position.run, &position.branch, 1, position.next_event_id, 1000).await.unwrap()
    }

    /// The history's event types, in short.
    pub async fn story(&self, workflow: &str) -> String {
        let events = self.events(workflow).await;
        let name = |event: &HistoryEvent| event.event_type().as_str_name().replace("EVENT_TYPE_", "");
        events.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    pub async fn count(&self, workflow: &str, event_type: EventType) -> usize {
        self.events(workflow).await.iter().filter(|event| event.event_type() == event_type).count()
    }
}

fn node(
    config: &HistoryConfig,
    store: &Arc<MemoryStore>,
    matching: &Arc<FakeMatching>,
    skew: &Arc<Mutex<i64>>,
    began: tokio::time::Instant,
) -> Arc<HistoryHandle> {
    let skew = skew.clone();
    let wall = Arc::new(move || {
        let elapsed = i64::try_from(began.elapsed().as_nanos()).unwrap();
        Time(EPOCH + elapsed + *skew.lock().unwrap())
    });
    let history = HistoryHandle::with_wall_clock(config.clone(), store.clone(), wall).unwrap();
    let history = Arc::new(history);
    let peers: Arc<dyn HistoryService> = history.clone();
    history.start(matching.clone() as Arc<dyn MatchingService>, Arc::downgrade(&peers));
    history
}

pub fn namespace() -> NamespaceId {
    "namespace-id".into()
}

pub fn execution(workflow: &str) -> WorkflowExecution {
    WorkflowExecution { workflow_id: workflow.into(), run_id: String::new() }
}

/// The workflow's current run.
pub fn target(workflow: &str) -> Target {
    Target::current(&namespace(), workflow)
}

pub async fn start(
    history: &dyn HistoryService,
    request: api::StartWorkflowExecutionRequest,
) -> ServiceResult<Started> {
    let to = target(&request.workflow_id);
    history.call(to, Input::Start(Box::new(request))).await.and_then(Reply::started)
}

pub async fn signal(history: &dyn HistoryService, request: api::SignalWorkflowExecutionRequest) -> ServiceResult<()> {
    let to = Target::named(&namespace(), request.workflow_execution.as_ref());
    history.call(to, Input::Signal(Box::new(request))).await.map(drop)
}

/// On behalf of another run.
pub async fn signal_by(
    history: &dyn HistoryService,
    from: OtherRun,
    request: api::SignalWorkflowExecutionRequest,
) -> ServiceResult<()> {
    let to = Target::named(&namespace(), request.workflow_execution.as_ref());
    history.call(to, Input::SignalByWorkflow(from, Box::new(request))).await.map(drop)
}

pub async fn terminate(history: &dyn HistoryService, workflow: &str) -> ServiceResult<()> {
    let workflow_execution = Some(execution(workflow));
    let request = api::TerminateWorkflowExecutionRequest { workflow_execution, ..Default::default() };
    history.call(target(workflow), Input::Terminate(Box::new(request))).await.map(drop)
}

pub fn wait_beyond(next_event_id: i64, timeout: Duration) -> Option<HistoryWait> {
    Some(HistoryWait { next_event_id, until_closed: false, timeout })
}

pub fn timer(id: &str, after: Duration) -> Command {
    Command::StartTimerCommandAttributes(StartTimerCommandAttributes {
        timer_id: id.into(),
        start_to_fire_timeout: Some(after.try_into().unwrap()),
    })
}

pub fn activity(id: &str) -> Command {
    Command::ScheduleActivityTaskCommandAttributes(ScheduleActivityTaskCommandAttributes {
        activity_id: id.into(),
        activity_type: Some(ActivityType { name: "Charge".into() }),
        task_queue: Some(TaskQueue { name: "orders".into(), ..TaskQueue::default() }),
        start_to_close_timeout: Some(Duration::from_secs(30).try_into().unwrap()),
        ..Default::default()
    })
}

pub fn finish() -> Command {
    Command::CompleteWorkflowExecutionCommandAttributes(CompleteWorkflowExecutionCommandAttributes::default())
}

pub fn command(attributes: Command) -> ProtoCommand {
    let command_type = match &attributes {
        Command::StartTimerCommandAttributes(_) => CommandType::StartTimer,
        Command::ScheduleActivityTaskCommandAttributes(_) => CommandType::ScheduleActivityTask,
        Command::FailWorkflowExecutionCommandAttributes(_) => CommandType::FailWorkflowExecution,
        Command::CompleteWorkflowExecutionCommandAttributes(_) => CommandType::CompleteWorkflowExecution,
        Command::StartChildWorkflowExecutionCommandAttributes(_) => CommandType::StartChildWorkflowExecution,
        Command::SignalExternalWorkflowExecutionCommandAttributes(_) => CommandType::SignalExternalWorkflowExecution,
        Command::RequestCancelExternalWorkflowExecutionCommandAttributes(_) => {
            CommandType::RequestCancelExternalWorkflowExecution
        }
        other => unimplemented!("{other:?}"),
    };
    ProtoCommand { command_type: command_type.into(), attributes: Some(attributes), ..Default::default() }
}

/// Lets everything that can happen at this moment happen.
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
