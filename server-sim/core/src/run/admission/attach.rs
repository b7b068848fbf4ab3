//! A start that an open run answers may leave a trace in that run: its request id, by which it is recognised when it is
//! repeated, and its links.
use super::start::started;
use crate::{Context, Decision, MutableState, Reply, Started, Transition, run::decision::Extras};
use temporalio_protos::temporal::api::{
    history::v1::WorkflowExecutionOptionsUpdatedEventAttributes, workflowservice::v1 as api,
};

/// The open run answers. As in Temporal, options without content leave their event too, and no workflow task follows.
pub(super) fn use_existing(
    run: &MutableState,
    request: api::StartWorkflowExecutionRequest,
    context: &Context,
) -> Transition {
    let Some(options) = request.on_conflict_options else {
        return Transition::nothing(Reply::Started(started(run, false)));
    };
    let attached_request_id = if options.attach_request_id { request.request_id } else { String::new() };
    let links = if options.attach_links { request.links } else { Vec::new() };
    let attached = !attached_request_id.is_empty();
    let mut decision = Decision::about(run, context);
    let attributes = WorkflowExecutionOptionsUpdatedEventAttributes {
        attached_request_id,
        ..WorkflowExecutionOptionsUpdatedEventAttributes::default()
    };
    decision.event_with(attributes, Extras { links, ..Extras::default() });
    decision.finish(Reply::Started(Started { attached, ..started(run, false) }))
}

/// The answer to a start that was attached to this run before, also if it has closed since.
pub(super) fn repeated(run: &MutableState, request_id: &str) -> Option<Started> {
    let attached = run.attached_requests().any(|(id, _)| id == request_id);
    attached.then(|| Started { attached, ..started(run, false) })
}
