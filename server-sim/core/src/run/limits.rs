//! The limits of a run. A decision that leads an open run over its limits is discarded: the run is terminated instead, and
//! the caller is refused.
use crate::{Context, Decision, Input, MutableState, Rejection, Reply, Transition, rules::payloads};
use prost::encoding::message;
use temporalio_protos::temporal::api::{
    common::v1::Payloads, enums::v1::WorkflowTaskFailedCause, history::v1::HistoryEvent,
};

/// A limit of the run that a decision is over.
pub(crate) struct Exceeded {
    probe: &'static str,
    /// Why the run is terminated, and what the caller hears.
    reason: &'static str,
}

impl Decision<'_> {
    /// The limit that this decision is over, if it changes a run that stays open. As in Temporal
    /// (`service/history/workflow/context.go`) the bytes of the history are judged without the events of this decision,
    /// their number with them but without those that are still buffered, the state as it would become.
    pub(crate) fn exceeded(&self) -> Option<Exceeded> {
        let before = self.before()?;
        if !self.changes() || !self.state.is_open() {
            return None;
        }
        let limits = &self.context.limits;
        let (probe, reason) = if before.durable.history_size_bytes > limits.history_bytes_max {
            ("history-limit-reached", "Workflow history size exceeds limit.")
        } else if self.next_event_id() - 1 > limits.history_events_max {
            ("history-limit-reached", "Workflow history count exceeds limit.")
        } else if self.state.approximate_bytes() > limits.mutable_state_bytes_max {
            ("mutable-state-limit-reached", "Workflow mutable state size exceeds limit.")
        } else {
            return None;
        };
        Some(Exceeded { probe, reason })
    }

    /// Nothing stays buffered without reason.
    pub(crate) fn settle(&mut self) {
        if !self.state.is_open() {
            return;
        }
        let buffered = &self.state.auxiliary.buffered;
        let bytes = buffered.bytes();
        let limits = &self.context.limits;
        if buffered.len() > limits.buffered_events_max || bytes > limits.buffered_bytes_max {
            self.probe("buffer-limit-reached");
            self.fail_started_workflow_task(WorkflowTaskFailedCause::ForceCloseCommand);
            self.schedule_workflow_task();
        }
        if !self.state.workflow_task_is_started() {
            self.flush_buffer();
        }
    }
}

impl Exceeded {
    /// What is decided instead: the run as it was is terminated.
    pub(crate) fn terminate(&self, before: &MutableState, context: &Context) -> Transition {
        let refusal = Rejection::InvalidArgument(self.reason.into());
        terminate(before, self.probe, (self.reason, None), refusal, context)
    }
}

fn terminate(
    before: &MutableState,
    probe: &'static str,
    (reason, details): (&str, Option<Payloads>),
    refusal: Rejection,
    context: &Context,
) -> Transition {
    let mut decision = Decision::about(before, context);
    decision.probe(probe);
    decision.terminate_run(reason, details, crate::HISTORY_SERVICE, Vec::new());
    decision.finish(Reply::Refused(refusal))
}

/// What becomes of an input whose events make too large a batch for one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oversize {
    /// Its caller is refused, and nothing happens: another request, or a later one, may succeed.
    Refused,
    /// The run ends. A worker would make the same commands again, and what the server itself does would be tried forever.
    Terminates,
    /// It was within the limit where it came from, in its parent's history: refused, the parent would start it forever.
    Kept,
}

impl Oversize {
    pub(crate) fn of(input: &Input) -> Self {
        match input {
            Input::Start(_)
            | Input::SignalWithStart(_)
            | Input::Signal(_)
            | Input::RequestCancel(_)
            | Input::Terminate(_)
            | Input::FailWorkflowTask(..)
            | Input::HeartbeatActivity(..)
            | Input::CompleteActivity(..)
            | Input::FailActivity(..)
            | Input::CancelActivity(..)
            | Input::SignalByWorkflow(..)
            | Input::RequestCancelByWorkflow(..) => Self::Refused,
            Input::CompleteWorkflowTask(..)
            | Input::RecordWorkflowTaskStarted(_)
            | Input::RecordActivityTaskStarted(_)
            | Input::BeginChild(_)
            | Input::TerminateByWorkflow(..)
            | Input::CrossCallEnded(_)
            | Input::ChildClosed(_)
            | Input::FireTimer(_)
            | Input::ResetStickiness => Self::Terminates,
            Input::StartChild(_) => Self::Kept,
        }
    }

    /// # Errors
    /// `InvalidArgument` in the words of Temporal's persistence.
    pub(crate) fn judge(
        self,
        transition: Transition,
        state: Option<&MutableState>,
        context: &Context,
    ) -> Result<Transition, Rejection> {
        let limit = context.limits.transaction_bytes_max;
        let batches = transition.runs.iter().map(|run| batch_bytes(&run.events));
        let Some(size) = batches.max().filter(|size| *size > limit) else { return Ok(transition) };
        let message = format!("transaction size of {size} bytes exceeds limit of {limit} bytes");
        let refusal = Rejection::InvalidArgument(message.clone());
        match (self, state) {
            (Self::Kept, _) => Ok(transition),
            (Self::Terminates, Some(state)) if state.is_open() => {
                let reason = ("Transaction size exceeds limit.", Some(payloads::text(&message)));
                Ok(terminate(state, "transaction-limit-reached", reason, refusal, context))
            }
            (Self::Terminates | Self::Refused, _) => Err(refusal),
        }
    }
}

/// The size of a batch as it is stored, in one `History` message.
fn batch_bytes(events: &[HistoryEvent]) -> usize {
    events.iter().map(|event| message::encoded_len(1, event)).sum()
}
