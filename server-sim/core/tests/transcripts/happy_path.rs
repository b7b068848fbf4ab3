//! One activity, then done: the life every other story departs from.
use crate::prelude::*;

#[test]
fn one_activity_then_done() {
    let mut story = Story::new();
    story.start();
    story.pass(Duration::from_millis(5));
    story.poll_workflow_task();
    story.pass(Duration::from_millis(5));
    story.complete(vec![schedule_activity("charge", |_| {})]);
    story.pass(Duration::from_millis(5));
    story.poll_activity("charge");
    story.pass_seconds(1);
    story.complete_activity("charge", "receipt 1");
    story.poll_workflow_task();
    story.describe();
    story.complete(vec![complete_workflow("shipped")]);
    story.describe();
    insta::assert_snapshot!(story.text());
}

#[test]
fn the_next_workflow_task_is_returned_inline_if_asked_for() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.complete_with(vec![marker("version")], |request| request.return_new_workflow_task = true);
    story.complete(vec![complete_workflow("shipped")]);
    insta::assert_snapshot!(story.text());
}
