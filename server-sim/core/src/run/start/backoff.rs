//! The time before a run's first workflow task: a start delay, or what a retry or a continued run waits.
use crate::{AuxiliaryChange, Decision, MutableState, TimerKind, run::fire_timer::is_over};

impl MutableState {
    /// Still before the first workflow task of a delayed run: signals wait, they schedule nothing.
    pub(crate) fn waits_for_first_backoff(&self) -> bool {
        self.durable.has_first_backoff()
            && self.durable.previous_started_event_id == 0
            && self.workflow_task().is_none()
            && !self.auxiliary.backoff_is_over
    }
}

pub(crate) fn fire(decision: &mut Decision<'_>) {
    if !decision.state.waits_for_first_backoff() {
        return;
    }
    let due = decision.state.durable.execution_time();
    if is_over(decision, Some(due), &TimerKind::WorkflowBackoff) {
        decision.auxiliary(AuxiliaryChange::BackoffOver);
        decision.schedule_workflow_task();
    }
}
