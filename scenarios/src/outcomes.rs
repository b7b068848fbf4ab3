//! The outcomes of workflows: as their parents hear them, and as their histories have them.
use tempest::proto::enums::v1::EventType;
use tempest::proto::history::v1::HistoryEvent;
use tempest::{Observations, Violation};
use temporalio_common::protos::temporal::api::failure::v1::failure::FailureInfo;
use temporalio_sdk::ChildWorkflowExecutionError;

/// What a parent heard of a child that did not complete.
pub fn heard(error: &ChildWorkflowExecutionError) -> &'static str {
    let cause =
        error.failure().and_then(|failure| failure.cause.as_ref()).and_then(|cause| cause.failure_info.as_ref());
    match cause {
        Some(FailureInfo::ApplicationFailureInfo(_)) => "failed",
        Some(FailureInfo::TimeoutFailureInfo(_)) => "timed out",
        Some(FailureInfo::CanceledFailureInfo(_)) => "cancelled",
        Some(FailureInfo::TerminatedFailureInfo(_)) => "terminated",
        _ => "ended strangely",
    }
}

/// Whether the last run of a workflow ended otherwise than expected. Still open is for `liveness` to say.
pub fn ends_with(observations: &Observations, id: &str, expected: EventType) -> Option<Violation> {
    let chain = observations.chain(id);
    let last = chain.last()?.stored.last()?;
    let is_end = |event: &HistoryEvent| {
        use EventType as T;
        matches!(
            event.event_type(),
            T::WorkflowExecutionCompleted
                | T::WorkflowExecutionFailed
                | T::WorkflowExecutionTimedOut
                | T::WorkflowExecutionCanceled
                | T::WorkflowExecutionTerminated
        )
    };
    if !is_end(last) || last.event_type() == expected {
        return None;
    }
    let what = format!("{id} ended with {}, not {}", last.event_type().as_str_name(), expected.as_str_name());
    Some(Violation::of_model(what).because(format!("{last:?}")).about_each(chain))
}
