//! What is not said of an activity or a child is as for the workflow that it belongs to.
use crate::prelude::*;
use temporalio_protos::temporal::api::common::v1::Priority;

fn priority(priority_key: i32, fairness_key: &str, fairness_weight: f32) -> Option<Priority> {
    Some(Priority { priority_key, fairness_key: fairness_key.into(), fairness_weight })
}

/// A run that has one, with its first workflow task started.
fn important() -> Story {
    let mut story = Story::new();
    story.start_with(|request| request.priority = priority(1, "gold", 2.0));
    story.poll_workflow_task();
    story
}

#[test]
fn an_activity_is_started_with_both() {
    let mut story = important();
    story.complete(vec![
        schedule_activity("charge", |activity| activity.priority = priority(3, "", 0.0)),
        schedule_activity("reserve", |_| {}),
        schedule_activity("wrap", |activity| activity.priority = priority(0, "gifts", 0.5)),
    ]);
    story.poll_activity("charge");
    story.poll_activity("reserve");
    story.poll_activity("wrap");
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_child_is_started_with_both() {
    let mut story = important();
    story.complete(vec![
        start_child("ship-7", |_| {}),
        start_child("bill-7", |child| child.priority = priority(5, "", 0.0)),
    ]);
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}

#[test]
fn the_next_run_keeps_it() {
    let mut story = important();
    story.complete(vec![continue_as_new("2 books", |_| {})]);
    insta::assert_snapshot!(story.text());
}
