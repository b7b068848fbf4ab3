//! What every end has in common.
use crate::{Decision, TransferTask, run::decision::Extras};
use temporalio_protos::temporal::api::history::v1::history_event::Attributes;

impl Decision<'_> {
    /// Writes the closing event and tells who waits for it.
    pub(crate) fn close_run(&mut self, attributes: impl Into<Attributes>, extras: Extras) {
        self.drop_buffer();
        self.event_with(attributes, extras);
        assert!(!self.state.is_open(), "only closing events come here");
        self.transfer(TransferTask::CloseExecution);
    }
}
