//! One workflow id with its current run, driven by hand; what must hold is checked after each step.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used)]
#[path = "../stored/mod.rs"]
mod stored;

use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tempest_core::{
    ActivityRef, ActivityTaskToken, Context, Flags, Input, KnownEvents, Limits, MutableState, Owed,
    RecordActivityTaskStarted, RecordWorkflowTaskStarted, Rejection, Reply, RunId, TaskKind, Time, TimerTask,
    Transition, WorkflowTaskToken, decide,
};
use temporalio_protos::temporal::api::{
    command::v1::{
        CancelTimerCommandAttributes, CompleteWorkflowExecutionCommandAttributes,
        ContinueAsNewWorkflowExecutionCommandAttributes, RequestCancelActivityTaskCommandAttributes,
        ScheduleActivityTaskCommandAttributes, StartTimerCommandAttributes, command::Attributes as Command,
    },
    common::v1::{ActivityType, WorkflowType},
    enums::v1::CommandType,
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    history::v1::HistoryEvent,
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as api,
};

pub struct World {
    pub now: Time,
    pub timeline: u32,
    pub runs: u32,
    pub limits: Limits,
    pub planted: BTreeSet<String>,
    pub state: Option<MutableState>,
    pub stored: stored::Stored,
    pub history: Vec<HistoryEvent>,
    pub tasks: Vec<TaskKind>,
    pub probes: BTreeSet<&'static str>,
}

impl World {
    pub fn new() -> Self {
        Self {
            now: Time(1_000_000_000_000_000_000),
            timeline: 0,
            runs: 0,
            limits: Limits::default(),
            planted: BTreeSet::new(),
            state: None,
            stored: stored::Stored::default(),
            history: Vec::new(),
            tasks: Vec::new(),
            probes: BTreeSet::new(),
        }
    }

    pub fn state(&self) -> &MutableState {
        self.state.as_ref().expect("started")
    }

    /// What the decision on this input reads of the history, and nothing else.
    fn events_for(&self, input: &Input) -> KnownEvents {
        let needed = self.state.as_ref().and_then(|state| state.event_needed(input));
        needed.into_iter().map(|id| Arc::new(self.history[usize::try_from(id - 1).unwrap()].clone())).collect()
    }

    pub fn give(&mut self, input: Input) -> Result<Reply, Rejection> {
        let context = Context {
            now: self.now,
            namespace_id: "ns".into(),
            new_run_id: RunId(format!("run-{}", self.runs + 1)),
            timeline: self.timeline,
            events: self.events_for(&input),
            limits: self.limits.clone(),
            flags: Flags { planted: Arc::new(self.planted.clone()), ..Flags::default() },
        };
        let Transition { runs, reply, probes, .. } = decide(self.state.as_ref(), input, &context)?;
        self.probes.extend(probes);
        for run in runs {
            let stored = self.state.as_ref().map(MutableState::version);
            if run.opens() {
                self.runs += 1;
                self.history.clear();
                self.tasks.clear();
                self.stored = stored::Stored::default();
            } else {
                assert_eq!(run.expected_version, stored, "it was decided on what is stored");
            }
            self.stored.write(&run);
            self.state = Some(*run.state);
            self.history.extend(run.events);
            self.tasks.extend(run.transfer_tasks.into_iter().map(TaskKind::Transfer));
            self.tasks.extend(run.timer_tasks.into_iter().map(TaskKind::Timer));
            self.check();
        }
        Ok(reply)
    }

    /// Events rebuild the state, bytes keep it, and tasks cover it.
    pub fn check(&self) {
        let state = self.state();
        let rebuilt = MutableState::rebuild(state.key().clone(), &self.history).expect("the history is well formed");
        assert_eq!(rebuilt.durable_projection(), state.durable_projection());
        let read = self.stored.read();
        assert_eq!(read.durable_projection(), state.durable_projection());
        assert_eq!(format!("{:?}", read.auxiliary()), format!("{:?}", state.auxiliary()));
        assert_eq!(read.approximate_bytes(), state.approximate_bytes());
        for owed in state.tasks_owed() {
            let covered = self.tasks.iter().any(|task| match (&owed, task) {
                (Owed::Transfer(owed), TaskKind::Transfer(task)) => owed == task,
                (Owed::Timer { by, kind }, TaskKind::Timer(task)) => task.kind == *kind && task.fire_time <= *by,
                _ => false,
            });
            assert!(covered, "nothing covers {owed:?} among {:#?}", self.tasks);
        }
    }

