//! What activities did and what workers objected to, written down where no crash reaches it.
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

    /// In the order in which they began.
    pub fn executions(&self) -> Vec<Execution> {
        self.with(|written| written.executions.clone())
    }

    pub fn objections(&self) -> Vec<Objection> {
        self.with(|written| written.objections.clone())
    }
}
