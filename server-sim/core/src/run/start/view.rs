//! What a run is owed for itself: its timeouts, and the end of its first backoff.
use crate::{MutableState, Owed, TimerKind};

impl MutableState {
    pub(crate) fn run_owes(&self, owed: &mut Vec<Owed>) {
        if let Some(by) = self.durable.run_expiration() {
            owed.push(Owed::Timer { by, kind: TimerKind::RunTimeout });
        }
        if let Some(by) = self.durable.execution_expiration() {
            owed.push(Owed::Timer { by, kind: TimerKind::ExecutionTimeout });
        }
        if self.waits_for_first_backoff() {
            owed.push(Owed::Timer { by: self.durable.execution_time(), kind: TimerKind::WorkflowBackoff });
        }
    }
}
