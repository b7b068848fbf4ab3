//! What is seen of signals and cancellations: what they are owed, their size.
use super::{ExternalCancel, ExternalSignal};
use crate::{MutableState, Owed, TransferTask, parts::Weigh, run::size::ENTRY_BYTES};
use prost::Message;

impl Weigh for ExternalSignal {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.attributes.encoded_len()
    }
}

impl Weigh for ExternalCancel {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.attributes.encoded_len()
    }
}

impl MutableState {
    pub(crate) fn external_are_owed(&self, owed: &mut Vec<Owed>) {
        let signals = self
            .pending_signals()
            .map(|signal| TransferTask::SignalExternal { initiated_event_id: signal.initiated_event_id });
        let cancels = self
            .pending_cancels()
            .map(|cancel| TransferTask::CancelExternal { initiated_event_id: cancel.initiated_event_id });
        owed.extend(signals.chain(cancels).map(Owed::Transfer));
    }
}
