//! Commands that cannot be.
use crate::prelude::*;

#[test]
fn bad_attributes_fail_the_workflow_task() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.complete(vec![start_timer("wait", 5), start_timer("", 5)]);
    story.poll_workflow_task();
    story.complete(vec![schedule_activity("charge", |activity| activity.start_to_close_timeout = None)]);
    story.poll_workflow_task();
    story.complete(vec![start_timer("", 5)]);
    story.pass_seconds(10);
    insta::assert_snapshot!(story.text());
}

#[test]
fn ids_that_are_taken_or_unknown() {
    let mut story = polled();
    story.complete(vec![start_timer("wait", 60), start_timer("wait", 60)]);
    story.poll_workflow_task();
    story.complete(vec![start_timer("wait", 60), schedule_activity("charge", |_| {})]);
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.complete(vec![schedule_activity("charge", |_| {})]);
    story.signal("amend", "signal-2");
    story.poll_workflow_task();
    story.complete(vec![cancel_timer("unknown")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn something_after_the_end_is_refused_without_a_trace() {
    let mut story = polled();
    story.complete(vec![complete_workflow("shipped"), start_timer("wait", 5)]);
    story.complete(vec![complete_workflow("shipped")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn too_many_activities() {
    let mut story = Story::new();
    story.shard.limits.pending_activities_max = 1;
    story.start();
    story.poll_workflow_task();
    story.complete(vec![schedule_activity("charge", |_| {}), schedule_activity("reserve", |_| {})]);
    insta::assert_snapshot!(story.text());
}
