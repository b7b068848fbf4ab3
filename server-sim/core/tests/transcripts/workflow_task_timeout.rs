//! A worker takes a workflow task and is never heard of again.
use crate::prelude::*;

#[test]
fn it_is_scheduled_anew_and_the_late_answer_refused() {
    let mut story = polled();
    let late = story.workflow_task.clone();
    story.pass_seconds(10);
    story.poll_workflow_task();
    let current = std::mem::replace(&mut story.workflow_task, late);
    story.complete(vec![complete_workflow("too late")]);
    story.workflow_task = current;
    story.complete(vec![complete_workflow("in time")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn signals_that_waited_are_written_after_it() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.pass_seconds(10);
    insta::assert_snapshot!(story.text());
}
