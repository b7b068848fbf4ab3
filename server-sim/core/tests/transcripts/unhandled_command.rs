//! A worker wants to close a run that has news for it.
use crate::prelude::*;

#[test]
fn the_run_goes_on_until_the_news_is_seen() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.complete(vec![complete_workflow("shipped")]);
    story.signal("amend", "signal-2");
    story.poll_workflow_task();
    story.signal("amend", "signal-3");
    story.complete(vec![complete_workflow("shipped with one more book")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_cancelled_timer_that_had_fired_is_no_news() {
    let mut story = polled();
    story.complete(vec![start_timer("wait", 5)]);
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.pass_seconds(5);
    story.complete(vec![cancel_timer("wait"), complete_workflow("shipped")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_transient_workflow_task_with_news_is_not_left_to_time_out() {
    let mut story = polled();
    story.fail_workflow_task("panic");
    story.poll_workflow_task();
    story.signal("amend", "signal-1");
    story.complete(vec![complete_workflow("shipped")]);
    story.poll_workflow_task();
    story.complete(vec![complete_workflow("shipped with one more book")]);
    insta::assert_snapshot!(story.text());
}
