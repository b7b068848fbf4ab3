//! A machine, and a driver that performs nothing but answers: it notes what was asked for.
use super::super::super::effects::{Effect, Work};
use super::super::super::events::Event;
use super::super::super::executions::Loaded;
use super::super::super::late_duplicates::OutcomeMemory;
use super::super::super::request::{Ask, Decided, Request};
use super::super::*;
use crate::{Counters, HistoryConfig};
use std::fmt::Debug;
use std::sync::Arc;
use tempest_api::proto::common::v1::{WorkflowExecution, WorkflowType};
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{Read, Refused, ServiceResult, Target, View};
use tempest_core::{Flags, Input, KnownEvents, OtherRun, RunId, RunKey, StartChild, Transition};
use tempest_store::CommitOutcome;
use tokio::sync::oneshot;

pub const RANGE: RangeId = RangeId(7);

pub struct Driven {
    owned: Owned,
    start: Instant,
    passed: Duration,
    commits: Vec<(u64, String)>,
    works: Vec<Work>,
}

/// What a caller hears.
pub struct Told<T, E = ServiceError>(oneshot::Receiver<Result<T, E>>);

type ToldDecided = Told<Decided, Refused<(Target, Input)>>;

impl<T: Debug, E: Debug> Told<T, E> {
    pub fn heard(&mut self) -> Result<T, E> {
        self.0.try_recv().expect("it has heard something")
    }

