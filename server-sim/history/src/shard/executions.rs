//! The workflows a shard has in memory: staged state, and requests that wait while a run is read.
use super::request::Request;
use std::collections::{BTreeMap, VecDeque};
use tempest_api::WorkflowKey;
use tempest_core::{MutableState, RunId};

/// Least recently used workflows leave when there are more runs than `max`, or their states are larger than `bytes_max`;
/// those with anything staged or waiting stay.
pub(crate) struct Executions {
    workflows: BTreeMap<WorkflowKey, Workflow>,
    /// Last use -> workflow.
    used: BTreeMap<u64, WorkflowKey>,
    uses: u64,
    runs: usize,
    /// Of all states, about as they are encoded in the store.
    bytes: usize,
    /// Requests that wait for a run to be read.
    requests_waiting: usize,
    max: usize,
    bytes_max: usize,
}

/// One workflow id: which run is current, and the runs that were asked for. All of it as staged.
#[derive(Default)]
pub(crate) struct Workflow {
    known: bool,
    current: Option<RunId>,
    runs: BTreeMap<RunId, Run>,
    /// The newest commit that touched it: a reader of the state must wait until that is durable.
    last_sequence: u64,
    loading: bool,
    waiting: VecDeque<Request>,
    used: u64,
}

#[derive(Debug)]
struct Run {
    /// `None`: there is no such run.
    state: Option<Box<MutableState>>,
    /// Of the state, about as it is encoded.
    bytes: usize,
}

/// What the store knew of a workflow.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub workflow: WorkflowKey,
    pub current: Option<RunId>,
    /// The run that was asked for (the current one, if none was named).
    pub run: Option<LoadedRun>,
}

#[derive(Debug)]
pub(crate) struct LoadedRun {
    pub run_id: RunId,
    /// `None`: there is no such run.
    pub state: Option<Box<MutableState>>,
    /// Of the state, about as it is encoded.
    pub bytes: usize,
}

/// Where a request's state is.
pub(crate) enum Found {
    /// It must be read first.
    Cold,
    /// A read for this workflow is under way.
    Loading,
    /// It is in memory; this is the run meant, if the workflow id has one.
    Ready(Option<RunId>),
}

impl Executions {
    pub fn new(max: usize, bytes_max: usize) -> Self {
        Self {
            workflows: BTreeMap::new(),
            used: BTreeMap::new(),
            uses: 0,
            runs: 0,
            bytes: 0,
            requests_waiting: 0,
            max,
            bytes_max,
        }
    }

    /// Finds the workflow and the run meant (empty: the current one).
    pub fn find(&mut self, key: &WorkflowKey, run_id: &RunId) -> Found {
        let Some(workflow) = self.workflows.get_mut(key) else { return Found::Cold };
        if workflow.loading {
            return Found::Loading;
        }
        if !workflow.known {
            return Found::Cold;
        }
        self.uses += 1;
        self.used.remove(&workflow.used);
        workflow.used = self.uses;
        self.used.insert(self.uses, key.clone());
        let run_id = if run_id.is_empty() { workflow.current.clone() } else { Some(run_id.clone()) };
        match &run_id {
            Some(run_id) if !workflow.runs.contains_key(run_id) => Found::Cold,
            _ => Found::Ready(run_id),
        }
    }

    pub fn workflow(&self, key: &WorkflowKey) -> &Workflow {
        self.workflows.get(key).expect("only a workflow that was found ready is asked for")
    }

    pub fn workflow_mut(&mut self, key: &WorkflowKey) -> &mut Workflow {
        self.workflows.get_mut(key).expect("only a workflow that was found ready is asked for")
    }

    /// From now on requests for this workflow wait.
    pub fn begin_load(&mut self, key: &WorkflowKey) {
        let workflow = self.workflows.entry(key.clone()).or_default();
        assert!(!workflow.loading, "one read at a time for a workflow");
        workflow.loading = true;
    }

    /// Requests that wait for a run to be read.
    pub fn requests_waiting(&self) -> usize {
        self.requests_waiting
    }

    pub fn wait(&mut self, request: Request) {
        self.requests_waiting += 1;
        let workflow = self.workflows.get_mut(&request.target.workflow).expect("a workflow being read has an entry");
        workflow.waiting.push_back(request);
    }

