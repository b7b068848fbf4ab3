//! A signal that starts its run if there is none.
use crate::prelude::*;

fn send(story: &mut Story, title: &str, request_id: &str, conflict: WorkflowIdConflictPolicy) {
    let mut request = signal_with_start("amend", request_id);
    request.set_workflow_id_conflict_policy(conflict);
    let _ = story.step(title, Input::SignalWithStart(Box::new(request)));
}

#[test]
fn starts_then_signals_the_run_it_started() {
    use WorkflowIdConflictPolicy::UseExisting;
    let mut story = Story::new();
    send(&mut story, "client signals with start", "request-1", UseExisting);
    send(&mut story, "client repeats the request", "request-1", UseExisting);
    send(&mut story, "client signals with start again", "request-2", UseExisting);
    send(&mut story, "client repeats that one too", "request-2", UseExisting);
    story.poll_workflow_task();
    story.complete(vec![complete_workflow("shipped")]);
    send(&mut story, "client signals with start after the end", "request-3", UseExisting);
    insta::assert_snapshot!(story.text());
}

#[test]
fn replaces_an_open_run() {
    let mut story = polled();
    send(
        &mut story,
        "client signals with start, terminating",
        "request-1",
        WorkflowIdConflictPolicy::TerminateExisting,
    );
    insta::assert_snapshot!(story.text());
}

#[test]
fn the_reuse_policy_governs_closed_runs() {
    let mut story = polled();
    story.complete(vec![complete_workflow("shipped")]);
    let mut request = signal_with_start("amend", "request-1");
    request.set_workflow_id_reuse_policy(WorkflowIdReusePolicy::RejectDuplicate);
    let _ = story.step("client signals with start, once only", Input::SignalWithStart(Box::new(request)));
    insta::assert_snapshot!(story.text());
}
