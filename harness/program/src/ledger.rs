//! What activities did and what workers objected to, written down where no crash reaches it.
use crate::plan::ById;
use std::sync::{Arc, Mutex, PoisonError};

/// One execution of an activity's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    pub run_id: String,
    pub path: String,
    /// Counts from 1.
    pub attempt: u32,
    /// The details of the last heartbeat, as the attempt was given them.
    pub details: Option<u32>,
}

/// What a client said, or was about to say, of an activity by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub workflow_id: String,
    pub path: String,
    pub says: ById,
}

/// Why a worker refused a workflow task or an activity task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    pub run_id: String,
    pub why: String,
}

/// Shared by all workers of a run of the simulator.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Written>>);

#[derive(Debug, Default)]
struct Written {
    executions: Vec<Execution>,
    objections: Vec<Objection>,
    said: Vec<Said>,
}

impl Ledger {
    fn with<T>(&self, body: impl FnOnce(&mut Written) -> T) -> T {
        body(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn began(&self, execution: Execution) {
        self.with(|written| written.executions.push(execution));
    }

    pub fn objected(&self, run_id: &str, why: &str) {
        let objection = Objection { run_id: run_id.to_owned(), why: why.to_owned() };
        self.with(|written| written.objections.push(objection));
    }

    pub fn said(&self, said: Said) {
        self.with(|written| written.said.push(said));
    }

    /// What clients said of activities of this workflow.
    pub fn said_of(&self, workflow_id: &str) -> Vec<Said> {
        self.with(|written| written.said.iter().filter(|said| said.workflow_id == workflow_id).cloned().collect())
    }

    /// In the order in which they began.
    pub fn executions(&self) -> Vec<Execution> {
        self.with(|written| written.executions.clone())
    }

    pub fn objections(&self) -> Vec<Objection> {
        self.with(|written| written.objections.clone())
    }
}