    /// A read has ended; returns who waited for it, in order.
    pub fn loaded(&mut self, loaded: Loaded) -> VecDeque<Request> {
        let workflow = self.workflows.get_mut(&loaded.workflow).expect("a workflow being read has an entry");
        workflow.loading = false;
        if !workflow.known {
            workflow.known = true;
            workflow.current = loaded.current;
            self.uses += 1;
            workflow.used = self.uses;
            self.used.insert(self.uses, loaded.workflow.clone());
        }
        if let Some(LoadedRun { run_id, state, bytes }) = loaded.run {
            // What is staged is newer than what was read.
            workflow.runs.entry(run_id).or_insert_with(|| {
                self.runs += 1;
                self.bytes += bytes;
                Run { state, bytes }
            });
        }
        self.requests_waiting -= workflow.waiting.len();
        std::mem::take(&mut workflow.waiting)
    }

    /// A read has ended that brought nothing of the workflow itself; returns the requests that waited for it.
    pub fn load_ended(&mut self, key: &WorkflowKey) -> VecDeque<Request> {
        let workflow = self.workflows.get_mut(key).expect("a workflow being read has an entry");
        workflow.loading = false;
        let waiting = std::mem::take(&mut workflow.waiting);
        self.requests_waiting -= waiting.len();
        if !workflow.known {
            self.workflows.remove(key);
        }
        waiting
    }

    /// A staged commit writes a run, whose state takes `bytes`: this is the state that is decided on from now on.
    pub fn put(&mut self, key: &WorkflowKey, state: Box<MutableState>, bytes: usize, becomes_current: bool) {
        let run_id = state.key().run_id.clone();
        let workflow = self.workflow_mut(key);
        if becomes_current {
            workflow.current = Some(run_id.clone());
        }
        match workflow.runs.insert(run_id, Run { state: Some(state), bytes }) {
            None => self.runs += 1,
            Some(before) => self.bytes -= before.bytes,
        }
        self.bytes += bytes;
    }

    /// Lets the least recently used workflows go until the bound is kept, or nothing more may go. Returns how many.
    pub fn evict(&mut self, durable: u64, keep_nothing: bool) -> usize {
        let (max, bytes_max) = if keep_nothing { (0, 0) } else { (self.max, self.bytes_max) };
        let mut evicted = 0;
        while self.runs.max(self.used.len()) > max || self.bytes > bytes_max {
            let idle = |(use_, key): (&u64, &WorkflowKey)| {
                let workflow = &self.workflows[key];
                let idle = !workflow.loading && workflow.waiting.is_empty() && workflow.last_sequence <= durable;
                idle.then_some(*use_)
            };
            // Only a few of the oldest are looked at: what is staged becomes durable soon, and the next round sees it.
            let Some(oldest) = self.used.iter().take(EVICTION_LOOKS_MAX).find_map(idle) else { break };
            let key = self.used.remove(&oldest).expect("just found");
            let workflow = self.workflows.remove(&key).expect("every use names a workflow in memory");
            self.runs -= workflow.runs.len();
            self.bytes -= workflow.bytes();
            evicted += 1;
        }
        evicted
    }

    /// Lets closed runs of a workflow go that are not current, when there are many of them and nothing is staged: a
    /// chain of runs would otherwise grow in memory with every link.
    pub fn prune(&mut self, key: &WorkflowKey, durable: u64) {
        let Some(workflow) = self.workflows.get_mut(key) else { return };
        if workflow.runs.len() <= RUNS_KEPT || workflow.last_sequence > durable {
            return;
        }
        let (runs, bytes, current) = (workflow.runs.len(), workflow.bytes(), workflow.current.as_ref());
        workflow
            .runs
            .retain(|run_id, run| current == Some(run_id) || run.state.as_deref().is_some_and(MutableState::is_open));
        self.runs -= runs - workflow.runs.len();
        self.bytes -= bytes - workflow.bytes();
    }

    /// Everybody who waits for a read, in the order of workflows.
    pub fn into_waiting(self) -> impl Iterator<Item = Request> {
        self.workflows.into_values().flat_map(|workflow| workflow.waiting)
    }
}

const EVICTION_LOOKS_MAX: usize = 16;

/// Runs of one workflow that stay in memory without question.
const RUNS_KEPT: usize = 2;

impl Workflow {
    pub fn current(&self) -> Option<&RunId> {
        self.current.as_ref()
    }

    pub fn state(&self, run_id: &RunId) -> Option<&MutableState> {
        self.runs.get(run_id)?.state.as_deref()
    }

    fn bytes(&self) -> usize {
        self.runs.values().map(|run| run.bytes).sum()
    }

    pub fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    /// A commit that touches this workflow was staged.
    pub fn staged(&mut self, sequence: u64) {
        self.last_sequence = sequence;
    }
}
