//! Cancelling a run: it is asked, and its code decides how to end.
use crate::prelude::*;

#[test]
fn the_run_cancels_itself() {
    let mut story = polled();
    story.complete(vec![start_timer("wait", 60)]);
    story.cancel();
    let repeated = Input::RequestCancel(Box::new(cancel("cancel-1")));
    let _ = story.step("client repeats its request", repeated);
    let _ = story.step("another client asks too", Input::RequestCancel(Box::new(cancel("cancel-2"))));
    story.poll_workflow_task();
    story.complete(vec![cancel_timer("wait"), cancel_workflow()]);
    let _ = story.step("client asks a closed run", Input::RequestCancel(Box::new(cancel("cancel-3"))));
    insta::assert_snapshot!(story.text());
}

#[test]
fn another_first_run_was_meant() {
    let mut story = polled();
    let mut request = cancel("cancel-1");
    request.first_execution_run_id = "run-of-somebody-else".into();
    let _ = story.step("client cancels another chain", Input::RequestCancel(Box::new(request.clone())));
    story.complete(vec![complete_workflow("shipped")]);
    let _ = story.step("client cancels another chain after the end", Input::RequestCancel(Box::new(request)));
    insta::assert_snapshot!(story.text());
}

#[test]
fn before_the_first_workflow_task() {
    let mut story = Story::new();
    story.start_with(|request| request.workflow_start_delay = seconds(60));
    story.cancel();
    insta::assert_snapshot!(story.text());
}
