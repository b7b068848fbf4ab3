//! Heartbeats: they keep an attempt alive, and what they carried reaches the next one.
use crate::prelude::*;

#[test]
fn details_reach_the_next_attempt() {
    let mut story = with_activity(|activity| activity.heartbeat_timeout = seconds(3));
    story.poll_activity("charge");
    story.pass_seconds(2);
    story.heartbeat("charge", "page 1");
    story.pass_seconds(2);
    story.heartbeat("charge", "page 2");
    story.describe();
    story.pass_seconds(4);
    story.poll_activity("charge");
    story.complete_activity("charge", "receipt");
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_silent_attempt_that_is_the_last() {
    let mut story = with_activity(|activity| {
        activity.heartbeat_timeout = seconds(3);
        activity.retry_policy = attempts(1);
    });
    story.poll_activity("charge");
    story.heartbeat("charge", "page 1");
    story.pass_seconds(3);
    insta::assert_snapshot!(story.text());
}

#[test]
fn details_sent_with_a_failure_reach_the_next_attempt() {
    let mut story = with_activity(|_| {});
    story.poll_activity("charge");
    let request = api::RespondActivityTaskFailedRequest {
        failure: Some(application_failure("card declined", "Declined")),
        last_heartbeat_details: payloads("page 3"),
        identity: "worker".into(),
        ..Default::default()
    };
    let token = ActivityRef::Token(story.activities["charge"].clone());
    let _ = story.step("worker fails the activity with details", Input::FailActivity(token, Box::new(request)));
    story.pass_seconds(1);
    story.poll_activity("charge");
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_worker_without_a_name_says_it_later() {
    let mut story = with_activity(|activity| activity.heartbeat_timeout = seconds(3));
    let worker = |story: &Story| {
        let mut described = story.shard.runs[0].state.describe();
        described.pending_activities.remove(0).last_worker_identity
    };
    story.poll_activity_as("charge", "");
    assert_eq!(worker(&story), "");
    story.heartbeat("charge", "page 1");
    assert_eq!(worker(&story), "worker");
}
