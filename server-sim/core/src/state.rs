//! One run's state.
use crate::{BranchRef, EventId, RunId, RunKey, TransferTask};
use serde::{Deserialize, Serialize};
use temporalio_protos::temporal::api::{
    enums::v1::WorkflowExecutionStatus, history::v1::HistoryEvent, workflowservice::v1 as api,
};

/// One step of a transition: a history event, or a change to a part that follows from no event.
#[derive(Clone, Debug)]
pub enum Change {
    Event(Box<HistoryEvent>),
}

/// One run's state; changes only by [`MutableState::apply`]; can be rebuilt from its history, ephemera aside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MutableState {
    key: RunKey,
    /// Rises with each stored change; the store compares it.
    version: u64,
}

impl MutableState {
    pub fn key(&self) -> &RunKey {
        &self.key
    }
    pub fn version(&self) -> u64 {
        self.version
    }
    pub fn branch(&self) -> BranchRef {
        todo_stub()
    }
    pub fn status(&self) -> WorkflowExecutionStatus {
        todo_stub()
    }
    pub fn is_open(&self) -> bool {
        self.status() == WorkflowExecutionStatus::Running
    }
    pub fn first_execution_run_id(&self) -> &RunId {
        todo_stub()
    }
    /// Id the next persisted event gets; the last one in history is one less.
    pub fn next_event_id(&self) -> EventId {
        todo_stub()
    }
    /// Folds a decided change; raises the version by one.
    pub fn apply(&mut self, change: &crate::RunChange) {
        let _ = change;
        todo_stub()
    }
    /// Whether a transfer task still has something to do.
    pub fn task_is_due(&self, task: &TransferTask) -> bool {
        let _ = task;
        todo_stub()
    }
    /// What DescribeWorkflowExecution says (counts of bytes aside).
    pub fn describe(&self) -> api::DescribeWorkflowExecutionResponse {
        todo_stub()
    }
    /// Scheduled and started events of a transient workflow task, for history reads of workers.
    pub fn transient_events(&self) -> Vec<HistoryEvent> {
        todo_stub()
    }
    /// Rebuilds the state from its whole history; ephemeral parts are empty.
    ///
    /// # Errors
    /// A sentence saying which event cannot follow which.
    pub fn rebuild(key: RunKey, events: &[HistoryEvent]) -> Result<MutableState, String> {
        let _ = (key, events);
        todo_stub()
    }
    /// The parts that follow from events alone, as text that can be compared and diffed.
    pub fn durable_projection(&self) -> String {
        todo_stub()
    }
}

fn todo_stub<T>() -> T {
    unimplemented!("written next")
}
