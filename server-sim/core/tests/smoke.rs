//! The core's life in short: a run that does a little of everything, with what must hold after each step.
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tempest_core::{
    ActivityRef, ActivityTaskToken, Context, Flags, Input, Limits, MutableState, Owed, RecordActivityTaskStarted,
    RecordWorkflowTaskStarted, Rejection, Reply, RunId, TaskKind, Time, TimerKind, TimerTask, TransferTask, Transition,
    WorkflowTaskToken, decide,
};
use temporalio_protos::temporal::api::{
    command::v1::{
        CompleteWorkflowExecutionCommandAttributes, FailWorkflowExecutionCommandAttributes,
        ScheduleActivityTaskCommandAttributes, StartTimerCommandAttributes, command::Attributes as Command,
    },
    common::v1::{ActivityType, WorkflowType},
    enums::v1::{CommandType, WorkflowExecutionStatus as Status},
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    history::v1::HistoryEvent,
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as api,
};

struct World {
    now: Time,
    runs: u32,
    limits: Limits,
    planted: BTreeSet<String>,
    state: Option<MutableState>,
    history: Vec<HistoryEvent>,
    tasks: Vec<TaskKind>,
}

impl World {
    fn new() -> Self {
        Self {
            now: Time(1_000_000_000_000_000_000),
            runs: 0,
            limits: Limits::default(),
            planted: BTreeSet::new(),
            state: None,
            history: Vec::new(),
            tasks: Vec::new(),
        }
    }

    fn state(&self) -> &MutableState {
        self.state.as_ref().expect("started")
    }

    fn give(&mut self, input: Input) -> Result<Reply, Rejection> {
        let context = Context {
            now: self.now,
            new_run_id: RunId(format!("run-{}", self.runs + 1)),
            limits: self.limits.clone(),
            flags: Flags { planted: Arc::new(self.planted.clone()) },
        };
        let Transition { run, new_run, reply, .. } = decide(self.state.as_ref(), input, &context)?;
        if let Some(change) = run {
            self.state.as_mut().expect("a change has a run").apply(&change);
            self.history.extend(change.events);
            self.tasks.extend(change.transfer_tasks.into_iter().map(TaskKind::Transfer));
            self.tasks.extend(change.timer_tasks.into_iter().map(TaskKind::Timer));
            self.check();
        }
        if let Some(new_run) = new_run {
            self.runs += 1;
            self.state = Some(new_run.state);
            self.history = new_run.events;
            self.tasks = new_run.transfer_tasks.into_iter().map(TaskKind::Transfer).collect();
            self.tasks.extend(new_run.timer_tasks.into_iter().map(TaskKind::Timer));
            self.check();
        }
        Ok(reply)
    }

    /// Events rebuild the state, bytes keep it, and tasks cover it.
    fn check(&self) {
        let state = self.state();
        let rebuilt = MutableState::rebuild(state.key().clone(), &self.history).expect("the history is well formed");
        assert_eq!(rebuilt.durable_projection(), state.durable_projection());
        let bytes = rmp_serde::to_vec_named(state).expect("a state has bytes");
        let read: MutableState = rmp_serde::from_slice(&bytes).expect("its bytes are a state");
        assert_eq!(read.durable_projection(), state.durable_projection());
        assert_eq!(format!("{:?}", read.ephemera()), format!("{:?}", state.ephemera()));
        for owed in state.tasks_owed() {
            let covered = self.tasks.iter().any(|task| match (&owed, task) {
                (Owed::Transfer(owed), TaskKind::Transfer(task)) => owed == task,
                (Owed::Timer { by, kind }, TaskKind::Timer(task)) => task.kind == *kind && task.fire_time <= *by,
                _ => false,
            });
            assert!(covered, "nothing covers {owed:?} among {:#?}", self.tasks);
        }
    }

    fn start(&mut self) -> Reply {
        self.start_with(|_| {}).expect("it starts")
    }

