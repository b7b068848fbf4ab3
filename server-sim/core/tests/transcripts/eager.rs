//! Activities that go to the worker that scheduled them, without a queue.
use crate::prelude::*;

#[test]
fn started_in_the_same_decision() {
    let mut story = polled();
    story.complete(vec![
        schedule_activity("charge", |activity| activity.request_eager_execution = true),
        schedule_activity("reserve", |_| {}),
    ]);
    insta::assert_snapshot!(story.text());
}
