//! Cancelling an activity: it is asked, and decides itself how to end.
use crate::prelude::*;

#[test]
fn never_started() {
    let mut story = with_activity(|_| {});
    story.signal("stop", "signal-1");
    story.poll_workflow_task();
    story.complete(vec![cancel_activity(story.scheduled_event_id("charge"))]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn scheduled_and_cancelled_in_one_workflow_task() {
    let mut story = polled();
    story.complete(vec![schedule_activity("charge", |_| {}), cancel_activity(5)]);
    story.poll_workflow_task();
    story.complete(vec![complete_workflow("nothing to do")]);
    insta::assert_snapshot!(story.text());
}

fn running_and_asked() -> Story {
    let mut story = with_activity(|_| {});
    story.poll_activity("charge");
    story.signal("stop", "signal-1");
    story.poll_workflow_task();
    story.complete(vec![cancel_activity(story.scheduled_event_id("charge"))]);
    story
}

#[test]
fn running_and_obedient() {
    let mut story = running_and_asked();
    story.heartbeat("charge", "page 1");
    story.cancel_activity("charge");
    insta::assert_snapshot!(story.text());
}

#[test]
fn running_and_completing_all_the_same() {
    let mut story = running_and_asked();
    story.complete_activity("charge", "receipt 1");
    insta::assert_snapshot!(story.text());
}

#[test]
fn running_and_failing_is_not_retried() {
    let mut story = running_and_asked();
    story.fail_activity("charge", application_failure("card declined", "Declined"));
    insta::assert_snapshot!(story.text());
}

#[test]
fn running_and_silent_is_not_retried() {
    let mut story = running_and_asked();
    story.pass_seconds(10);
    insta::assert_snapshot!(story.text());
}

#[test]
fn backing_off() {
    let mut story = with_activity(|_| {});
    story.poll_activity("charge");
    story.fail_activity("charge", application_failure("card declined", "Declined"));
    story.signal("stop", "signal-1");
    story.poll_workflow_task();
    story.complete(vec![cancel_activity(story.scheduled_event_id("charge"))]);
    story.pass_seconds(1);
    insta::assert_snapshot!(story.text());
}

#[test]
fn cancelled_without_being_asked() {
    let mut story = with_activity(|_| {});
    story.poll_activity("charge");
    story.cancel_activity("charge");
    insta::assert_snapshot!(story.text());
}

#[test]
fn asked_twice_or_for_the_unknown() {
    let mut story = running_and_asked();
    story.signal("stop", "signal-2");
    story.poll_workflow_task();
    story.complete(vec![cancel_activity(story.scheduled_event_id("charge"))]);
    story.poll_workflow_task();
    story.complete(vec![cancel_activity(2)]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn asked_when_its_result_is_buffered() {
    let mut story = with_activity(|_| {});
    story.poll_activity("charge");
    story.signal("stop", "signal-1");
    story.poll_workflow_task();
    story.complete_activity("charge", "receipt 1");
    story.complete(vec![cancel_activity(story.scheduled_event_id("charge"))]);
    insta::assert_snapshot!(story.text());
}