    pub fn start(&mut self) -> Reply {
        self.start_with(|_| {}).expect("it starts")
    }

    pub fn start_with(
        &mut self,
        change: impl FnOnce(&mut api::StartWorkflowExecutionRequest),
    ) -> Result<Reply, Rejection> {
        let mut request = api::StartWorkflowExecutionRequest {
            namespace: "ns".into(),
            workflow_id: "order".into(),
            workflow_type: Some(WorkflowType { name: "OrderSaga".into() }),
            task_queue: Some(TaskQueue { name: "orders".into(), ..TaskQueue::default() }),
            request_id: "start-1".into(),
            ..Default::default()
        };
        change(&mut request);
        self.give(Input::Start(Box::new(request)))
    }

    pub fn poll(&mut self) -> WorkflowTaskToken {
        let task = self.state().workflow_task().expect("a workflow task is pending");
        let (scheduled_event_id, polled_queue) = (task.scheduled_event_id, task.queue.clone());
        let request = RecordWorkflowTaskStarted {
            scheduled_event_id,
            stamp: self.state().auxiliary().workflow_task.stamp,
            request_id: format!("poll-{scheduled_event_id}"),
            identity: "worker".into(),
            polled_queue,
        };
        match self.give(Input::RecordWorkflowTaskStarted(request)) {
            Ok(Reply::WorkflowTaskStarted(started)) => started.token,
            other => panic!("{other:?}"),
        }
    }

    pub fn complete(&mut self, token: &WorkflowTaskToken, commands: Vec<Command>) -> Result<Reply, Rejection> {
        self.complete_with(token, commands, |_| {})
    }

    pub fn complete_with(
        &mut self,
        token: &WorkflowTaskToken,
        commands: Vec<Command>,
        change: impl FnOnce(&mut api::RespondWorkflowTaskCompletedRequest),
    ) -> Result<Reply, Rejection> {
        let commands = commands.into_iter().map(command).collect();
        let mut request =
            api::RespondWorkflowTaskCompletedRequest { commands, identity: "worker".into(), ..Default::default() };
        change(&mut request);
        self.give(Input::CompleteWorkflowTask(token.clone(), Box::new(request)))
    }

    pub fn poll_activity(&mut self, scheduled_event_id: i64, attempt: i32) -> ActivityTaskToken {
        let request = RecordActivityTaskStarted {
            scheduled_event_id,
            attempt,
            request_id: format!("activity-{scheduled_event_id}-{attempt}"),
            identity: "worker".into(),
        };
        match self.give(Input::RecordActivityTaskStarted(request)) {
            Ok(Reply::ActivityStarted(_)) => {}
            other => panic!("{other:?}"),
        }
        let key = self.state().key().clone();
        ActivityTaskToken {
            namespace_id: key.namespace_id,
            workflow_id: key.workflow_id,
            run_id: key.run_id,
            scheduled_event_id,
            attempt,
            started_time: self.now,
        }
    }

    pub fn complete_activity(&mut self, token: ActivityTaskToken) -> Result<Reply, Rejection> {
        self.give(Input::CompleteActivity(ActivityRef::Token(token), Box::default()))
    }

