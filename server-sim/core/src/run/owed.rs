//! What a run still owes the world: for each pending thing the task that must exist for it, or it would wait forever.
use crate::{MutableState, Time, TimerKind, TransferTask};

/// One task that must be stored somewhere or be on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owed {
    Transfer(TransferTask),
    /// A timer task of this kind that fires no later than `by` (an earlier one makes the next when it fires).
    Timer {
        by: Time,
        kind: TimerKind,
    },
}

impl MutableState {
    /// The tasks that must cover this state. A transfer task counts as paid once matching has acknowledged it: matching
    /// then holds what is offered until it is started.
    pub fn tasks_owed(&self) -> Vec<Owed> {
        if !self.is_open() {
            return vec![Owed::Transfer(TransferTask::CloseExecution)];
        }
        let mut owed = Vec::new();
        self.run_owes(&mut owed);
        self.workflow_task_owes(&mut owed);
        self.timers_are_owed(&mut owed);
        self.activities_are_owed(&mut owed);
        self.children_are_owed(&mut owed);
        self.external_are_owed(&mut owed);
        owed
    }
}
