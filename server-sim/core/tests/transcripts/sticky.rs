//! A worker's own queue: used as long as the worker is there.
use crate::prelude::*;

fn sticky_run() -> Story {
    let mut story = polled();
    story.complete_sticky(vec![start_timer("wait", 60)]);
    story
}

#[test]
fn the_worker_takes_its_task() {
    let mut story = sticky_run();
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.complete_sticky(vec![marker("seen")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn the_worker_is_gone() {
    let mut story = sticky_run();
    story.signal("amend", "signal-1");
    story.pass_seconds(5);
    story.poll_workflow_task();
    story.complete(vec![complete_workflow("done")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn matching_knows_that_the_worker_is_gone() {
    let mut story = sticky_run();
    story.signal("amend", "signal-1");
    let sticky = story.due_workflow_task("late");
    let _ = story.step("matching asks for the normal queue", Input::ResetStickiness);
    let _ = story.step("the sticky queue offers its task late", Input::RecordWorkflowTaskStarted(sticky));
    insta::assert_snapshot!(story.text());
}

#[test]
fn failing_forgets_the_worker_and_counts_no_attempt() {
    let mut story = sticky_run();
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.fail_workflow_task("non-determinism");
    story.poll_workflow_task();
    story.fail_workflow_task("non-determinism");
    story.poll_workflow_task();
    insta::assert_snapshot!(story.text());
}

#[test]
fn completing_without_a_sticky_queue_forgets_it() {
    let mut story = sticky_run();
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.complete(vec![]);
    story.signal("amend", "signal-2");
    insta::assert_snapshot!(story.text());
}
