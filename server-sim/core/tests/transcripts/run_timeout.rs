//! A run that takes too long.
use crate::prelude::*;

#[test]
fn between_workflow_tasks() {
    let mut story = Story::new();
    story.start_with(|request| request.workflow_run_timeout = seconds(30));
    story.poll_workflow_task();
    story.complete(vec![start_timer("wait", 60)]);
    story.pass_seconds(60);
    insta::assert_snapshot!(story.text());
}

#[test]
fn during_a_workflow_task_with_news() {
    let mut story = Story::new();
    story.start_with(|request| {
        request.workflow_execution_timeout = seconds(5);
        request.workflow_run_timeout = seconds(5);
    });
    story.poll_workflow_task();
    story.signal("amend", "signal-1");
    story.pass_seconds(5);
    insta::assert_snapshot!(story.text());
}
