//! A story is a run's life told step by step: each step is one input, followed by what it did.
//!
//! ```text
//! +0s  client starts order-7                 the clock, who does what
//!      #1 WorkflowExecutionStarted ...       events and changes without event, in the order they were made
//!      . workflow task attempt=1             a change that no event tells of
//!      -> WorkflowTask scheduled=#2 ...      a transfer task
//!      at +10s ActivityRetry ...             a timer task
//!      reply ...                             what the caller is told
//! ```
use crate::{
    print,
    shard::{Shard, requests},
};
use std::{collections::BTreeMap, fmt::Write, time::Duration};
use tempest_core::{
    ActivityRef, ActivityTaskToken, AuxiliaryChange, Change, ChildClosed, CrossCallEnd, Input, Outcome,
    RecordActivityTaskStarted, RecordWorkflowTaskStarted, Rejection, Reply, Time, TransferTask, Transition,
    WorkflowTaskStarted, WorkflowTaskToken,
};
use temporalio_protos::temporal::api::{
    command::v1::Command,
    enums::v1::{TaskQueueKind, WorkflowTaskFailedCause},
    failure::v1::Failure,
    history::v1::{HistoryEvent, history_event::Attributes},
    taskqueue::v1::{StickyExecutionAttributes, TaskQueue},
    workflowservice::v1 as api,
};

pub const STICKY_QUEUE: &str = "worker-1-sticky";

pub struct Story {
    pub shard: Shard,
    /// Of the last workflow task that a worker got.
    pub workflow_task: WorkflowTaskToken,
    /// Of the last started attempt, by activity id.
    pub activities: BTreeMap<String, ActivityTaskToken>,
    text: String,
    polls: u32,
}

impl Story {
    pub fn new() -> Self {
        Self::on(Shard::new())
    }

    pub fn on(shard: Shard) -> Self {
        Self {
            shard,
            workflow_task: WorkflowTaskToken::default(),
            activities: BTreeMap::new(),
            text: String::new(),
            polls: 0,
        }
    }

    /// Does what every story of a kind begins with, in one line.
    pub fn before(mut self, summary: &str, steps: impl FnOnce(&mut Self)) -> Self {
        steps(&mut self);
        self.text = format!("({summary})\n");
        self
    }

    /// Everything told so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// One input to the current run.
    pub fn step(&mut self, title: &str, input: Input) -> Result<Transition, Rejection> {
        self.step_on(self.shard.current(), title, input)
    }

    fn step_on(&mut self, run: Option<usize>, title: &str, input: Input) -> Result<Transition, Rejection> {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        writeln!(self.text, "{}  {title}", print::time(self.shard.now)).unwrap();
        let result = self.shard.apply_to(run, input);
        match &result {
            Ok(transition) => self.tell(transition),
            Err(rejection) => self.line(&refusal(rejection)),
        }
        result
    }

    pub fn start(&mut self) {
        self.start_with(|_| {});
    }

    pub fn start_with(&mut self, edit: impl FnOnce(&mut api::StartWorkflowExecutionRequest)) {
        let mut request = requests::start("start-1");
        edit(&mut request);
        let _ = self.step("client starts order-7", Input::Start(Box::new(request)));
    }

    pub fn signal(&mut self, name: &str, request_id: &str) {
        let input = Input::Signal(Box::new(requests::signal(name, request_id)));
        let _ = self.step(&format!("client signals {name} (request {request_id})"), input);
    }

    pub fn cancel(&mut self) {
        let _ = self.step("client requests cancellation", Input::RequestCancel(Box::new(requests::cancel("cancel-1"))));
    }

    pub fn terminate(&mut self, reason: &str) {
        let _ = self.step("client terminates", Input::Terminate(Box::new(requests::terminate(reason))));
    }

    /// Matching hands the workflow task that is due to a poll.
    pub fn poll_workflow_task(&mut self) {
        self.polls += 1;
        let input = self.due_workflow_task(&format!("poll-{}", self.polls));
        let _ = self.step("worker polls a workflow task", Input::RecordWorkflowTaskStarted(input));
    }

    /// What matching would ask for the workflow task that is due.
    pub fn due_workflow_task(&self, request_id: &str) -> RecordWorkflowTaskStarted {
        let run = self.shard.runs.last().expect("a run was started");
        let due = run.transfer_tasks.iter().rev().find_map(|task| match task {
            TransferTask::WorkflowTask { scheduled_event_id, stamp, task_queue, .. } if run.state.task_is_due(task) => {
                Some((*scheduled_event_id, *stamp, task_queue.clone()))
            }
            _ => None,
        });
        let (scheduled_event_id, stamp, polled_queue) = due.expect("a workflow task is due");
        RecordWorkflowTaskStarted {
            scheduled_event_id,
            stamp,
            request_id: request_id.into(),
            identity: "worker".into(),
            polled_queue,
        }
    }

