//! A miniature shard for one workflow id: it applies inputs to runs, keeps histories and owed tasks, has a clock of its
//! own, and checks after each step what must hold after every step.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod requests;
#[path = "../stored/mod.rs"]
mod stored;

use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tempest_core::{
    Context, EventId, Flags, Input, KnownEvents, Limits, MutableState, NamespaceId, Rejection, RunId, RunKey, RunWrite,
    Time, TimerTask, TransferTask, Transition, WorkflowId, decide,
};
use temporalio_protos::temporal::api::{enums::v1::EventType, history::v1::HistoryEvent};

pub const NAMESPACE: &str = "namespace-1";
pub const WORKFLOW_ID: &str = "order-7";
/// Steps after which a run that has not come to rest counts as stuck.
pub const STEP_LIMIT: usize = 500;
/// When each shard's clock begins.
pub const EPOCH: Time = Time(1_700_000_000_000_000_000);

pub struct Shard {
    pub now: Time,
    /// Of the database.
    pub timeline: u32,
    /// In the order in which they were opened; the last is current.
    pub runs: Vec<Run>,
    pub limits: Limits,
    pub flags: Flags,
}

pub struct Run {
    pub state: MutableState,
    stored: stored::Stored,
    pub history: Vec<HistoryEvent>,
    /// Emitted and not yet done.
    pub transfer_tasks: Vec<TransferTask>,
    /// Emitted and not yet fired.
    pub timer_tasks: Vec<TimerTask>,
}

impl Shard {
    pub fn new() -> Self {
        Self { now: EPOCH, timeline: 0, runs: Vec::new(), limits: Limits::default(), flags: traced() }
    }

    /// A shard with planted bugs armed; without the feature `chaos` they do nothing.
    pub fn with_planted(names: &[&str]) -> Self {
        let planted: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Self { flags: Flags { planted: Arc::new(planted), ..traced() }, ..Self::new() }
    }

    pub fn current(&self) -> Option<usize> {
        self.runs.len().checked_sub(1)
    }

    pub fn context(&self) -> Context {
        Context {
            now: self.now,
            namespace_id: NAMESPACE.into(),
            new_run_id: RunId(format!("run-{}", self.runs.len() + 1)),
            timeline: self.timeline,
            events: KnownEvents::default(),
            limits: self.limits.clone(),
            flags: self.flags.clone(),
        }
    }

    /// What the decision on this input reads of the run's history, and nothing else.
    fn events_for(&self, run: Option<usize>, input: &Input) -> KnownEvents {
        let Some(run) = run.map(|run| &self.runs[run]) else { return KnownEvents::default() };
        run.events(run.state.event_needed(input))
    }

    /// Decides one input on the current run (or on none) and makes it so.
    pub fn apply(&mut self, input: Input) -> Result<Transition, Rejection> {
        self.apply_to(self.current(), input)
    }

    pub fn apply_to(&mut self, run: Option<usize>, input: Input) -> Result<Transition, Rejection> {
        let context = Context { events: self.events_for(run, &input), ..self.context() };
        let transition = decide(run.map(|run| &self.runs[run].state), input, &context)?;
        for write in &transition.runs {
            let index =
                if write.opens() { self.open(write, &context) } else { run.expect("only what is there can change") };
            self.runs[index].write(write);
            self.runs[index].check();
        }
        Ok(transition)
    }

    /// Makes room for a run that does not exist yet.
    fn open(&mut self, write: &RunWrite, context: &Context) -> usize {
        assert_eq!(write.key().run_id, context.new_run_id, "a new run has the id that the context drew for it");
        assert!(
            self.runs.iter().all(|run| !run.state.is_open()),
            "a run is opened while another one of its workflow id is open"
        );
        let state = (*write.state).clone();
        self.runs.push(Run {
            state,
            stored: stored::Stored::default(),
            history: Vec::new(),
            transfer_tasks: Vec::new(),
            timer_tasks: Vec::new(),
        });
        self.runs.len() - 1
    }