    pub fn fail_activity(&mut self, token: ActivityTaskToken) -> Result<Reply, Rejection> {
        let info = FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo::default());
        let failure = Failure { message: "no stock".into(), failure_info: Some(info), ..Failure::default() };
        let request = api::RespondActivityTaskFailedRequest { failure: Some(failure), ..Default::default() };
        self.give(Input::FailActivity(ActivityRef::Token(token), Box::new(request)))
    }

    pub fn signal(&mut self, request_id: &str) -> Result<Reply, Rejection> {
        self.give(Input::Signal(Box::new(api::SignalWorkflowExecutionRequest {
            signal_name: "amend".into(),
            request_id: request_id.into(),
            ..Default::default()
        })))
    }

    /// Advances to the earliest timer task and fires it.
    pub fn fire_next(&mut self) -> TimerTask {
        let timers = self.tasks.iter().enumerate().filter_map(|(at, task)| match task {
            TaskKind::Timer(task) => Some((task.fire_time, at)),
            TaskKind::Transfer(_) => None,
        });
        let (_, at) = timers.min().expect("a timer task is stored");
        let TaskKind::Timer(task) = self.tasks.remove(at) else { unreachable!("it was a timer task") };
        self.now = self.now.max(task.fire_time);
        self.give(Input::FireTimer(task.clone())).expect("timers are never refused");
        task
    }

    pub fn events(&self) -> Vec<String> {
        let name = |event: &HistoryEvent| {
            let kind = event.event_type().as_str_name();
            kind.trim_start_matches("EVENT_TYPE_").to_lowercase()
        };
        self.history.iter().map(name).collect()
    }

    pub fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }
}

pub fn command(attributes: Command) -> temporalio_protos::temporal::api::command::v1::Command {
    let kind = match &attributes {
        Command::ScheduleActivityTaskCommandAttributes(_) => CommandType::ScheduleActivityTask,
        Command::StartTimerCommandAttributes(_) => CommandType::StartTimer,
        Command::CancelTimerCommandAttributes(_) => CommandType::CancelTimer,
        Command::RequestCancelActivityTaskCommandAttributes(_) => CommandType::RequestCancelActivityTask,
        Command::CompleteWorkflowExecutionCommandAttributes(_) => CommandType::CompleteWorkflowExecution,
        Command::FailWorkflowExecutionCommandAttributes(_) => CommandType::FailWorkflowExecution,
        Command::ContinueAsNewWorkflowExecutionCommandAttributes(_) => CommandType::ContinueAsNewWorkflowExecution,
        Command::StartChildWorkflowExecutionCommandAttributes(_) => CommandType::StartChildWorkflowExecution,
        other => panic!("{other:?}"),
    };
    let mut command =
        temporalio_protos::temporal::api::command::v1::Command { attributes: Some(attributes), ..Default::default() };
    command.set_command_type(kind);
    command
}

pub fn seconds(seconds: i64) -> Option<prost_wkt_types::Duration> {
    Some(prost_wkt_types::Duration { seconds, nanos: 0 })
}

pub fn activity(id: &str) -> Command {
    Command::ScheduleActivityTaskCommandAttributes(ScheduleActivityTaskCommandAttributes {
        activity_id: id.into(),
        activity_type: Some(ActivityType { name: "Charge".into() }),
        task_queue: Some(TaskQueue { name: "orders".into(), ..TaskQueue::default() }),
        start_to_close_timeout: seconds(10),
        heartbeat_timeout: seconds(3),
        schedule_to_close_timeout: seconds(60),
        ..Default::default()
    })
}

pub fn timer(id: &str, after: i64) -> Command {
    Command::StartTimerCommandAttributes(StartTimerCommandAttributes {
        timer_id: id.into(),
        start_to_fire_timeout: seconds(after),
    })
}

pub fn complete() -> Command {
    Command::CompleteWorkflowExecutionCommandAttributes(CompleteWorkflowExecutionCommandAttributes::default())
}

pub fn cancel_timer(id: &str) -> Command {
    Command::CancelTimerCommandAttributes(CancelTimerCommandAttributes { timer_id: id.into() })
}

pub fn continue_as_new() -> Command {
    Command::ContinueAsNewWorkflowExecutionCommandAttributes(ContinueAsNewWorkflowExecutionCommandAttributes::default())
}

pub fn cancel_activity(scheduled_event_id: i64) -> Command {
    let attributes = RequestCancelActivityTaskCommandAttributes { scheduled_event_id };
    Command::RequestCancelActivityTaskCommandAttributes(attributes)
}