    pub fn complete(&mut self, commands: Vec<Command>) {
        self.complete_with(commands, |_| {});
    }

    pub fn complete_with(
        &mut self,
        commands: Vec<Command>,
        edit: impl FnOnce(&mut api::RespondWorkflowTaskCompletedRequest),
    ) {
        let names: Vec<_> = commands.iter().map(|command| format!("{:?}", command.command_type())).collect();
        let mut request =
            api::RespondWorkflowTaskCompletedRequest { commands, identity: "worker".into(), ..Default::default() };
        edit(&mut request);
        let title = format!("worker completes the workflow task with [{}]", names.join(", "));
        let _ = self.step(&title, Input::CompleteWorkflowTask(self.workflow_task.clone(), Box::new(request)));
    }

    /// Completes and asks for the next workflow tasks on the worker's own queue.
    pub fn complete_sticky(&mut self, commands: Vec<Command>) {
        self.complete_with(commands, |request| {
            request.sticky_attributes = Some(StickyExecutionAttributes {
                worker_task_queue: Some(TaskQueue {
                    name: STICKY_QUEUE.into(),
                    kind: TaskQueueKind::Sticky.into(),
                    normal_name: requests::QUEUE.into(),
                }),
                schedule_to_start_timeout: requests::seconds(5),
            });
        });
    }

    pub fn fail_workflow_task(&mut self, message: &str) {
        let request = api::RespondWorkflowTaskFailedRequest {
            cause: WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure.into(),
            failure: Some(requests::application_failure(message, "Panic")),
            identity: "worker".into(),
            ..Default::default()
        };
        let input = Input::FailWorkflowTask(self.workflow_task.clone(), Box::new(request));
        let _ = self.step("worker fails the workflow task", input);
    }

    /// Matching hands an activity's current attempt to a poll.
    pub fn poll_activity(&mut self, id: &str) {
        self.poll_activity_as(id, "worker");
    }

    pub fn poll_activity_as(&mut self, id: &str, identity: &str) {
        self.polls += 1;
        let scheduled_event_id = self.scheduled_event_id(id);
        let run = self.shard.runs.last().expect("a run was started");
        let attempt = run.transfer_tasks.iter().rev().find_map(|task| match task {
            TransferTask::ActivityTask { scheduled_event_id: scheduled, attempt, .. }
                if *scheduled == scheduled_event_id && run.state.task_is_due(task) =>
            {
                Some(*attempt)
            }
            _ => None,
        });
        let input = RecordActivityTaskStarted {
            scheduled_event_id,
            attempt: attempt.expect("an attempt of the activity is due"),
            request_id: format!("poll-{}", self.polls),
            identity: identity.into(),
        };
        let transition =
            self.step(&format!("worker polls activity {id}"), Input::RecordActivityTaskStarted(input)).unwrap();
        let Reply::ActivityStarted(response) = transition.reply else { panic!("no poll response") };
        let key = self.shard.runs.last().expect("a run was started").state.key().clone();
        let token = ActivityTaskToken {
            namespace_id: key.namespace_id,
            workflow_id: key.workflow_id,
            run_id: key.run_id,
            scheduled_event_id,
            attempt: response.attempt,
            started_time: response.started_time.as_ref().map_or(Time::ZERO, Time::from_proto),
        };
        self.activities.insert(id.to_owned(), token);
    }

    pub fn scheduled_event_id(&self, activity_id: &str) -> i64 {
        let run = self.shard.runs.last().expect("a run was started");
        let scheduled = run.history.iter().rev().find(|event| match &event.attributes {
            Some(Attributes::ActivityTaskScheduledEventAttributes(scheduled)) => scheduled.activity_id == activity_id,
            _ => false,
        });
        scheduled.expect("the activity was scheduled").event_id
    }

    fn token(&self, id: &str) -> ActivityRef {
        ActivityRef::Token(self.activities[id].clone())
    }

    pub fn heartbeat(&mut self, id: &str, details: &str) {
        let request = api::RecordActivityTaskHeartbeatRequest {
            details: requests::payloads(details),
            identity: "worker".into(),
            ..Default::default()
        };
        let title = format!("worker heartbeats for {id}: {details}");
        let _ = self.step(&title, Input::HeartbeatActivity(self.token(id), Box::new(request)));
    }

    pub fn complete_activity(&mut self, id: &str, result: &str) {
        self.complete_activity_as(&format!("worker completes activity {id}"), self.token(id), result);
    }

    pub fn complete_activity_as(&mut self, title: &str, activity: ActivityRef, result: &str) {
        let request = api::RespondActivityTaskCompletedRequest {
            result: requests::payloads(result),
            identity: "worker".into(),
            ..Default::default()
        };
        let _ = self.step(title, Input::CompleteActivity(activity, Box::new(request)));
    }

