//! A run of the core alone, given the inputs that most runs get: start, workflow task, one activity, workflow task, close.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each bench uses its part, and one that cannot go on says so by a panic"
)]

use std::sync::Arc;
use tempest_core::{
    ActivityRef, ActivityTaskToken, Context, Flags, Input, KnownEvents, Limits, MutableState,
    RecordActivityTaskStarted, RecordWorkflowTaskStarted, Reply, RunId, Time, WorkflowTaskToken, decide,
};
use temporalio_protos::temporal::api::{
    command::v1::{
        Command, CompleteWorkflowExecutionCommandAttributes, ScheduleActivityTaskCommandAttributes, command::Attributes,
    },
    common::v1::{ActivityType, WorkflowType},
    enums::v1::CommandType,
    history::v1::HistoryEvent,
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as api,
};

/// Inputs of one life, each of which is one transition.
pub const TRANSITIONS_OF_A_LIFE: u64 = 7;

pub struct Run {
    pub context: Context,
    pub state: Option<MutableState>,
    history: Vec<Arc<HistoryEvent>>,
}

impl Run {
    pub fn new() -> Self {
        let now = Time(1_000_000_000_000_000_000);
        let (limits, flags) = (Limits::default(), Flags::default());
        let (namespace_id, new_run_id) = ("namespace".into(), RunId("run-1".into()));
        let events = KnownEvents::default();
        let context = Context { now, namespace_id, new_run_id, timeline: 0, events, limits, flags };
        Self { context, state: None, history: Vec::new() }
    }

    pub fn give(&mut self, input: Input) -> Reply {
        let needed = self.state.as_ref().and_then(|state| state.event_needed(&input));
        let brought = needed.map(|id| self.history[usize::try_from(id - 1).unwrap()].clone());
        self.context.events = brought.into_iter().collect();
        let transition = decide(self.state.as_ref(), input, &self.context).unwrap();
        for run in transition.runs {
            self.history.extend(run.events.into_iter().map(Arc::new));
            self.state = Some(*run.state);
        }
        transition.reply
    }

    pub fn start(&mut self) {
        self.give(Input::Start(Box::new(api::StartWorkflowExecutionRequest {
            namespace: "namespace".into(),
            workflow_id: "order".into(),
            workflow_type: Some(WorkflowType { name: "OrderSaga".into() }),
            task_queue: Some(queue()),
            request_id: "start-1".into(),
            ..Default::default()
        })));
    }

    pub fn workflow_task(&mut self, commands: Vec<Command>) {
        let state = self.state.as_ref().unwrap();
        let task = state.workflow_task().unwrap();
        let request = RecordWorkflowTaskStarted {
            scheduled_event_id: task.scheduled_event_id,
            stamp: state.auxiliary().workflow_task.stamp,
            request_id: "poll".into(),
            identity: "worker".into(),
            polled_queue: task.queue.clone(),
        };
        let Reply::WorkflowTaskStarted(started) = self.give(Input::RecordWorkflowTaskStarted(request)) else {
            panic!("the task was offered")
        };
        let token: WorkflowTaskToken = started.token;
        let completed = api::RespondWorkflowTaskCompletedRequest { commands, ..Default::default() };
        self.give(Input::CompleteWorkflowTask(token, Box::new(completed)));
    }

    pub fn activity(&mut self, scheduled_event_id: i64) {
        self.give(Input::RecordActivityTaskStarted(RecordActivityTaskStarted {
            scheduled_event_id,
            attempt: 1,
            request_id: "poll".into(),
            identity: "worker".into(),
        }));
        let key = self.state.as_ref().unwrap().key().clone();
        let token = ActivityTaskToken {
            namespace_id: key.namespace_id,
            workflow_id: key.workflow_id,
            run_id: key.run_id,
            scheduled_event_id,
            attempt: 1,
            started_time: self.context.now,
        };
        self.give(Input::CompleteActivity(ActivityRef::Token(token), Box::default()));
    }
}

fn queue() -> TaskQueue {
    TaskQueue { name: "orders".into(), ..TaskQueue::default() }
}

fn command(kind: CommandType, attributes: Attributes) -> Command {
    Command { command_type: kind.into(), attributes: Some(attributes), ..Command::default() }
}

pub fn schedule(activity_id: String) -> Command {
    let attributes = ScheduleActivityTaskCommandAttributes {
        activity_id,
        activity_type: Some(ActivityType { name: "Charge".into() }),
        task_queue: Some(queue()),
        start_to_close_timeout: Some(prost_wkt_types::Duration { seconds: 10, nanos: 0 }),
        ..Default::default()
    };
    command(CommandType::ScheduleActivityTask, Attributes::ScheduleActivityTaskCommandAttributes(attributes))
}

pub fn complete() -> Command {
    let attributes = CompleteWorkflowExecutionCommandAttributes::default();
    command(CommandType::CompleteWorkflowExecution, Attributes::CompleteWorkflowExecutionCommandAttributes(attributes))
}

pub fn life() -> MutableState {
    let mut run = Run::new();
    run.start();
    run.workflow_task(vec![schedule("charge".into())]);
    run.activity(5);
    run.workflow_task(vec![complete()]);
    run.state.unwrap()
}