    pub fn hears_nothing(&mut self) -> bool {
        matches!(self.0.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }
}

impl ToldDecided {
    pub fn was_refused(&mut self) -> bool {
        matches!(self.heard(), Err(Refused { error: ServiceError::NotFound(_), .. }))
    }
}

impl Driven {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut HistoryConfig)) -> Self {
        let mut config = HistoryConfig { shard_count: 1, ..HistoryConfig::default() };
        change(&mut config);
        let setup = Setup {
            config: Arc::new(config),
            counters: Arc::new(Counters::default()),
            flags: Flags::default(),
            outcomes_told: Arc::new(OutcomeMemory::of_node()),
            new_run_id: || "run-1".into(),
        };
        Self::acquired(setup, RANGE, Instant::now())
    }

    fn acquired(setup: Setup, range: RangeId, start: Instant) -> Self {
        let record = ShardRecord { range_id: range, ..ShardRecord::default() };
        let owned = Owned::new(setup, moment(start, Duration::ZERO), ShardId(1), record);
        let mut driven = Self { owned, start, passed: Duration::ZERO, commits: Vec::new(), works: Vec::new() };
        driven.happens(Event::Acquired(VecDeque::new()));
        driven.clear();
        driven
    }

    /// The lease ends, and this node acquires the shard again; no other node did meanwhile. All that was staged is lost.
    pub fn next_lease(self) -> Self {
        let Self { owned, start, passed, .. } = self;
        let (setup, range, now) = (owned.setup.clone(), RangeId(owned.range.0 + 1), start + passed);
        let previous = owned.as_previous(now);
        withdraw(owned.dissolve(&Exit::Failed(ServiceError::Unavailable("the store is full".into()))));
        let mut next = Self::acquired(setup, range, now);
        next.owned.follow(previous);
        next
    }

    /// Handles the event, and reads of tasks at once: there are none in the store.
    pub fn happens(&mut self, event: Event) {
        for effect in self.owned.handle(moment(self.start, self.passed), event) {
            match effect {
                Effect::Commit(commit) => {
                    let run = commit.runs.first().map_or("", |run| run.key.workflow_id.as_str());
                    self.commits.push((commit.sequence, run.to_owned()));
                }
                Effect::Give(answer) => answer.give(),
                Effect::Withdraw(answer, error) => answer.withdraw(error),
                Effect::Refuse(request, error) => request.refuse(error),
                Effect::PostLag(_) => {}
                Effect::Begin(Work::ReadTransfers(page)) => {
                    self.happens(Event::TransferPage { before: page.before, limit: page.limit, rows: vec![] });
                }
                Effect::Begin(Work::ReadTimers(page)) => {
                    self.happens(Event::TimerPage { limit: page.limit, rows: vec![] });
                }
                Effect::Begin(work) => self.works.push(work),
            }
        }
    }

    pub fn pass(&mut self, time: Duration) {
        self.passed += time;
        let is_later = |work: &mut Work| matches!(work, Work::Later { pause, .. } if *pause <= time);
        let over: Vec<_> = self.works.extract_if(.., is_later).collect();
        for work in over {
            let Work::Later { event, .. } = work else { unreachable!("only pauses are over") };
            self.happens(*event);
        }
    }

    pub fn ask(&mut self, workflow: &str, input: Input) -> ToldDecided {
        let (reply, told) = oneshot::channel();
        self.happens(Event::Request(Request {
            target: target(workflow),
            ask: Ask::Decide(Box::new(input), None, reply),
        }));
        Told(told)
    }

    pub fn start(&mut self, workflow: &str) -> ToldDecided {
        self.ask(workflow, Input::Start(Box::new(start_of(workflow))))
    }

    /// A run that times out.
    pub fn start_for(&mut self, workflow: &str, timeout: Duration) -> ToldDecided {
        let workflow_run_timeout = Some(timeout.try_into().unwrap());
        let request = api::StartWorkflowExecutionRequest { workflow_run_timeout, ..start_of(workflow) };
        self.ask(workflow, Input::Start(Box::new(request)))
    }

    pub fn start_child(&mut self, workflow: &str) -> ToldDecided {
        let parent = RunKey { run_id: "parent-run".into(), workflow_id: "parent".into(), ..RunKey::default() };
        let child = StartChild {
            namespace_id: target(workflow).workflow.namespace_id,
            request: start_of(workflow),
            parent,
            parent_namespace: String::new(),
            initiated_event_id: 5,
            root: WorkflowExecution::default(),
        };
        self.ask(workflow, Input::StartChild(Box::new(child)))
    }

    /// Another run's signal, which its event of this number asks for.
    pub fn signal_by_workflow(&mut self, workflow: &str, initiated_event_id: i64) -> ToldDecided {
        let from = OtherRun { run_id: "sender".into(), initiated_event_id, ..OtherRun::default() };
        let request = api::SignalWorkflowExecutionRequest {
            workflow_execution: Some(execution(workflow)),
            signal_name: "go".into(),
            request_id: format!("signal-{initiated_event_id}"),
            ..Default::default()
        };
        self.ask(workflow, Input::SignalByWorkflow(from, Box::new(request)))
    }

    /// A signal whose decision is `changed` before it is carried out: the core has no input yet that a later one answers.
    pub fn signal_with(&mut self, workflow: &str, changed: impl FnOnce(&mut Transition)) -> ToldDecided {
        let workflow = target(workflow).workflow;
        let run_id: RunId = "run-1".into();
        let signal = api::SignalWorkflowExecutionRequest { signal_name: "go".into(), ..Default::default() };
        let context = self.owned.context(&workflow, KnownEvents::default());
        let state = self.owned.state(&workflow, Some(&run_id));
        let mut transition = tempest_core::decide(state, Input::Signal(Box::new(signal)), &context).unwrap();
        changed(&mut transition);
        let (reply, told) = oneshot::channel();
        self.owned.carry_out(&workflow, Some(&run_id), transition, reply, None);
        self.happens(Event::Alarm);
        Told(told)
    }

    pub fn describe(&mut self, workflow: &str) -> Told<View> {
        let (reply, told) = oneshot::channel();
        self.happens(Event::Request(Request { target: target(workflow), ask: Ask::Read(Read::Describe, reply) }));
        Told(told)
    }

    /// The store knows no run of this workflow.
    pub fn found_nothing(&mut self, workflow: &str) {
        let workflow = target(workflow).workflow;
        let loaded = Loaded { workflow: workflow.clone(), current: None, run: None };
        self.happens(Event::Loaded(workflow, Ok(loaded)));
    }

    /// The oldest commit in flight is durable.
    pub fn committed(&mut self) {
        self.happens(Event::CommitEnded(CommitOutcome::Committed));
    }

    /// The round of proofs has found this range in the store.
    pub fn proven(&mut self, range: RangeId) {
        self.proof_ends(Ok(range));
    }

    pub fn proof_ends(&mut self, range: ServiceResult<RangeId>) {
        assert!(self.is_being_proven());
        self.works.retain(|work| !matches!(work, Work::Prove { .. }));
        self.happens(Event::Proven(range));
    }

    pub fn exit(&self) -> Option<&Exit> {
        self.owned.exit()
    }

    pub fn accepts(&self) -> bool {
        self.owned.accepts()
    }

    /// Ends the ownership; the targets of what was not decided.
    pub fn dissolve(self) -> Vec<Target> {
        let exit = self.owned.exit().expect("it has ended").clone();
        withdraw(self.owned.dissolve(&exit)).into_iter().map(|request| request.target).collect()
    }

    pub fn wakes_within(&mut self, time: Duration) -> bool {
        let now = moment(self.start, self.passed);
        self.owned.next_wake(now).is_some_and(|at| at <= now.instant + time)
    }

    /// Forgets what was asked for so far, but for proofs and pauses that are under way.
    pub fn clear(&mut self) {
        self.commits.clear();
        self.works.retain(|work| matches!(work, Work::Prove { .. } | Work::Later { .. }));
    }

    /// The sequences of the commits.
    pub fn commits(&self) -> Vec<u64> {
        self.commits.iter().map(|(sequence, _)| *sequence).collect()
    }

    /// The workflows whose runs they write.
    pub fn committed_runs(&self) -> Vec<&str> {
        self.commits.iter().map(|(_, run)| run.as_str()).collect()
    }

    pub fn loads(&self) -> Vec<&str> {
        self.noted(|work| match work {
            Work::Load { workflow, .. } => Some(workflow.workflow_id.as_str()),
            _ => None,
        })
    }

    /// The workflows whose tasks are with matching.
    pub fn sent(&self) -> Vec<&str> {
        self.noted(|work| match work {
            Work::Send { run, .. } => Some(run.workflow_id.as_str()),
            _ => None,
        })
    }

    /// The cross-workflow calls, each with whether a duplicate may follow.
    pub fn calls(&self) -> Vec<bool> {
        self.noted(|work| match work {
            Work::Call(call) => Some(call.duplicates_follow),
            _ => None,
        })
    }

    pub fn questions(&self) -> Vec<u64> {
        self.noted(|work| match work {
            Work::AskSender { question, .. } => Some(*question),
            _ => None,
        })
    }

    pub fn pauses(&self) -> Vec<Duration> {
        self.noted(|work| match work {
            Work::Later { pause, .. } => Some(*pause),
            _ => None,
        })
    }

    pub fn is_being_proven(&self) -> bool {
        self.works.iter().any(|work| matches!(work, Work::Prove { .. }))
    }

    /// Since [`Driven::clear`].
    pub fn did_nothing(&self) -> bool {
        self.commits.is_empty() && self.works.iter().all(|work| matches!(work, Work::Prove { .. } | Work::Later { .. }))
    }

    fn noted<'a, T>(&'a self, pick: impl FnMut(&'a Work) -> Option<T>) -> Vec<T> {
        self.works.iter().filter_map(pick).collect()
    }
}

