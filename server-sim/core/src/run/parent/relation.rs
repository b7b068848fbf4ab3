//! Whose child a run is.
use crate::{MutableState, OtherRun, Rejection};

impl MutableState {
    /// Whether this run was started as that run's child.
    pub(crate) fn is_child_of(&self, workflow_id: &str, run_id: &str) -> bool {
        let parent = self.durable.started.parent_workflow_execution.as_ref();
        parent.is_some_and(|parent| parent.workflow_id == workflow_id && parent.run_id == run_id)
    }

    /// Refuses who may only act on a child of its own, unless this run is one.
    pub(crate) fn require_parent(&self, from: &OtherRun) -> Result<(), Rejection> {
        if from.child_only && !self.is_child_of(from.workflow_id.as_str(), from.run_id.as_str()) {
            return Err(not_its_parent());
        }
        Ok(())
    }
}

pub(super) fn not_its_parent() -> Rejection {
    Rejection::NotFound("workflow parent does not match".into())
}
