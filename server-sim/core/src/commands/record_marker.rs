//! RecordMarker: what a workflow wants its replays to find again.
use super::{Commands, Handled};
use crate::decision::Extras;
use prost::Message;
use temporalio_protos::temporal::api::{
    command::v1::RecordMarkerCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::MarkerRecordedEventAttributes,
};

impl Commands<'_, '_> {
    pub(super) fn record_marker(&mut self, command: RecordMarkerCommandAttributes, extras: Extras) -> Handled {
        let size = command.details.iter().map(|(name, value)| name.len() + value.encoded_len()).sum();
        self.check_size(
            size,
            Cause::BadRecordMarkerAttributes,
            "RecordMarkerCommandAttributes.Details exceeds size limit.",
        )?;
        let attributes = MarkerRecordedEventAttributes {
            marker_name: command.marker_name,
            details: command.details,
            workflow_task_completed_event_id: self.completed_event_id,
            header: command.header,
            failure: command.failure,
        };
        self.decision.event_with(attributes, extras);
        Ok(())
    }
}
