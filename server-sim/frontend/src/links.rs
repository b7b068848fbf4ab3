//! Links to events of a run, as responses carry them: a caller can link what it did to what became of it. And the links
//! that requests bring, which are kept with the events that they cause.
use crate::validation::invalid;
use prost::Message;
use tempest_api::ServiceResult;
use tempest_api::proto::common::v1::Link;
use tempest_api::proto::common::v1::link::workflow_event::{EventReference, Reference, RequestIdReference};
use tempest_api::proto::common::v1::link::{Variant, WorkflowEvent};
use tempest_api::proto::enums::v1::EventType;

/// Of one request, in number.
const LINKS_MAX: usize = 10;
/// Of one link: it may hold a workflow id and a namespace's name.
const LINK_BYTES_MAX: usize = 4000;

/// # Errors
/// `InvalidArgument` with Temporal's words, if there are too many or one is too large or incomplete.
pub fn validate(links: &[Link]) -> ServiceResult<()> {
    if links.len() > LINKS_MAX {
        return invalid(format!("cannot attach more than {LINKS_MAX} links per request, got {}", links.len()));
    }
    for link in links {
        let size = link.encoded_len();
        if size > LINK_BYTES_MAX {
            return invalid(format!("link exceeds allowed size of {LINK_BYTES_MAX}, got {size}"));
        }
        match &link.variant {
            Some(Variant::WorkflowEvent(to)) => workflow_event(to)?,
            Some(Variant::BatchJob(to)) if to.job_id.is_empty() => {
                return invalid("batch job link must not have an empty job ID");
            }
            Some(Variant::BatchJob(_)) => {}
            Some(Variant::Activity(to)) => {
                complete(
                    "activity",
                    [("namespace", &to.namespace), ("activity ID", &to.activity_id), ("run ID", &to.run_id)],
                )?;
            }
            Some(Variant::NexusOperation(to)) => complete(
                "nexus operation",
                [("namespace", &to.namespace), ("operation ID", &to.operation_id), ("run ID", &to.run_id)],
            )?,
            Some(Variant::Workflow(to)) => {
                complete(
                    "workflow",
                    [("namespace", &to.namespace), ("workflow ID", &to.workflow_id), ("run ID", &to.run_id)],
                )?;
            }
            Some(Variant::Callback(_)) | None => return invalid("unsupported link variant"),
        }
    }
    Ok(())
}

fn workflow_event(to: &WorkflowEvent) -> ServiceResult<()> {
    let fields = [("namespace", &to.namespace), ("workflow ID", &to.workflow_id), ("run ID", &to.run_id)];
    complete("workflow event", fields)?;
    match &to.reference {
        Some(Reference::EventRef(event)) if event.event_type == 0 && event.event_id != 0 => {
            invalid("workflow event link ref cannot have an unspecified event type and a non-zero event ID")
        }
        _ => Ok(()),
    }
}

fn complete(what: &str, fields: [(&str, &String); 3]) -> ServiceResult<()> {
    match fields.into_iter().find(|(_, value)| value.is_empty()) {
        Some((name, _)) => invalid(format!("{what} link must not have an empty {name} field")),
        None => Ok(()),
    }
}

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

/// To the event of a start that this run answered and remembers.
pub fn to_attached(namespace: &str, workflow_id: String, run_id: String, request_id: String) -> Link {
    let event = RequestIdReference { request_id, event_type: EventType::WorkflowExecutionOptionsUpdated as i32 };
    link(namespace, workflow_id, run_id, Reference::RequestIdRef(event))
}

fn link(namespace: &str, workflow_id: String, run_id: String, reference: Reference) -> Link {
    let event = WorkflowEvent { namespace: namespace.to_owned(), workflow_id, run_id, reference: Some(reference) };
    Link { variant: Some(Variant::WorkflowEvent(event)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_api::ServiceError;
    use tempest_api::proto::common::v1::link;

    fn check(variant: Variant, expect: Result<(), &str>) {
        let said = validate(&[Link { variant: Some(variant) }]);
        assert_eq!(said, expect.map_err(|text| ServiceError::InvalidArgument(text.to_owned())));
    }

    fn event() -> WorkflowEvent {
        let reference = Some(Reference::EventRef(EventReference { event_id: 7, event_type: 1 }));
        WorkflowEvent { namespace: "shop".into(), workflow_id: "order-7".into(), run_id: "run-1".into(), reference }
    }

    #[test]
    fn links_are_complete() {
        let named = |value: &str| value.to_owned();
        check(Variant::WorkflowEvent(event()), Ok(()));
        check(
            Variant::WorkflowEvent(WorkflowEvent { namespace: String::new(), ..event() }),
            Err("workflow event link must not have an empty namespace field"),
        );
        check(
            Variant::WorkflowEvent(WorkflowEvent { workflow_id: String::new(), ..event() }),
            Err("workflow event link must not have an empty workflow ID field"),
        );
        let reference = Some(Reference::EventRef(EventReference { event_id: 7, event_type: 0 }));
        check(
            Variant::WorkflowEvent(WorkflowEvent { reference, ..event() }),
            Err("workflow event link ref cannot have an unspecified event type and a non-zero event ID"),
        );
        check(Variant::BatchJob(link::BatchJob::default()), Err("batch job link must not have an empty job ID"));
        let activity = link::Activity { namespace: named("shop"), activity_id: named("charge"), run_id: String::new() };
        check(Variant::Activity(activity), Err("activity link must not have an empty run ID field"));
        check(Variant::Callback(link::Callback::default()), Err("unsupported link variant"));
        check(
            Variant::WorkflowEvent(WorkflowEvent { workflow_id: "x".repeat(4000), ..event() }),
            Err("link exceeds allowed size of 4000, got 4026"),
        );
    }

    #[test]
    fn there_are_only_so_many() {
        let links = |count| vec![Link { variant: Some(Variant::WorkflowEvent(event())) }; count];
        assert_eq!(validate(&links(10)), Ok(()));
        let expect = "cannot attach more than 10 links per request, got 11".to_owned();
        assert_eq!(validate(&links(11)), Err(ServiceError::InvalidArgument(expect)));
    }
}
