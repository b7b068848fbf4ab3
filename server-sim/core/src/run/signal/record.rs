//! Signals in history, and their number.
use super::events::is_signal;
use crate::{AuxiliaryChange, Decision, MutableState, Rejection, planted_in, run::decision::Extras};
use temporalio_protos::temporal::api::history::v1::WorkflowExecutionSignaledEventAttributes;

impl MutableState {
    /// Events in history and in the buffer that are signals.
    fn signal_count(&self) -> usize {
        let buffered = self.auxiliary.buffered.iter();
        self.durable.signal_count + buffered.filter(|event| is_signal(event)).count()
    }
}

impl Decision<'_> {
    /// Records a signal unless its request was seen before.
    ///
    /// # Errors
    /// The run has as many signals as it may have.
    pub(crate) fn signal(
        &mut self,
        attributes: WorkflowExecutionSignaledEventAttributes,
        extras: Extras,
    ) -> Result<(), Rejection> {
        if self.state.signal_count() >= self.context.limits.signals_max {
            self.probe("signal-limit-reached");
            return Err(Rejection::InvalidArgument("exceeded workflow execution limit for signal events".into()));
        }
        let request_id = attributes.request_id.clone();
        if !request_id.is_empty() && !planted_in!(self.context, crate::planted::SIGNAL_RETRY_DELIVERED_TWICE) {
            self.auxiliary(AuxiliaryChange::SignalSeen { request_id });
        }
        self.event_with(attributes, extras);
        Ok(())
    }
}