    fn start_with(&mut self, change: impl FnOnce(&mut api::StartWorkflowExecutionRequest)) -> Result<Reply, Rejection> {
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

    fn poll(&mut self) -> WorkflowTaskToken {
        let task = self.state().workflow_task().expect("a workflow task is pending");
        let (scheduled_event_id, polled_queue) = (task.scheduled_event_id, task.queue.clone());
        let request = RecordWorkflowTaskStarted {
            scheduled_event_id,
            stamp: self.state().ephemera().workflow_task.stamp,
            request_id: format!("poll-{scheduled_event_id}"),
            identity: "worker".into(),
            polled_queue,
        };
        match self.give(Input::RecordWorkflowTaskStarted(request)) {
            Ok(Reply::WorkflowTaskStarted(started)) => started.token,
            other => panic!("{other:?}"),
        }
    }

    fn complete(&mut self, token: &WorkflowTaskToken, commands: Vec<Command>) -> Result<Reply, Rejection> {
        self.complete_with(token, commands, |_| {})
    }

    fn complete_with(
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

    fn poll_activity(&mut self, scheduled_event_id: i64, attempt: i32) -> ActivityTaskToken {
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

    fn complete_activity(&mut self, token: ActivityTaskToken) -> Result<Reply, Rejection> {
        self.give(Input::CompleteActivity(ActivityRef::Token(token), Box::default()))
    }

    fn fail_activity(&mut self, token: ActivityTaskToken) -> Result<Reply, Rejection> {
        let info = FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo::default());
        let failure = Failure { message: "no stock".into(), failure_info: Some(info), ..Failure::default() };
        let request = api::RespondActivityTaskFailedRequest { failure: Some(failure), ..Default::default() };
        self.give(Input::FailActivity(ActivityRef::Token(token), Box::new(request)))
    }

    fn signal(&mut self, request_id: &str) -> Result<Reply, Rejection> {
        self.give(Input::Signal(Box::new(api::SignalWorkflowExecutionRequest {
            signal_name: "amend".into(),
            request_id: request_id.into(),
            ..Default::default()
        })))
    }

    /// Advances to the earliest timer task and fires it.
    fn fire_next(&mut self) -> TimerTask {
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

    fn events(&self) -> Vec<String> {
        let name = |event: &HistoryEvent| {
            let kind = event.event_type().as_str_name();
            kind.trim_start_matches("EVENT_TYPE_").to_lowercase()
        };
        self.history.iter().map(name).collect()
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }
}

fn command(attributes: Command) -> temporalio_protos::temporal::api::command::v1::Command {
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

fn seconds(seconds: i64) -> Option<prost_wkt_types::Duration> {
    Some(prost_wkt_types::Duration { seconds, nanos: 0 })
}

fn activity(id: &str) -> Command {
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

fn timer(id: &str, after: i64) -> Command {
    Command::StartTimerCommandAttributes(StartTimerCommandAttributes {
        timer_id: id.into(),
        start_to_fire_timeout: seconds(after),
    })
}

fn complete() -> Command {
    Command::CompleteWorkflowExecutionCommandAttributes(CompleteWorkflowExecutionCommandAttributes::default())
}

#[test]
fn a_run_with_an_activity_and_a_timer_completes() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.complete(&token, vec![activity("a"), timer("t", 5)]).unwrap();
    assert!(matches!(world.complete(&token, vec![complete()]), Err(Rejection::NotFound(_))), "twice");
    let charge = world.poll_activity(5, 1);
    world.complete_activity(charge.clone()).unwrap();
    assert!(matches!(world.complete_activity(charge), Err(Rejection::NotFound(_))), "twice");
    let token = world.poll();
    world.complete(&token, vec![]).unwrap();
    while !world.events().contains(&"timer_fired".to_owned()) {
        world.fire_next();
    }
    let token = world.poll();
    world.complete(&token, vec![complete()]).unwrap();
    assert_eq!(world.state().status(), Status::Completed);
    let expected = "workflow_execution_started workflow_task_scheduled workflow_task_started workflow_task_completed \
                    activity_task_scheduled timer_started activity_task_started activity_task_completed \
                    workflow_task_scheduled workflow_task_started workflow_task_completed timer_fired \
                    workflow_task_scheduled workflow_task_started workflow_task_completed \
                    workflow_execution_completed";
    assert_eq!(world.events().join(" "), expected);
    assert!(world.tasks.contains(&TaskKind::Transfer(TransferTask::CloseExecution)));
}

#[test]
fn a_failing_workflow_task_turns_transient_and_news_make_it_normal() {
    let mut world = World::new();
    world.start();
    for _ in 0..3 {
        let token = world.poll();
        let failed = api::RespondWorkflowTaskFailedRequest::default();
        world.give(Input::FailWorkflowTask(token, Box::new(failed))).unwrap();
    }
    assert_eq!(world.state().workflow_task().unwrap().attempt, 4);
    assert_eq!(world.events().len(), 4, "only the first attempt is in history");
    assert_eq!(world.state().transient_events().len(), 1);
    world.signal("s1").unwrap();
    world.signal("s1").unwrap();
    let token = world.poll();
    assert_eq!((token.attempt, token.scheduled_event_id, token.started_event_id), (1, 6, 7));
    world.signal("s2").unwrap();
    assert_eq!(world.events().len(), 7, "the second signal waits");
    let refused = world.complete(&token, vec![complete()]).unwrap();
    assert!(matches!(refused, Reply::Refused(Rejection::InvalidArgument(message)) if message == "UnhandledCommand"));
    assert_eq!(
        world.events()[7..].join(" "),
        "workflow_task_failed workflow_execution_signaled workflow_task_scheduled"
    );
}

#[test]
fn a_transient_workflow_task_writes_its_events_when_it_completes() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.give(Input::FailWorkflowTask(token, Box::default())).unwrap();
    let token = world.poll();
    assert_eq!(token.attempt, 2);
    assert_eq!(world.state().transient_events().len(), 2);
    world.complete(&token, vec![complete()]).unwrap();
    assert_eq!(
        world.events()[4..].join(" "),
        "workflow_task_scheduled workflow_task_started workflow_task_completed workflow_execution_completed"
    );
}

#[test]
fn an_activity_is_retried_until_its_time_is_over() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.complete(&token, vec![activity("a")]).unwrap();
    let mut attempt = 1;
    while !world.state().durable().activities.is_empty() {
        let offered = world.tasks.iter().any(|task| {
            matches!(task, TaskKind::Transfer(TransferTask::ActivityTask { attempt: offered, .. }) if *offered == attempt)
        });
        if offered {
            let token = world.poll_activity(5, attempt);
            world.pass(Duration::from_millis(100));
            world.fail_activity(token).unwrap();
            attempt += 1;
        } else {
            world.fire_next();
        }
    }
    assert_eq!(world.events()[5..].join(" "), "activity_task_started activity_task_failed workflow_task_scheduled");
    assert_eq!(attempt, 7, "1 + 2 + 4 + 8 + 16 seconds, and 32 more would be too late");
}

#[test]
fn an_activity_without_heartbeat_times_out_and_old_tokens_are_refused() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    world.complete(&token, vec![activity("a")]).unwrap();
    let old = world.poll_activity(5, 1);
    world.pass(Duration::from_secs(2));
    let heartbeat = Input::HeartbeatActivity(ActivityRef::Token(old.clone()), Box::default());
    world.give(heartbeat).unwrap();
    loop {
        let fired = world.fire_next();
        if matches!(fired.kind, TimerKind::ActivityRetry { attempt: 2, .. }) {
            break;
        }
    }
    assert!(matches!(world.complete_activity(old.clone()), Err(Rejection::NotFound(_))));
    let new = world.poll_activity(5, 2);
    assert!(matches!(world.complete_activity(old), Err(Rejection::NotFound(_))));
    world.complete_activity(new).unwrap();
}

#[test]
fn sticky_queues_are_given_up_when_nobody_comes() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    let sticky = temporalio_protos::temporal::api::taskqueue::v1::StickyExecutionAttributes {
        worker_task_queue: Some(TaskQueue { name: "sticky-1".into(), ..TaskQueue::default() }),
        schedule_to_start_timeout: seconds(5),
    };
    world.complete_with(&token, vec![], |request| request.sticky_attributes = Some(sticky)).unwrap();
    world.signal("s").unwrap();
    assert_eq!(world.state().workflow_task().unwrap().queue, "sticky-1");
    while world.state().workflow_task().unwrap().queue == "sticky-1" {
        world.fire_next();
    }
    assert_eq!(world.events().last().unwrap(), "workflow_task_scheduled");
    assert_eq!(world.state().workflow_task().unwrap().attempt, 1);
}

