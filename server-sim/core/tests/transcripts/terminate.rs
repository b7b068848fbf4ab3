//! Termination: the end, at once, without a word to the worker.
use crate::prelude::*;

#[test]
fn between_workflow_tasks() {
    let mut story = polled();
    story.complete(vec![start_timer("wait", 60), schedule_activity("charge", |_| {})]);
    story.poll_activity("charge");
    story.terminate("fraud");
    story.terminate("fraud");
    story.signal("amend", "signal-1");
    story.heartbeat("charge", "page 1");
    story.complete_activity("charge", "receipt 1");
    story.pass_seconds(60);
    insta::assert_snapshot!(story.text());
}

#[test]
fn during_a_workflow_task_with_news() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.terminate("");
    story.complete(vec![complete_workflow("too late")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn during_a_transient_workflow_task() {
    let mut story = polled();
    story.fail_workflow_task("panic");
    story.poll_workflow_task();
    story.terminate("enough");
    insta::assert_snapshot!(story.text());
}
