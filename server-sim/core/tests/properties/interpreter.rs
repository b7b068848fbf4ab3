//! Makes lives: operations are arbitrary, what they mean depends on the state they meet.
use crate::shard::{NAMESPACE, STEP_LIMIT, Shard, WORKFLOW_ID, requests};
use proptest::prelude::*;
use std::{collections::BTreeSet, time::Duration};
use tempest_core::{
    ActivityRef, ActivityTaskToken, ChildClosed, CrossCallEnd, Input, Limits, NamespaceId, OtherRun, Outcome,
    RecordActivityTaskStarted, RecordWorkflowTaskStarted, Rejection, Reply, Time, TimerTask, TransferTask, Transition,
    WorkflowId, WorkflowTaskStarted, WorkflowTaskToken,
};
use temporalio_protos::temporal::api::{
    command::v1::Command,
    common::v1::RetryPolicy,
    enums::v1::{TaskQueueKind, WorkflowIdConflictPolicy},
    failure::v1::failure::FailureInfo,
    history::v1::{self as history, history_event::Attributes},
    taskqueue::v1::{StickyExecutionAttributes, TaskQueue},
    workflowservice::v1 as api,
};

/// The first run of every child.
const CHILD_RUN: &str = "its-first-run";
/// Low limits, so that lives meet them.
const BLOB_BYTES_MAX: usize = 1000;

/// Numbers pick among what there is, modulo its count.
#[derive(Clone, Debug)]
pub enum Operation {
    Start {
        policy: u8,
        retried: bool,
        timeout_seconds: u8,
        delay_seconds: u8,
    },
    Signal {
        request: u8,
    },
    SignalWithStart {
        request: u8,
        policy: u8,
    },
    RequestCancel {
        request: u8,
    },
    Terminate,
    PollWorkflowTask {
        pick: u8,
        on_normal_queue: bool,
    },
    CompleteWorkflowTask {
        stale: u8,
        commands: Vec<Cmd>,
        sticky: bool,
        force: bool,
        inline: bool,
    },
    FailWorkflowTask {
        stale: u8,
    },
    PollActivity {
        pick: u8,
    },
    Heartbeat {
        pick: u8,
    },
    CompleteActivity {
        pick: u8,
    },
    FailActivity {
        pick: u8,
        non_retryable: bool,
        delay_seconds: u8,
    },
    CancelActivity {
        pick: u8,
    },
    CompleteActivityById {
        id: u8,
    },
    FailActivityById {
        id: u8,
    },
    Advance {
        milliseconds: u16,
    },
    FireNextTimer,
    FireOldTimer {
        pick: u8,
    },
    ResetStickiness,
    Repeat {
        pick: u8,
    },
    /// Matching dispatches again, to another poll, what it dispatched before.
    DispatchAgain {
        pick: u8,
    },
    /// Something that was asked of another run has an end, which may be of something that is over.
    EndCrossCall {
        pick: u8,
        well: bool,
    },
    CloseChild {
        pick: u8,
        how: u8,
    },
    SignalByWorkflow {
        request: u8,
    },
}

#[derive(Clone, Debug)]
pub enum Cmd {
    Activity { id: u8, eager: bool, attempts: u8, heartbeat: bool, schedule_to_close_seconds: u8 },
    CancelActivity { pick: u8 },
    Timer { id: u8, seconds: u8 },
    CancelTimer { id: u8 },
    Marker,
    Child { id: u8, policy: u8 },
    SignalOther { id: u8 },
    CancelOther { id: u8 },
    Bad,
    Oversized,
    Complete,
    Fail,
    Cancel,
    ContinueAsNew,
}

pub fn operations(count_max: usize) -> impl Strategy<Value = Vec<Operation>> {
    (start(), proptest::collection::vec(operation(), 1..count_max)).prop_map(|(start, mut operations)| {
        operations.insert(0, start);
        operations
    })
}

