//! A workflow task that keeps failing leaves two events, not two per attempt.
use crate::prelude::*;

#[test]
fn attempts_after_the_first_leave_no_events() {
    let mut story = polled();
    for _ in 0..3 {
        story.fail_workflow_task("panic");
        story.poll_workflow_task();
    }
    story.complete(vec![complete_workflow("at last")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_signal_before_it_starts_makes_it_normal() {
    let mut story = polled();
    story.fail_workflow_task("panic");
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.fail_workflow_task("panic");
    story.poll_workflow_task();
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_signal_while_it_runs_is_buffered() {
    let mut story = polled();
    story.fail_workflow_task("panic");
    story.poll_workflow_task();
    story.signal("amend", "signal-1");
    story.fail_workflow_task("panic");
    story.poll_workflow_task();
    story.fail_workflow_task("panic");
    insta::assert_snapshot!(story.text());
}

#[test]
fn it_times_out_without_a_trace() {
    let mut story = polled();
    story.pass_seconds(10);
    story.poll_workflow_task();
    story.pass_seconds(10);
    story.poll_workflow_task();
    story.complete(vec![start_timer("wait", 60)]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn later_attempts_get_more_time() {
    let mut story = polled();
    for _ in 0..6 {
        story.fail_workflow_task("panic");
        story.poll_workflow_task();
    }
    insta::assert_snapshot!(story.text());
}