    /// The timer task that is due first, over all runs; equal times fire in the order in which they were made.
    pub fn next_timer(&self) -> Option<(usize, usize)> {
        let tasks = self.runs.iter().enumerate().flat_map(|(run, tasks)| {
            tasks.timer_tasks.iter().enumerate().map(move |(index, task)| (task.fire_time, run, index))
        });
        tasks.min().map(|(_, run, index)| (run, index))
    }

    /// Takes a timer task out of the queue; the clock moves up to it if it has to.
    pub fn take_timer(&mut self, run: usize, index: usize) -> TimerTask {
        let task = self.runs[run].timer_tasks.remove(index);
        self.now = self.now.max(task.fire_time);
        task
    }

    pub fn elapsed(&self) -> Duration {
        self.now.since(EPOCH)
    }
}

/// The transcripts tell each change.
fn traced() -> Flags {
    Flags { traced: true, ..Flags::default() }
}

impl Run {
    fn write(&mut self, write: &RunWrite) {
        let stored = Some(self.state.version()).filter(|_| !write.opens());
        assert_eq!(write.expected_version, stored, "it was decided on what is stored");
        self.stored.write(write);
        self.state = (*write.state).clone();
        self.history.extend(write.events.iter().cloned());
        self.transfer_tasks.extend(write.transfer_tasks.iter().cloned());
        self.timer_tasks.extend(write.timer_tasks.iter().cloned());
    }

    /// One event of the history, if one is asked for.
    pub fn events(&self, id: Option<EventId>) -> KnownEvents {
        id.into_iter().map(|id| Arc::new(self.history[usize::try_from(id - 1).unwrap()].clone())).collect()
    }

    pub fn run_id(&self) -> RunId {
        self.state.key().run_id.clone()
    }

    /// What must hold after every step.
    pub fn check(&self) {
        self.check_history();
        self.check_rebuild();
        self.check_serialisation();
    }

    fn check_history(&self) {
        for (index, event) in self.history.iter().enumerate() {
            assert_eq!(event.event_id, index as i64 + 1, "event ids are contiguous");
        }
        assert_eq!(self.state.next_event_id(), self.history.len() as i64 + 1, "the state knows its history's length");
        let closings: Vec<_> =
            self.history.iter().filter(|event| is_closing(event.event_type())).map(|event| event.event_id).collect();
        assert!(closings.len() <= 1, "a run closes once: events {closings:?}");
        assert_eq!(self.state.is_open(), closings.is_empty(), "the status tells whether a closing event was written");
        if let Some(closing) = closings.first() {
            assert_eq!(*closing, self.history.len() as i64, "the closing event is the last");
        }
    }

    fn check_rebuild(&self) {
        let rebuilt = MutableState::rebuild(self.key(), &self.history)
            .unwrap_or_else(|error| panic!("history cannot be folded: {error}"));
        assert_eq!(
            rebuilt.durable_projection(),
            self.state.durable_projection(),
            "rebuilding from history gives another durable projection"
        );
    }

    fn check_serialisation(&self) {
        let loaded = self.stored.read();
        assert_eq!(loaded.version(), self.state.version());
        assert_eq!(loaded.durable_projection(), self.state.durable_projection(), "storing a state loses something");
        assert_eq!(
            format!("{:?}", loaded.auxiliary()),
            format!("{:?}", self.state.auxiliary()),
            "storing a state loses something that follows from no event"
        );
        assert_eq!(loaded.approximate_bytes(), self.state.approximate_bytes(), "a state that is read counts otherwise");
    }

    fn key(&self) -> RunKey {
        RunKey {
            namespace_id: NamespaceId::from(NAMESPACE),
            workflow_id: WorkflowId::from(WORKFLOW_ID),
            run_id: self.run_id(),
        }
    }
}

pub fn is_closing(event_type: EventType) -> bool {
    matches!(
        event_type,
        EventType::WorkflowExecutionCompleted
            | EventType::WorkflowExecutionFailed
            | EventType::WorkflowExecutionTimedOut
            | EventType::WorkflowExecutionCanceled
            | EventType::WorkflowExecutionTerminated
            | EventType::WorkflowExecutionContinuedAsNew
    )
}
