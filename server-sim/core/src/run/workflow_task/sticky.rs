//! Stickiness: while a worker has the run in its cache, its workflow tasks go to a queue of its own.
use crate::{
    AuxiliaryChange, Context, Decision, MutableState, Rejection, Reply, TransferTask, Transition, rules::durations,
    run::inputs::closed,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use temporalio_protos::temporal::api::workflowservice::v1 as api;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sticky {
    pub queue: String,
    /// Zero means that it never gives up.
    pub schedule_to_start_timeout: Duration,
}

/// Matching knows that no worker polls the sticky queue any more.
///
/// # Errors
/// `NotFound` if the run is closed.
pub(crate) fn reset(state: &MutableState, context: &Context) -> Result<Transition, Rejection> {
    if !state.is_open() {
        return Err(closed());
    }
    let mut decision = Decision::about(state, context);
    decision.reset_stickiness();
    Ok(decision.finish(Reply::None))
}

impl Decision<'_> {
    /// Clears stickiness. A workflow task that waits on the sticky queue is offered on the normal one.
    fn reset_stickiness(&mut self) {
        if self.state.auxiliary.sticky.is_none() {
            return;
        }
        self.auxiliary(AuxiliaryChange::Sticky(None));
        let Some(task) = self.state.workflow_task().filter(|task| !task.is_started()) else { return };
        let scheduled_event_id = task.scheduled_event_id;
        self.transfer(TransferTask::WorkflowTask {
            scheduled_event_id,
            stamp: self.state.auxiliary.workflow_task.stamp,
            task_queue: self.state.task_queue().to_owned(),
            sticky_for: None,
            schedule_to_start_timeout: None,
        });
    }

    /// Each completion says anew where the next workflow task shall go.
    pub(crate) fn set_stickiness(&mut self, request: &api::RespondWorkflowTaskCompletedRequest) {
        let sticky = request.sticky_attributes.as_ref().and_then(|attributes| {
            let queue = attributes.worker_task_queue.as_ref()?;
            let timeout = durations::value(attributes.schedule_to_start_timeout.as_ref());
            Some(Sticky { queue: queue.name.clone(), schedule_to_start_timeout: timeout })
        });
        if sticky != self.state.auxiliary.sticky {
            self.auxiliary(AuxiliaryChange::Sticky(sticky));
        }
    }
}
