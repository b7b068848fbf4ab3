//! Two starts with one workflow id.
use crate::prelude::*;

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