fn start() -> impl Strategy<Value = Operation> {
    (0..9u8, any::<bool>(), 0..90u8, 0..20u8).prop_map(|(policy, retried, timeout_seconds, delay)| Operation::Start {
        policy: policy.saturating_sub(6),
        retried,
        timeout_seconds,
        delay_seconds: delay.saturating_sub(15),
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    prop_oneof![
        2 => start(),
        8 => (0..6u8).prop_map(|request| Signal { request }),
        1 => (0..4u8, 0..6u8).prop_map(|(request, policy)| SignalWithStart { request, policy: policy / 5 }),
        2 => (0..2u8).prop_map(|request| RequestCancel { request }),
        1 => (0..3u8).prop_map(|often| if often == 0 { Terminate } else { FireNextTimer }),
        8 => (0..4u8, 0..4u8).prop_map(|(pick, normal)| PollWorkflowTask {
            pick: pick / 3, on_normal_queue: normal == 0,
        }),
        40 => (0..24u8, commands(), any::<bool>(), 0..5u8, any::<bool>()).prop_map(
            |(stale, commands, sticky, force, inline)| CompleteWorkflowTask {
                stale: stale.saturating_sub(21), commands, sticky, force: force == 0, inline,
            }
        ),
        3 => (0..4u8).prop_map(|stale| FailWorkflowTask { stale: stale / 3 }),
        14 => (0..8u8).prop_map(|pick| PollActivity { pick }),
        5 => (0..8u8).prop_map(|pick| Heartbeat { pick }),
        4 => (0..8u8).prop_map(|pick| CompleteActivity { pick }),
        5 => (0..8u8, 0..4u8, 0..4u8).prop_map(|(pick, non_retryable, delay)| FailActivity {
            pick, non_retryable: non_retryable == 0, delay_seconds: delay.saturating_sub(2),
        }),
        2 => (0..8u8).prop_map(|pick| CancelActivity { pick }),
        2 => (0..6u8).prop_map(|id| CompleteActivityById { id }),
        1 => (0..6u8).prop_map(|id| FailActivityById { id }),
        4 => (0..2_000u16).prop_map(|milliseconds| Advance { milliseconds }),
        3 => (2_000..15_000u16).prop_map(|milliseconds| Advance { milliseconds }),
        10 => Just(FireNextTimer),
        1 => any::<u8>().prop_map(|pick| FireOldTimer { pick }),
        1 => Just(ResetStickiness),
        4 => any::<u8>().prop_map(|pick| Repeat { pick }),
        2 => (0..8u8).prop_map(|pick| DispatchAgain { pick }),
        8 => (0..8u8, 0..4u8).prop_map(|(pick, well)| EndCrossCall { pick, well: well != 0 }),
        5 => (0..8u8, 0..6u8).prop_map(|(pick, how)| CloseChild { pick, how }),
        1 => (0..4u8).prop_map(|request| SignalByWorkflow { request }),
    ]
}

fn commands() -> impl Strategy<Value = Vec<Cmd>> {
    let open = prop_oneof![
        5 => (0..6u8, any::<bool>(), 0..4u8, any::<bool>(), 0..20u8).prop_map(
            |(id, eager, attempts, heartbeat, schedule_to_close_seconds)| Cmd::Activity {
                id, eager, attempts, heartbeat, schedule_to_close_seconds,
            }
        ),
        2 => (0..4u8).prop_map(|pick| Cmd::CancelActivity { pick }),
        5 => (0..6u8, 0..15u8).prop_map(|(id, seconds)| Cmd::Timer { id, seconds }),
        3 => (0..6u8).prop_map(|id| Cmd::CancelTimer { id }),
        1 => Just(Cmd::Marker),
        3 => (0..4u8, 0..4u8).prop_map(|(id, policy)| Cmd::Child { id, policy }),
        2 => (0..4u8).prop_map(|id| Cmd::SignalOther { id }),
        1 => (0..4u8).prop_map(|id| Cmd::CancelOther { id }),
    ];
    let last = prop_oneof![
        50 => Just(None),
        1 => Just(Some(Cmd::Bad)),
        1 => Just(Some(Cmd::Oversized)),
        1 => Just(Some(Cmd::Complete)),
        1 => Just(Some(Cmd::Fail)),
        1 => Just(Some(Cmd::Cancel)),
        1 => Just(Some(Cmd::ContinueAsNew)),
    ];
    let some = (proptest::collection::vec(open, 0..4), last).prop_map(|(mut commands, last)| {
        commands.extend(last);
        commands
    });
    prop_oneof![5 => some, 1 => Just(Vec::new())]
}

/// One workflow id's life, and what its clients and workers remember of it.
pub struct Life {
    pub shard: Shard,
    /// Signals that were accepted for the first time, as (run, request id), in order.
    pub signals: Vec<(usize, String)>,
    /// Names of the rare paths that its decisions took.
    pub probes: BTreeSet<&'static str>,
    workflow_tokens: Vec<WorkflowTaskToken>,
    activity_tokens: Vec<ActivityTaskToken>,
    fired: Vec<(usize, TimerTask)>,
    inputs: Vec<(Option<usize>, Input)>,
    /// Offers that were taken.
    dispatches: Vec<(usize, Input)>,
    serial: u32,
}

impl Life {
    pub fn new(planted: &[&str]) -> Self {
        let mut shard = Shard::with_planted(planted);
        shard.limits = Limits {
            buffered_events_max: 2,
            signals_max: 4,
            history_events_max: 60,
            history_events_suggest_continue_as_new: 30,
            blob_bytes_max: BLOB_BYTES_MAX,
            parts_in_row_bytes_max: 600,
            workflow_task_heartbeat_timeout: Duration::from_secs(8),
            ..Limits::default()
        };
        Self {
            shard,
            signals: Vec::new(),
            probes: BTreeSet::new(),
            workflow_tokens: Vec::new(),
            activity_tokens: Vec::new(),
            fired: Vec::new(),
            inputs: Vec::new(),
            dispatches: Vec::new(),
            serial: 0,
        }
    }

    pub fn perform(&mut self, operation: &Operation) {
        if let Operation::Advance { milliseconds } = operation {
            self.shard.now = self.shard.now.plus(Duration::from_millis(u64::from(*milliseconds)));
            return;
        }
        if let Some((run, input)) = self.input(operation) {
            self.apply_twice(run, input);
        }
    }

    /// Applies an input, then once more: the second time nothing may change.
    fn apply_twice(&mut self, run: Option<usize>, input: Input) {
        let must_be_heard = self.is_news_of_a_child(run, &input);
        let first = self.apply(run, input.clone());
        assert!(first.is_ok() || !must_be_heard, "a child's end is not heard: {first:?}");
        let before = self.fingerprint();
        // A repeated request meets the run that is current then; everything else names its run.
        let run = if names_its_run(&input) { run } else { self.shard.current() };
        let second = self.shard.apply_to(run, input.clone());
        self.probes.extend(second.iter().flat_map(|transition| &transition.probes));
        assert_eq!(
            self.fingerprint(),
            before,
            "applied twice, it acts twice: {input:?}\nfirst: {first:?}\nsecond: {second:?}"
        );
        self.inputs.push((run, input));
    }

    fn apply(&mut self, run: Option<usize>, input: Input) -> Result<Transition, Rejection> {
        let result = self.shard.apply_to(run, input.clone());
        if let Ok(transition) = &result {
            self.probes.extend(&transition.probes);
            self.remember(run, &input, transition);
        }
        self.forget_paid_tasks();
        result
    }

    fn remember(&mut self, run: Option<usize>, input: &Input, transition: &Transition) {
        let target = if transition.opened().is_some() { self.shard.current() } else { run };
        // A signal that leads its run over a limit ends the run and is refused.
        let accepted = !transition.runs.is_empty() && !matches!(transition.reply, Reply::Refused(_));
        let signal = match input {
            Input::Signal(request) => Some(&request.request_id),
            Input::SignalWithStart(request) => Some(&request.request_id),
            Input::SignalByWorkflow(_, request) => Some(&request.request_id),
            _ => None,
        };
        if let (Some(request), Some(target), true) = (signal, target, accepted) {
            self.signals.push((target, request.clone()));
        }
        self.remember_dispatch(run, input);
        match &transition.reply {
            Reply::WorkflowTaskStarted(started) => self.dispatch(started),
            Reply::WorkflowTaskCompleted(completed) => {
                for response in &completed.activity_tasks {
                    self.remember_activity(run, response);
                }
                if let Some(started) = &completed.workflow_task {
                    self.dispatch(started);
                }
            }
            Reply::ActivityStarted(response) => self.remember_activity(run, response),
            _ => {}
        }
    }

    /// One offer is taken by one poll, however often matching makes it.
    fn remember_dispatch(&mut self, run: Option<usize>, input: &Input) {
        let mut input = input.clone();
        let (Some(run), Some(request)) = (run, dispatch_request(&mut input).cloned()) else { return };
        let offer = |input: &Input| match input {
            Input::RecordWorkflowTaskStarted(record) => (0, record.stamp),
            Input::RecordActivityTaskStarted(record) => (record.scheduled_event_id, record.attempt as u64),
            _ => unreachable!("only dispatches are remembered"),
        };
        for (other_run, other) in &mut self.dispatches {
            if *other_run == run && offer(other) == offer(&input) {
                assert_eq!(dispatch_request(other).as_deref(), Some(&request), "two polls took one offer: {input:?}");
            }
        }
        self.dispatches.push((run, input));
    }

    fn dispatch(&mut self, started: &WorkflowTaskStarted) {
        let run = self.run_of(&started.token.run_id).expect("a token names its run");
        crate::oracle::shipped_history_fits(&self.shard.runs[run].history, started);
        self.workflow_tokens.push(started.token.clone());
    }

    fn remember_activity(&mut self, run: Option<usize>, response: &api::PollActivityTaskQueueResponse) {
        let run = run.expect("an activity belongs to a run");
        let scheduled_event_id = self.scheduled_event_id(run, &response.activity_id);
        self.activity_tokens.push(ActivityTaskToken {
            namespace_id: NamespaceId::from(NAMESPACE),
            workflow_id: WorkflowId::from(WORKFLOW_ID),
            run_id: self.shard.runs[run].run_id(),
            scheduled_event_id,
            attempt: response.attempt,
            started_time: response.started_time.as_ref().map_or(Time::ZERO, Time::from_proto),
        });
    }

    fn scheduled_event_id(&self, run: usize, activity_id: &str) -> i64 {
        let scheduled = self.shard.runs[run].history.iter().rev().find(|event| match &event.attributes {
            Some(Attributes::ActivityTaskScheduledEventAttributes(scheduled)) => scheduled.activity_id == activity_id,
            _ => false,
        });
        scheduled.expect("a started activity was scheduled").event_id
    }

    /// Transfer tasks with nothing left to do are done.
    fn forget_paid_tasks(&mut self) {
        for run in &mut self.shard.runs {
            let state = &run.state;
            run.transfer_tasks.retain(|task| state.task_is_due(task));
        }
    }

    /// Everything that a second application must leave as it is. A task may be emitted once more: it is only a hint.
    fn fingerprint(&self) -> Vec<String> {
        let runs = self.shard.runs.iter().map(|run| {
            format!(
                "{} events, tasks {:?} {:?}\n{:#?}\n{}",
                run.history.len(),
                distinct(&run.transfer_tasks),
                distinct(&run.timer_tasks),
                run.state.auxiliary(),
                run.state.durable_projection(),
            )
        });
        runs.collect()
    }

    fn input(&mut self, operation: &Operation) -> Option<(Option<usize>, Input)> {
        use Operation::*;
        let current = self.shard.current();
        let input = match operation {
            Start { policy, retried, timeout_seconds, delay_seconds } => {
                Input::Start(Box::new(self.start(*policy, *retried, *timeout_seconds, *delay_seconds)))
            }
            SignalWithStart { request, policy } => {
                let mut request = requests::signal_with_start("amend", &format!("signal-with-start-{request}"));
                request.set_workflow_id_conflict_policy(match policy {
                    0 => WorkflowIdConflictPolicy::UseExisting,
                    _ => WorkflowIdConflictPolicy::TerminateExisting,
                });
                Input::SignalWithStart(Box::new(request))
            }
            DispatchAgain { pick } => {
                self.serial += 1;
                let (run, mut input) = nth_last(&self.dispatches, *pick)?.clone();
                *dispatch_request(&mut input)? = format!("poll-{}", self.serial);
                return Some((Some(run), input));
            }
            Repeat { pick } => {
                let (run, input) = self.inputs.get(usize::from(*pick) % self.inputs.len().max(1))?.clone();
                return Some((if names_its_run(&input) { run } else { current }, input));
            }
            _ => return self.input_to_run(current?, operation),
        };
        Some((current, input))
    }

    fn start(
        &mut self,
        policy: u8,
        retried: bool,
        timeout_seconds: u8,
        delay_seconds: u8,
    ) -> api::StartWorkflowExecutionRequest {
        self.serial += 1;
        let mut request = requests::start(&format!("start-{}", self.serial));
        request.set_workflow_id_conflict_policy(match policy {
            0 => WorkflowIdConflictPolicy::Fail,
            1 => WorkflowIdConflictPolicy::UseExisting,
            _ => WorkflowIdConflictPolicy::TerminateExisting,
        });
        if retried {
            request.retry_policy = Some(RetryPolicy {
                initial_interval: requests::seconds(2),
                backoff_coefficient: 2.0,
                maximum_interval: requests::seconds(60),
                maximum_attempts: 3,
                ..Default::default()
            });
        }
        // Short timeouts for some, none for most.
        if timeout_seconds > 80 {
            request.workflow_run_timeout = requests::seconds(i64::from(timeout_seconds));
        } else if timeout_seconds > 75 {
            request.workflow_execution_timeout = requests::seconds(i64::from(timeout_seconds));
            request.workflow_run_timeout = request.workflow_execution_timeout;
        }
        if delay_seconds > 0 {
            request.workflow_start_delay = requests::seconds(i64::from(delay_seconds));
        }
        request
    }

    fn input_to_run(&mut self, current: usize, operation: &Operation) -> Option<(Option<usize>, Input)> {
        use Operation::*;
        let input = match operation {
            Signal { request } => {
                Input::Signal(Box::new(requests::signal("amend", &format!("signal-{}", self.signal_request(*request)))))
            }
            RequestCancel { request } => Input::RequestCancel(Box::new(requests::cancel(&format!("cancel-{request}")))),
            Terminate => Input::Terminate(Box::new(requests::terminate("enough"))),
            ResetStickiness => Input::ResetStickiness,
            PollWorkflowTask { pick, on_normal_queue } => self.poll_workflow_task(current, *pick, *on_normal_queue)?,
            // A worker that has nothing to complete polls first.
            CompleteWorkflowTask { stale: 0, .. } if self.workflow_task_waits(current) => {
                self.poll_workflow_task(current, 0, false)?
            }
            CompleteWorkflowTask { stale, commands, sticky, force, inline } => {
                let token = nth_last(&self.workflow_tokens, *stale)?.clone();
                let run = self.run_of(&token.run_id)?;
                let request = api::RespondWorkflowTaskCompletedRequest {
                    commands: commands.iter().filter_map(|command| self.command(run, command)).collect(),
                    sticky_attributes: sticky.then(sticky_attributes),
                    force_create_new_workflow_task: *force,
                    return_new_workflow_task: *inline,
                    identity: "worker".into(),
                    ..Default::default()
                };
                return Some((Some(run), Input::CompleteWorkflowTask(token, Box::new(request))));
            }
            FailWorkflowTask { stale } => {
                let token = nth_last(&self.workflow_tokens, *stale)?.clone();
                let run = self.run_of(&token.run_id)?;
                let request = api::RespondWorkflowTaskFailedRequest { identity: "worker".into(), ..Default::default() };
                return Some((Some(run), Input::FailWorkflowTask(token, Box::new(request))));
            }
            PollActivity { pick } => self.poll_activity(current, *pick)?,
            CompleteActivityById { id } => {
                Input::CompleteActivity(ActivityRef::Id(format!("activity-{id}")), Box::default())
            }
            FailActivityById { id } => {
                let request = fail_request(false, 0);
                Input::FailActivity(ActivityRef::Id(format!("activity-{id}")), Box::new(request))
            }
            FireNextTimer => {
                let (run, index) = self.shard.next_timer()?;
                let task = self.shard.take_timer(run, index);
                self.fired.push((run, task.clone()));
                return Some((Some(run), Input::FireTimer(task)));
            }
            FireOldTimer { pick } => {
                let (run, task) = pick_one(&self.fired, *pick)?.clone();
                return Some((Some(run), Input::FireTimer(task)));
            }
            Heartbeat { pick } | CompleteActivity { pick } | FailActivity { pick, .. } | CancelActivity { pick } => {
                return self.activity_answer(*pick, operation);
            }
            EndCrossCall { pick, well } => Input::CrossCallEnded(self.cross_call_end(current, *pick, *well)?),
            CloseChild { pick, how } => Input::ChildClosed(Box::new(self.child_closed(current, *pick, *how)?)),
            SignalByWorkflow { request } => {
                let from = OtherRun {
                    namespace_id: self.shard.runs[current].state.key().namespace_id.clone(),
                    workflow_id: "order-8".into(),
                    run_id: "run-of-8".into(),
                    initiated_event_id: 5,
                    child_only: *request == 0,
                };
                let id = self.signal_request(*request);
                Input::SignalByWorkflow(from, Box::new(requests::signal("amend", &format!("signal-{id}"))))
            }
            Start { .. } | SignalWithStart { .. } | Advance { .. } | Repeat { .. } | DispatchAgain { .. } => {
                return None;
            }
        };
        Some((Some(current), input))
    }

    fn cross_call_end(&self, run: usize, pick: u8, well: bool) -> Option<CrossCallEnd> {
        let durable = self.shard.runs[run].state.durable();
        let begun: Vec<i64> =
            durable.children.keys().chain(durable.signals.keys()).chain(durable.cancels.keys()).copied().collect();
        let initiated_event_id = *pick_one(&begun, pick)?;
        let outcome = match (durable.children.contains_key(&initiated_event_id), well) {
            (true, true) => Outcome::ChildStarted(CHILD_RUN.into()),
            (true, false) => Outcome::ChildStartFailed(1),
            (false, true) if durable.signals.contains_key(&initiated_event_id) => Outcome::Signaled,
            (false, false) if durable.signals.contains_key(&initiated_event_id) => Outcome::SignalFailed(1),
            (false, true) => Outcome::CancelRequested,
            (false, false) => Outcome::CancelFailed(1),
        };
        Some(CrossCallEnd { initiated_event_id, outcome })
    }

    /// Of a child that was started, or that its parent has not heard of yet, or of another parent.
    fn child_closed(&self, run: usize, pick: u8, how: u8) -> Option<ChildClosed> {
        let children: Vec<_> = self.shard.runs[run].state.durable().children.values().collect();
        let child = pick_one(&children, pick)?;
        let closing: Attributes = match how {
            0 => history::WorkflowExecutionFailedEventAttributes::default().into(),
            1 => history::WorkflowExecutionCanceledEventAttributes::default().into(),
            2 => history::WorkflowExecutionTimedOutEventAttributes::default().into(),
            3 => history::WorkflowExecutionTerminatedEventAttributes::default().into(),
            _ => history::WorkflowExecutionCompletedEventAttributes::default().into(),
        };
        Some(ChildClosed {
            initiated_event_id: child.initiated_event_id,
            workflow_id: child.attributes.workflow_id.as_str().into(),
            run_id: "its-last-run".into(),
            first_execution_run_id: if how == 5 { "an-outsider's-run" } else { CHILD_RUN }.into(),
            closing: history::HistoryEvent { attributes: Some(closing), ..Default::default() },
        })
    }

    /// Half of the signals are new, the others repeat an old request.
    fn signal_request(&mut self, request: u8) -> u32 {
        if request.is_multiple_of(2) {
            self.serial += 1;
            return self.serial;
        }
        u32::from(request)
    }

    fn poll_workflow_task(&mut self, run: usize, pick: u8, on_normal_queue: bool) -> Option<Input> {
        self.serial += 1;
        let tasks: Vec<_> = self.shard.runs[run]
            .transfer_tasks
            .iter()
            .rev()
            .filter_map(|task| match task {
                TransferTask::WorkflowTask { scheduled_event_id, stamp, task_queue, .. } => {
                    Some((*scheduled_event_id, *stamp, task_queue.clone()))
                }
                _ => None,
            })
            .collect();
        let (scheduled_event_id, stamp, task_queue) = pick_one(&tasks, pick)?.clone();
        let polled_queue = if on_normal_queue { requests::QUEUE.to_owned() } else { task_queue };
        Some(Input::RecordWorkflowTaskStarted(RecordWorkflowTaskStarted {
            scheduled_event_id,
            stamp,
            request_id: format!("poll-{}", self.serial),
            identity: "worker".into(),
            polled_queue,
        }))
    }

    fn poll_activity(&mut self, run: usize, pick: u8) -> Option<Input> {
        self.serial += 1;
        let tasks: Vec<_> = self.shard.runs[run]
            .transfer_tasks
            .iter()
            .filter_map(|task| match task {
                TransferTask::ActivityTask { scheduled_event_id, attempt, .. } => Some((*scheduled_event_id, *attempt)),
                _ => None,
            })
            .collect();
        let (scheduled_event_id, attempt) = *pick_one(&tasks, pick)?;
        Some(Input::RecordActivityTaskStarted(RecordActivityTaskStarted {
            scheduled_event_id,
            attempt,
            request_id: format!("poll-{}", self.serial),
            identity: "worker".into(),
        }))
    }

    fn workflow_task_waits(&self, run: usize) -> bool {
        self.shard.runs[run].state.workflow_task().is_some_and(|task| !task.is_started())
    }

    /// Mostly the youngest token, sometimes an old one.
    fn activity_answer(&mut self, pick: u8, operation: &Operation) -> Option<(Option<usize>, Input)> {
        let token = nth_last(&self.activity_tokens, pick / 2)?.clone();
        let run = self.run_of(&token.run_id)?;
        let activity = ActivityRef::Token(token);
        let input = match operation {
            Operation::Heartbeat { .. } => {
                let request = api::RecordActivityTaskHeartbeatRequest {
                    details: requests::payloads("page 1"),
                    ..Default::default()
                };
                Input::HeartbeatActivity(activity, Box::new(request))
            }
            Operation::CompleteActivity { .. } => Input::CompleteActivity(activity, Box::default()),
            Operation::CancelActivity { .. } => Input::CancelActivity(activity, Box::default()),
            Operation::FailActivity { non_retryable, delay_seconds, .. } => {
                Input::FailActivity(activity, Box::new(fail_request(*non_retryable, *delay_seconds)))
            }
            _ => return None,
        };
        Some((Some(run), input))
    }

    /// `None` if the command would only fail the workflow task: ids that are taken or unknown. Id 0 tries all the same.
    fn command(&self, run: usize, command: &Cmd) -> Option<Command> {
        let durable = self.shard.runs[run].state.durable();
        let is_timer = |id: u8| durable.timers.values().any(|timer| timer.timer_id == format!("timer-{id}"));
        let is_activity =
            |id: u8| durable.activities.values().any(|activity| activity.activity_id() == format!("activity-{id}"));
        match command {
            Cmd::Activity { id, .. } if *id != 0 && is_activity(*id) => return None,
            Cmd::Timer { id, .. } if *id != 0 && is_timer(*id) => return None,
            Cmd::CancelTimer { id } if *id != 0 && !is_timer(*id) => return None,
            _ => {}
        }
        Some(match command {
            Cmd::Activity { id, eager, attempts, heartbeat, schedule_to_close_seconds } => {
                requests::schedule_activity(&format!("activity-{id}"), |activity| {
                    activity.request_eager_execution = *eager;
                    activity.retry_policy =
                        Some(RetryPolicy { maximum_attempts: i32::from(*attempts), ..Default::default() });
                    activity.heartbeat_timeout = requests::seconds(if *heartbeat { 3 } else { 0 });
                    // Half of them have a deadline, a third of them someone must start soon.
                    if *schedule_to_close_seconds > 10 {
                        activity.schedule_to_close_timeout = requests::seconds(i64::from(*schedule_to_close_seconds));
                    }
                    if schedule_to_close_seconds.is_multiple_of(3) {
                        activity.schedule_to_start_timeout = requests::seconds(4);
                    }
                })
            }
            Cmd::CancelActivity { pick } => {
                let activities: Vec<_> = durable.activities.keys().copied().collect();
                requests::cancel_activity(*pick_one(&activities, *pick)?)
            }
            Cmd::Timer { id, seconds } => requests::start_timer(&format!("timer-{id}"), i64::from(*seconds)),
            Cmd::CancelTimer { id } => requests::cancel_timer(&format!("timer-{id}")),
            Cmd::Marker => requests::marker("seen"),
            Cmd::Child { id, policy } => requests::start_child(&format!("child-{id}"), |child| {
                child.parent_close_policy = i32::from(*policy);
            }),
            Cmd::SignalOther { id } => requests::signal_external(&format!("order-{}", id + 7), *id == 3),
            Cmd::CancelOther { id } => requests::cancel_external(&format!("order-{}", id + 7), *id == 3),
            Cmd::Bad => requests::start_timer("", 1),
            Cmd::Oversized => requests::complete_workflow(&"x".repeat(2 * BLOB_BYTES_MAX)),
            Cmd::Complete => requests::complete_workflow("shipped"),
            Cmd::Fail => requests::fail_workflow(requests::application_failure("no stock", "Stock")),
            Cmd::Cancel => requests::cancel_workflow(),
            Cmd::ContinueAsNew => requests::continue_as_new("2 books", |_| {}),
        })
    }

    fn run_of(&self, run_id: &tempest_core::RunId) -> Option<usize> {
        self.shard.runs.iter().position(|run| run.run_id() == *run_id)
    }

    /// A child whose open parent has not heard its outcome reports it.
    fn is_news_of_a_child(&self, run: Option<usize>, input: &Input) -> bool {
        let (Some(run), Input::ChildClosed(closed)) = (run, input) else { return false };
        let state = &self.shard.runs[run].state;
        let id = closed.initiated_event_id;
        let heard = state.auxiliary().buffered.iter().any(|event| crate::oracle::answered(event) == Some(id));
        let is_pending = state.is_open() && state.durable().children.contains_key(&id) && !heard;
        is_pending && closed.first_execution_run_id.as_str() == CHILD_RUN
    }

    /// From now on everybody behaves: the workflow id must come to rest with every run closed.
    pub fn drain(&mut self) {
        self.shard.limits = Limits::default();
        for _ in 0..STEP_LIMIT {
            let Some(current) = self.shard.current().filter(|run| self.shard.runs[*run].state.is_open()) else {
                return;
            };
            self.forget_paid_tasks();
            crate::oracle::tasks_cover_state(&self.shard);
            if let Some(input) = self.poll_workflow_task(current, 0, false)
                && self.apply(Some(current), input).is_ok()
            {
                let token = self.workflow_tokens.last().expect("the poll just got it").clone();
                let request = api::RespondWorkflowTaskCompletedRequest {
                    commands: vec![requests::complete_workflow("drained")],
                    ..Default::default()
                };
                let _ = self.apply(Some(current), Input::CompleteWorkflowTask(token, Box::new(request)));
                continue;
            }
            let started = self.shard.runs[current].state.workflow_task().is_some();
            if !started && !self.waits_for_timer(current) {
                self.serial += 1;
                let signal = requests::signal("finish", &format!("finish-{}", self.serial));
                let _ = self.apply(Some(current), Input::Signal(Box::new(signal)));
                continue;
            }
            let (run, index) = self.shard.next_timer().unwrap_or_else(|| {
                panic!("the run is stuck: no task, no timer\n{:#?}", self.shard.runs[current].state)
            });
            let task = self.shard.take_timer(run, index);
            let _ = self.apply(Some(run), Input::FireTimer(task));
        }
        panic!("the run does not come to rest:\n{:#?}", self.shard.runs.last().map(|run| &run.state));
    }

    /// In its first backoff a run schedules no workflow task for a signal.
    fn waits_for_timer(&self, run: usize) -> bool {
        let backoff = |task: &TimerTask| matches!(task.kind, tempest_core::TimerKind::WorkflowBackoff);
        self.shard.runs[run].timer_tasks.iter().any(backoff)
    }
}

fn distinct<T: PartialEq>(items: &[T]) -> Vec<&T> {
    let mut distinct = Vec::new();
    for item in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    distinct
}

fn dispatch_request(input: &mut Input) -> Option<&mut String> {
    match input {
        Input::RecordWorkflowTaskStarted(record) => Some(&mut record.request_id),
        Input::RecordActivityTaskStarted(record) => Some(&mut record.request_id),
        _ => None,
    }
}

fn names_its_run(input: &Input) -> bool {
    !matches!(input, Input::Start(_) | Input::SignalWithStart(_))
}

fn fail_request(non_retryable: bool, delay_seconds: u8) -> api::RespondActivityTaskFailedRequest {
    let mut failure = requests::application_failure("card declined", "Declined");
    if let Some(FailureInfo::ApplicationFailureInfo(info)) = &mut failure.failure_info {
        info.non_retryable = non_retryable;
        info.next_retry_delay = (delay_seconds > 0).then(|| requests::seconds(i64::from(delay_seconds))).flatten();
    }
    api::RespondActivityTaskFailedRequest { failure: Some(failure), ..Default::default() }
}

fn sticky_attributes() -> StickyExecutionAttributes {
    StickyExecutionAttributes {
        worker_task_queue: Some(TaskQueue {
            name: "worker-1-sticky".into(),
            kind: TaskQueueKind::Sticky.into(),
            normal_name: requests::QUEUE.into(),
        }),
        schedule_to_start_timeout: requests::seconds(5),
    }
}

fn pick_one<T>(items: &[T], pick: u8) -> Option<&T> {
    items.get(usize::from(pick) % items.len().max(1))
}

fn nth_last<T>(items: &[T], n: u8) -> Option<&T> {
    items.iter().rev().nth(usize::from(n) % items.len().max(1))
}