fn withdraw(dissolved: Dissolved) -> VecDeque<Request> {
    dissolved.withdrawn.into_iter().for_each(|(answer, error)| answer.withdraw(error));
    dissolved.undecided
}

fn moment(start: Instant, passed: Duration) -> Moment {
    Moment { instant: start + passed, wall: Time(1_700_000_000_000_000_000).plus(passed) }
}

pub fn target(workflow: &str) -> Target {
    Target::current(&"namespace-id".into(), workflow)
}

fn execution(workflow: &str) -> WorkflowExecution {
    WorkflowExecution { workflow_id: workflow.into(), run_id: String::new() }
}

pub fn terminate(workflow: &str) -> Input {
    let workflow_execution = Some(execution(workflow));
    Input::Terminate(Box::new(api::TerminateWorkflowExecutionRequest { workflow_execution, ..Default::default() }))
}

fn start_of(workflow: &str) -> api::StartWorkflowExecutionRequest {
    api::StartWorkflowExecutionRequest {
        workflow_id: workflow.into(),
        workflow_type: Some(WorkflowType { name: "Order".into() }),
        task_queue: Some(TaskQueue { name: "orders".into(), ..TaskQueue::default() }),
        request_id: "start-1".into(),
        ..Default::default()
    }
}

pub fn is_unknown<T>(heard: &Result<T, ServiceError>) -> bool {
    matches!(heard, Err(ServiceError::OutcomeUnknown(_)))
}
