//! Payloads that are stored elsewhere: an event has the reference, with the size of what it refers to.
use std::collections::HashMap;
use temporalio_protos::temporal::api::{
    common::v1::{Header, Memo, Payload, Payloads},
    failure::v1::{Failure, failure::FailureInfo},
    history::v1::{HistoryEvent, history_event::Attributes},
};

/// How many objects the payloads of an event refer to, and their bytes.
pub(crate) fn referred_to(event: &HistoryEvent) -> (i64, i64) {
    let mut sum = Sum::default();
    if let Some(metadata) = &event.user_metadata {
        sum.one(metadata.summary.as_ref());
        sum.one(metadata.details.as_ref());
    }
    if let Some(attributes) = &event.attributes {
        sum.attributes(attributes);
    }
    (sum.count, sum.bytes)
}

#[derive(Default)]
struct Sum {
    count: i64,
    bytes: i64,
}

impl Sum {
    fn one(&mut self, payload: Option<&Payload>) {
        for external in payload.iter().flat_map(|payload| &payload.external_payloads) {
            self.count += 1;
            self.bytes = self.bytes.saturating_add(external.size_bytes);
        }
    }

    fn all(&mut self, payloads: Option<&Payloads>) {
        payloads.iter().flat_map(|payloads| &payloads.payloads).for_each(|payload| self.one(Some(payload)));
    }

    /// Sums do not depend on the order.
    fn fields(&mut self, fields: &HashMap<String, Payload>) {
        fields.values().for_each(|payload| self.one(Some(payload)));
    }

    fn header(&mut self, header: Option<&Header>) {
        header.iter().for_each(|header| self.fields(&header.fields));
    }

    fn memo(&mut self, memo: Option<&Memo>) {
        memo.iter().for_each(|memo| self.fields(&memo.fields));
    }

    fn failure(&mut self, failure: Option<&Failure>) {
        for failure in std::iter::successors(failure, |failure| failure.cause.as_deref()) {
            self.one(failure.encoded_attributes.as_ref());
            match &failure.failure_info {
                Some(FailureInfo::ApplicationFailureInfo(info)) => self.all(info.details.as_ref()),
                Some(FailureInfo::TimeoutFailureInfo(info)) => self.all(info.last_heartbeat_details.as_ref()),
                Some(FailureInfo::CanceledFailureInfo(info)) => self.all(info.details.as_ref()),
                Some(FailureInfo::ResetWorkflowFailureInfo(info)) => self.all(info.last_heartbeat_details.as_ref()),
                _ => {}
            }
        }
    }

    #[allow(deprecated, reason = "the failure of a continued run is deprecated, and still sent")]
    fn attributes(&mut self, attributes: &Attributes) {
        match attributes {
            Attributes::WorkflowExecutionStartedEventAttributes(event) => {
                self.all(event.input.as_ref());
                self.all(event.last_completion_result.as_ref());
                self.header(event.header.as_ref());
                self.memo(event.memo.as_ref());
                self.failure(event.continued_failure.as_ref());
            }
            Attributes::WorkflowExecutionContinuedAsNewEventAttributes(event) => {
                self.all(event.input.as_ref());
                self.all(event.last_completion_result.as_ref());
                self.header(event.header.as_ref());
                self.memo(event.memo.as_ref());
                self.failure(event.failure.as_ref());
            }
            Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(event) => {
                self.all(event.input.as_ref());
                self.header(event.header.as_ref());
                self.memo(event.memo.as_ref());
            }
            Attributes::WorkflowExecutionSignaledEventAttributes(event) => {
                self.all(event.input.as_ref());
                self.header(event.header.as_ref());
            }
            Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(event) => {
                self.all(event.input.as_ref());
                self.header(event.header.as_ref());
            }
            Attributes::ActivityTaskScheduledEventAttributes(event) => {
                self.all(event.input.as_ref());
                self.header(event.header.as_ref());
            }
            Attributes::MarkerRecordedEventAttributes(event) => {
                event.details.values().for_each(|details| self.all(Some(details)));
                self.header(event.header.as_ref());
                self.failure(event.failure.as_ref());
            }
            Attributes::WorkflowPropertiesModifiedEventAttributes(event) => self.memo(event.upserted_memo.as_ref()),
            attributes => self.of_an_end(attributes),
        }
    }

    /// Of events that have one result, one failure or one set of details.
    fn of_an_end(&mut self, attributes: &Attributes) {
        match attributes {
            Attributes::WorkflowExecutionCompletedEventAttributes(event) => self.all(event.result.as_ref()),
            Attributes::WorkflowExecutionFailedEventAttributes(event) => self.failure(event.failure.as_ref()),
            Attributes::WorkflowExecutionCanceledEventAttributes(event) => self.all(event.details.as_ref()),
            Attributes::WorkflowExecutionTerminatedEventAttributes(event) => self.all(event.details.as_ref()),
            Attributes::WorkflowTaskFailedEventAttributes(event) => self.failure(event.failure.as_ref()),
            Attributes::ActivityTaskStartedEventAttributes(event) => self.failure(event.last_failure.as_ref()),
            Attributes::ActivityTaskCompletedEventAttributes(event) => self.all(event.result.as_ref()),
            Attributes::ActivityTaskFailedEventAttributes(event) => self.failure(event.failure.as_ref()),
            Attributes::ActivityTaskTimedOutEventAttributes(event) => self.failure(event.failure.as_ref()),
            Attributes::ActivityTaskCanceledEventAttributes(event) => self.all(event.details.as_ref()),
            Attributes::ChildWorkflowExecutionCompletedEventAttributes(event) => self.all(event.result.as_ref()),
            Attributes::ChildWorkflowExecutionFailedEventAttributes(event) => self.failure(event.failure.as_ref()),
            Attributes::ChildWorkflowExecutionCanceledEventAttributes(event) => self.all(event.details.as_ref()),
            _ => {}
        }
    }
}
