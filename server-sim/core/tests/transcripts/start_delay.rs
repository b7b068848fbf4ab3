//! A run that begins later than it is started.
use crate::prelude::*;

#[test]
fn signals_wait_until_then() {
    let mut story = Story::new();
    story.start_with(|request| request.workflow_start_delay = seconds(60));
    story.signal("amend", "signal-1");
    story.pass_seconds(60);
    story.signal("amend", "signal-2");
    story.poll_workflow_task();
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_signal_with_start_ends_the_delay() {
    let mut story = Story::new();
    story.start_with(|request| request.workflow_start_delay = seconds(60));
    story.signal("amend", "signal-1");
    let input = Input::SignalWithStart(Box::new(signal_with_start("amend", "request-2")));
    let _ = story.step("client signals with start", input);
    story.poll_workflow_task();
    story.complete(vec![]);
    story.pass_seconds(60);
    insta::assert_snapshot!(story.text());
}
