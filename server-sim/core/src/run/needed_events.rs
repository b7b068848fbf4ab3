//! Which events of a run's history its next decision reads: those that brought what is handed on now.
use super::events::{Needed, needed};
use crate::{EventId, Input, MutableState, Outcome, TimerKind, TransferTask, known_events::FIRST_EVENT_ID};
use temporalio_protos::temporal::api::{
    command::v1::command::Attributes as Command,
    history::v1::{HistoryEvent, history_event::Attributes},
    workflowservice::v1 as api,
};

/// Whether a run may ever need this event of its history again, by [`MutableState::event_needed`] or
/// [`MutableState::event_needed_to_call`].
pub fn may_be_needed(event: &HistoryEvent) -> bool {
    event.attributes.as_ref().is_some_and(|attributes| match (needed(attributes), attributes) {
        (Needed::Later, _) => true,
        (Needed::ToRetry, Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
            started.retry_policy.is_some()
        }
        (Needed::ToRetry | Needed::Never, _) => false,
    })
}

impl MutableState {
    /// The event that [`crate::decide`] reads when this run is given `input`, if it reads one: it comes with
    /// [`crate::Context::events`].
    pub fn event_needed(&self, input: &Input) -> Option<EventId> {
        match input {
            Input::RecordActivityTaskStarted(start) => {
                let activity = self.pending_activity(start.scheduled_event_id).filter(|_| self.is_open());
                activity.map(|(activity, _)| activity.scheduled_event_id)
            }
            Input::CompleteWorkflowTask(_, request) => self.needed_to_retry(fails(request)),
            Input::FireTimer(task) => self.needed_to_retry(task.kind == TimerKind::RunTimeout),
            Input::CrossCallEnded(end) => match end.outcome {
                Outcome::ChildStarted(_) => self.needed_to_record_start(end.initiated_event_id),
                Outcome::ChildStartFailed(_)
                | Outcome::Signaled
                | Outcome::SignalFailed(_)
                | Outcome::CancelRequested
                | Outcome::CancelFailed(_) => None,
            },
            Input::ChildClosed(closed) => self.needed_to_record_start(closed.initiated_event_id),
            Input::Start(_)
            | Input::SignalWithStart(_)
            | Input::Signal(_)
            | Input::RequestCancel(_)
            | Input::Terminate(_)
            | Input::RecordWorkflowTaskStarted(_)
            | Input::FailWorkflowTask(..)
            | Input::HeartbeatActivity(..)
            | Input::CompleteActivity(..)
            | Input::FailActivity(..)
            | Input::CancelActivity(..)
            | Input::StartChild(_)
            | Input::BeginChild(_)
            | Input::SignalByWorkflow(..)
            | Input::RequestCancelByWorkflow(..)
            | Input::TerminateByWorkflow(..)
            | Input::ResetStickiness => None,
        }
    }

    /// The same for [`MutableState::cross_call`].
    pub fn event_needed_to_call(&self, task: &TransferTask) -> Option<EventId> {
        match task {
            TransferTask::StartChild { initiated_event_id } => self.needed_to_record_start(*initiated_event_id),
            TransferTask::SignalExternal { initiated_event_id } => self
                .pending_signal(*initiated_event_id)
                .filter(|_| self.is_open())
                .map(|signal| signal.initiated_event_id),
            TransferTask::WorkflowTask { .. }
            | TransferTask::ActivityTask { .. }
            | TransferTask::CancelExternal { .. }
            | TransferTask::CloseExecution => None,
        }
    }

    /// The next run begins with what this one began with.
    fn needed_to_retry(&self, ends: bool) -> Option<EventId> {
        (ends && self.is_open() && self.durable.started.retry_policy.is_some()).then_some(FIRST_EVENT_ID)
    }

    /// A child that history has not heard of as started.
    fn needed_to_record_start(&self, initiated_event_id: EventId) -> Option<EventId> {
        let child = self.pending_child(initiated_event_id).filter(|_| self.is_open())?;
        self.child_start(initiated_event_id).is_none().then_some(child.initiated_event_id)
    }
}

fn fails(request: &api::RespondWorkflowTaskCompletedRequest) -> bool {
    let mut commands = request.commands.iter();
    commands.any(|command| matches!(command.attributes, Some(Command::FailWorkflowExecutionCommandAttributes(_))))
}