    pub fn fail_activity(&mut self, id: &str, failure: Failure) {
        self.fail_activity_as(&format!("worker fails activity {id}"), self.token(id), failure);
    }

    pub fn fail_activity_as(&mut self, title: &str, activity: ActivityRef, failure: Failure) {
        let request = api::RespondActivityTaskFailedRequest {
            failure: Some(failure),
            identity: "worker".into(),
            ..Default::default()
        };
        let _ = self.step(title, Input::FailActivity(activity, Box::new(request)));
    }

    pub fn cancel_activity(&mut self, id: &str) {
        let request = api::RespondActivityTaskCanceledRequest {
            details: requests::payloads("stopped halfway"),
            identity: "worker".into(),
            ..Default::default()
        };
        let input = Input::CancelActivity(self.token(id), Box::new(request));
        let _ = self.step(&format!("worker reports activity {id} cancelled"), input);
    }

    /// Time goes on; timers fire when they are due.
    pub fn pass(&mut self, duration: Duration) {
        let until = self.shard.now.plus(duration);
        while let Some((run, index)) = self.shard.next_timer() {
            if self.shard.runs[run].timer_tasks[index].fire_time > until {
                break;
            }
            let task = self.shard.take_timer(run, index);
            let run_id = self.shard.runs[run].run_id();
            let whose = if run + 1 == self.shard.runs.len() { String::new() } else { format!(" of {run_id}") };
            let title = format!("timer {}{whose}", print::timer_task(&task));
            let _ = self.step_on(Some(run), &title, Input::FireTimer(task));
        }
        self.shard.now = until;
    }

    pub fn pass_seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    /// What DescribeWorkflowExecution would say of the current run.
    pub fn describe(&mut self) {
        let described = self.shard.runs.last().expect("a run was started").state.describe();
        writeln!(self.text, "\n{}  described", print::time(self.shard.now)).unwrap();
        let info = described.workflow_execution_info.unwrap_or_default();
        self.line(&format!("status={:?} history-length={}", info.status(), info.history_length));
        self.line_unless_empty(print::memo(&info.memo));
        self.line_unless_empty(print::search_attributes(&info.search_attributes));
        if let Some(task) = described.pending_workflow_task {
            self.line(&format!("workflow task {:?} attempt={}", task.state(), task.attempt));
        }
        for child in described.pending_children {
            let policy = child.parent_close_policy();
            self.line(&format!("child {}/{} #{} {policy:?}", child.workflow_id, child.run_id, child.initiated_id));
        }
        for activity in described.pending_activities {
            let failure = activity.last_failure.as_ref().map_or(String::new(), print::failure);
            self.line(&format!(
                "activity {} {:?} attempt={} heartbeat={} last-failure=<{failure}>",
                activity.activity_id,
                activity.state(),
                activity.attempt,
                activity.heartbeat_details.as_ref().map_or(String::new(), print::payloads),
            ));
        }
    }

    /// What the transfer tasks that ask something of other runs ask now, of all runs.
    pub fn cross_calls(&mut self) {
        writeln!(self.text, "\n{}  transfer tasks ask", print::time(self.shard.now)).unwrap();
        let asked: Vec<_> = self
            .shard
            .runs
            .iter()
            .flat_map(|run| {
                run.transfer_tasks.iter().map(move |task| {
                    (task, run.state.cross_call(task, &run.events(run.state.event_needed_to_call(task))))
                })
            })
            .filter(|(task, _)| !matches!(task, TransferTask::WorkflowTask { .. } | TransferTask::ActivityTask { .. }))
            .map(|(task, cross_call)| {
                let cross_call = cross_call.as_ref().map_or_else(|| "nothing".to_owned(), print::cross_call);
                format!("{}: {cross_call}", print::transfer_task(task))
            })
            .collect();
        asked.iter().for_each(|line| self.line(line));
    }

    /// A cross-workflow call comes back.
    pub fn cross_call_ended(&mut self, title: &str, initiated_event_id: i64, outcome: Outcome) {
        let _ = self.step(title, Input::CrossCallEnded(CrossCallEnd { initiated_event_id, outcome }));
    }

    /// The last run of the child `ship-7` reports how it closed.
    pub fn child_closed(&mut self, run_id: &str, initiated_event_id: i64, closing: impl Into<Attributes>) {
        let closing = HistoryEvent { attributes: Some(closing.into()), ..Default::default() };
        let closed = ChildClosed {
            initiated_event_id,
            workflow_id: "ship-7".into(),
            run_id: run_id.into(),
            first_execution_run_id: "ship-run-1".into(),
            closing,
        };
        let _ = self.step(&format!("ship-7/{run_id} reports its end"), Input::ChildClosed(Box::new(closed)));
    }