#[test]
fn a_start_is_recognised_and_policies_hold() {
    let mut world = World::new();
    world.start();
    assert!(matches!(world.start(), Reply::Started(started) if started.started && started.run_id.0 == "run-1"));
    let other = world.start_with(|request| request.request_id = "start-2".into());
    assert!(matches!(other, Err(Rejection::AlreadyStarted { .. })));
    let replaced = world.start_with(|request| {
        request.request_id = "start-3".into();
        request.workflow_id_conflict_policy = 3;
    });
    assert!(matches!(replaced, Ok(Reply::Started(started)) if started.run_id.0 == "run-2"), "terminated and replaced");
}

#[test]
fn a_failed_workflow_is_retried_as_a_new_run() {
    let mut world = World::new();
    world
        .start_with(|request| {
            request.retry_policy = Some(temporalio_protos::temporal::api::common::v1::RetryPolicy {
                initial_interval: seconds(1),
                backoff_coefficient: 2.0,
                maximum_attempts: 2,
                maximum_interval: seconds(100),
                ..Default::default()
            });
        })
        .unwrap();
    let token = world.poll();
    let fail = || {
        Command::FailWorkflowExecutionCommandAttributes(FailWorkflowExecutionCommandAttributes {
            failure: Some(Failure { message: "out of luck".into(), ..Failure::default() }),
        })
    };
    world.complete(&token, vec![fail()]).unwrap();
    assert_eq!(world.state().key().run_id.0, "run-2");
    assert_eq!(world.state().first_execution_run_id().0, "run-1");
    assert!(world.state().workflow_task().is_none(), "it waits");
    world.signal("early").unwrap();
    assert!(world.state().workflow_task().is_none(), "it still waits");
    world.fire_next();
    let token = world.poll();
    world.complete(&token, vec![fail()]).unwrap();
    assert_eq!(world.state().status(), Status::Failed);
}

#[test]
fn unsupported_commands_fail_their_workflow_task() {
    let mut world = World::new();
    world.start();
    let token = world.poll();
    let child = Command::StartChildWorkflowExecutionCommandAttributes(Default::default());
    let refused = world.complete(&token, vec![timer("t", 1), child]).unwrap();
    let Reply::Refused(Rejection::InvalidArgument(message)) = refused else { panic!("{refused:?}") };
    assert!(message.starts_with("BadStartChildExecutionAttributes: "), "{message}");
    assert!(world.state().durable().timers.is_empty(), "nothing of it happened");
}
