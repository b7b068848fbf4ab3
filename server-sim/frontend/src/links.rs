//! Links to events of a run, as responses carry them: a caller can link what it did to what became of it.
use tempest_api::proto::common::v1::Link;
use tempest_api::proto::common::v1::link::workflow_event::{EventReference, Reference, RequestIdReference};
use tempest_api::proto::common::v1::link::{Variant, WorkflowEvent};
use tempest_api::proto::enums::v1::EventType;

/// To the first event of a run, which has its id from the start.
pub fn to_started(namespace: &str, workflow_id: String, run_id: String) -> Link {
    let event = EventReference { event_id: 1, event_type: EventType::WorkflowExecutionStarted as i32 };
    link(namespace, workflow_id, run_id, Reference::EventRef(event))
}

/// To a signal of a run, by its request id: while a workflow task is with a worker, the event has no id yet.
pub fn to_signal(namespace: &str, workflow_id: String, run_id: String, request_id: String) -> Link {
    let event = RequestIdReference { request_id, event_type: EventType::WorkflowExecutionSignaled as i32 };
    link(namespace, workflow_id, run_id, Reference::RequestIdRef(event))
}

fn link(namespace: &str, workflow_id: String, run_id: String, reference: Reference) -> Link {
    let event = WorkflowEvent { namespace: namespace.to_owned(), workflow_id, run_id, reference: Some(reference) };
    Link { variant: Some(Variant::WorkflowEvent(event)) }
}
