//! Two starts with one workflow id.
use crate::prelude::*;
use temporalio_protos::temporal::api::{
    common::v1::{
        Link,
        link::{BatchJob, Variant},
    },
    workflow::v1::{OnConflictOptions, RequestIdInfo},
};

fn start_again(story: &mut Story, request_id: &str, reuse: WorkflowIdReusePolicy, conflict: WorkflowIdConflictPolicy) {
    let mut request = start(request_id);
    request.set_workflow_id_reuse_policy(reuse);
    request.set_workflow_id_conflict_policy(conflict);
    let title = format!("client starts order-7 (request {request_id}, {reuse:?}, {conflict:?})");
    let _ = story.step(&title, Input::Start(Box::new(request)));
}

#[test]
fn while_the_first_is_open() {
    use {WorkflowIdConflictPolicy::*, WorkflowIdReusePolicy::AllowDuplicate};
    let mut story = polled();
    start_again(&mut story, "start-1", AllowDuplicate, Fail);
    start_again(&mut story, "start-2", AllowDuplicate, Fail);
    start_again(&mut story, "start-3", AllowDuplicate, UseExisting);
    start_again(&mut story, "start-4", AllowDuplicate, TerminateExisting);
    start_again(&mut story, "start-4", AllowDuplicate, TerminateExisting);
    insta::assert_snapshot!(story.text());
}

/// Returns the answer, and the number and types of events of the requests that the run knows.
fn attach(story: &mut Story, request_id: &str, options: OnConflictOptions) -> (Started, Vec<(String, RequestIdInfo)>) {
    let mut request = start(request_id);
    request.set_workflow_id_conflict_policy(WorkflowIdConflictPolicy::UseExisting);
    request.on_conflict_options = Some(options);
    let title = format!("client starts order-7 (request {request_id}), or attaches to it");
    let Reply::Started(started) = story.step(&title, Input::Start(Box::new(request))).unwrap().reply else {
        panic!("a start is answered as one")
    };
    let described = story.shard.runs[0].state.describe().workflow_extended_info.unwrap();
    let mut infos: Vec<_> = described.request_id_infos.into_iter().collect();
    infos.sort_by(|one, other| one.0.cmp(&other.0));
    (started, infos)
}

#[test]
fn an_open_run_remembers_the_starts_that_want_it() {
    let info = |id: &str, event_type: EventType, event_id| {
        (id.to_owned(), RequestIdInfo { event_type: event_type.into(), event_id, buffered: event_id == 0 })
    };
    let with_request_id = OnConflictOptions { attach_request_id: true, ..Default::default() };
    let mut story = polled();
    let (first, infos) = attach(&mut story, "start-2", with_request_id);
    assert_eq!((first.started, first.attached), (false, true));
    let start = info("start-1", EventType::WorkflowExecutionStarted, 1);
    assert_eq!(infos, [start.clone(), info("start-2", EventType::WorkflowExecutionOptionsUpdated, 0)]);
    let (repeated, _) = attach(&mut story, "start-2", with_request_id);
    assert_eq!(repeated, first);
    story.complete(vec![]);
    story.poll_workflow_task();
    story.complete(vec![]);
    let (_, infos) = attach(&mut story, "start-3", with_request_id);
    let attached = |id, event_id| info(id, EventType::WorkflowExecutionOptionsUpdated, event_id);
    assert_eq!(infos, [start, attached("start-2", 5), attached("start-3", 9)]);
    let (nothing, _) = attach(&mut story, "start-4", OnConflictOptions::default());
    assert_eq!((nothing.started, nothing.attached), (false, false));
    story.terminate("enough");
    let (closed, _) = attach(&mut story, "start-3", with_request_id);
    assert_eq!((closed.attached, closed.status), (true, WorkflowExecutionStatus::Terminated));
    insta::assert_snapshot!(story.text());
}

#[test]
fn links_of_a_start_are_attached_if_it_wants_that() {
    let mut story = Story::new();
    story.start();
    let link = Link { variant: Some(Variant::BatchJob(BatchJob { job_id: "nightly".into() })) };
    for (attach_links, expect) in [(true, vec![link.clone()]), (false, vec![])] {
        let mut request = start("start-2");
        request.set_workflow_id_conflict_policy(WorkflowIdConflictPolicy::UseExisting);
        request.on_conflict_options = Some(OnConflictOptions { attach_links, ..Default::default() });
        request.links = vec![link.clone()];
        story.shard.apply(Input::Start(Box::new(request))).unwrap();
        assert_eq!(story.shard.runs[0].history.last().unwrap().links, expect);
    }
}

#[test]
fn after_the_first_completed() {
    use {WorkflowIdConflictPolicy::Fail, WorkflowIdReusePolicy::*};
    let mut story = polled();
    story.complete(vec![complete_workflow("shipped")]);
    start_again(&mut story, "start-1", RejectDuplicate, Fail);
    start_again(&mut story, "start-2", RejectDuplicate, Fail);
    start_again(&mut story, "start-3", AllowDuplicateFailedOnly, Fail);
    start_again(&mut story, "start-4", AllowDuplicate, Fail);
    insta::assert_snapshot!(story.text());
}

#[test]
fn after_the_first_failed() {
    use {WorkflowIdConflictPolicy::Fail, WorkflowIdReusePolicy::*};
    let mut story = polled();
    story.complete(vec![fail_workflow(application_failure("no stock", "Stock"))]);
    start_again(&mut story, "start-2", RejectDuplicate, Fail);
    start_again(&mut story, "start-3", AllowDuplicateFailedOnly, Fail);
    insta::assert_snapshot!(story.text());
}