    fn line_unless_empty(&mut self, line: String) {
        if !line.is_empty() {
            self.line(line.trim());
        }
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "     {line}").unwrap();
    }

    fn tell(&mut self, transition: &Transition) {
        let now = self.shard.now;
        let mut silent = true;
        if let Some(run) = transition.changed() {
            // What enters and leaves the buffer in one decision is told by the event alone.
            let flushes = |change: &Change| matches!(change, Change::Auxiliary(AuxiliaryChange::BufferEmptied));
            let passes_through = run.trace.iter().any(flushes);
            for change in &run.trace {
                let buffers = matches!(change, Change::Auxiliary(AuxiliaryChange::EventBuffered(_)));
                match change {
                    Change::Event(event) => self.line(&print::event(event, now)),
                    Change::Auxiliary(_) if passes_through && (buffers || flushes(change)) => {}
                    Change::Auxiliary(change) => {
                        if let Some(line) = print::auxiliary(change, now) {
                            self.line(&format!(". {line}"));
                        }
                    }
                }
            }
            self.tell_tasks(&run.transfer_tasks, &run.timer_tasks);
            silent = false;
        }
        if let Some(new) = transition.opened() {
            self.line(&format!("opens {}", new.key().run_id));
            for event in &new.events {
                self.line(&print::event(event, now));
            }
            self.tell_tasks(&new.transfer_tasks, &new.timer_tasks);
            silent = false;
        }
        if silent {
            self.line("nothing changes");
        }
        self.tell_reply(&transition.reply);
        for probe in &transition.probes {
            self.line(&format!("probe {probe}"));
        }
    }

    fn tell_tasks(&mut self, transfers: &[TransferTask], timers: &[tempest_core::TimerTask]) {
        for task in transfers {
            self.line(&format!("-> {}", print::transfer_task(task)));
        }
        for task in timers {
            self.line(&format!("at {}", print::timer_task(task)));
        }
    }

    fn tell_reply(&mut self, reply: &Reply) {
        match reply {
            Reply::None => {}
            Reply::Started(started) => {
                let word = if started.started { "started" } else { "existing" };
                let line = format!("reply {word} {} {:?}", started.run_id, started.status);
                self.line(&line);
            }
            Reply::WorkflowTaskStarted(started) => self.tell_workflow_task("reply", started),
            Reply::WorkflowTaskCompleted(completed) => {
                if completed.reset_history_event_id != 0 {
                    self.line(&format!("reply reset to #{}", completed.reset_history_event_id));
                }
                for task in &completed.activity_tasks {
                    self.tell_activity("reply eager", task);
                }
                if let Some(started) = &completed.workflow_task {
                    self.tell_workflow_task("reply inline", started);
                }
            }
            Reply::ActivityStarted(response) => self.tell_activity("reply", response),
            Reply::Heartbeat { cancel_requested } => self.line(&format!("reply cancel-requested={cancel_requested}")),
            Reply::Later(key) => self.line(&format!("reply later: {}", key.0)),
            Reply::Refused(rejection) => self.line(&refusal(rejection)),
        }
    }

    fn tell_workflow_task(&mut self, word: &str, started: &WorkflowTaskStarted) {
        self.workflow_task = started.token.clone();
        let response = &started.response;
        self.line(&format!(
            "{word} workflow task attempt={} previous-started=#{} history=#{}..#{} queue={}",
            response.attempt,
            response.previous_started_event_id,
            started.history_from,
            started.history_until,
            response.workflow_execution_task_queue.as_ref().map_or("", |queue| &queue.name),
        ));
        for event in &started.transient_events {
            let now = self.shard.now;
            self.line(&format!("  and {}", print::event(event, now)));
        }
    }

    fn tell_activity(&mut self, word: &str, response: &api::PollActivityTaskQueueResponse) {
        let time = |value: &Option<prost_wkt_types::Timestamp>| {
            value.as_ref().map_or("never".into(), |value| print::time(Time::from_proto(value)))
        };
        self.line(&format!(
            "{word} activity {} attempt={} scheduled={} this-attempt={} started={} heartbeat={}{}",
            response.activity_id,
            response.attempt,
            time(&response.scheduled_time),
            time(&response.current_attempt_scheduled_time),
            time(&response.started_time),
            response.heartbeat_details.as_ref().map_or(String::new(), print::payloads),
            print::priority(&response.priority),
        ));
    }
}

fn refusal(rejection: &Rejection) -> String {
    let kind = format!("{rejection:?}");
    let kind = kind.split(['(', ' ']).next().unwrap_or_default().to_owned();
    format!("refused {kind}: {rejection}")
}
