//! Activities answered by their id, without a token.
use crate::prelude::*;

fn charge() -> ActivityRef {
    ActivityRef::Id("charge".into())
}

#[test]
fn completing_needs_no_start() {
    let mut story = with_activity(|_| {});
    story.complete_activity_as("somebody completes charge by id", charge(), "receipt 1");
    story.complete_activity_as("somebody completes charge by id again", charge(), "receipt 1");
    insta::assert_snapshot!(story.text());
}

#[test]
fn failing_needs_a_started_attempt() {
    let mut story = with_activity(|activity| activity.retry_policy = attempts(1));
    let declined = application_failure("card declined", "Declined");
    story.fail_activity_as("somebody fails charge by id", charge(), declined.clone());
    story.poll_activity("charge");
    story.fail_activity_as("somebody fails charge by id", charge(), declined);
    insta::assert_snapshot!(story.text());
}

#[test]
fn heartbeats_by_id() {
    let mut story = with_activity(|activity| activity.heartbeat_timeout = seconds(5));
    let beat = || {
        let request = api::RecordActivityTaskHeartbeatRequest { details: payloads("page 1"), ..Default::default() };
        Input::HeartbeatActivity(charge(), Box::new(request))
    };
    let _ = story.step("somebody heartbeats by id", beat());
    story.poll_activity("charge");
    let _ = story.step("somebody heartbeats by id", beat());
    insta::assert_snapshot!(story.text());
}

#[test]
fn an_unknown_id() {
    let mut story = with_activity(|_| {});
    story.complete_activity_as("somebody completes ship by id", ActivityRef::Id("ship".into()), "sent");
    insta::assert_snapshot!(story.text());
}
