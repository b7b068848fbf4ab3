//! The four timeouts of an activity.
use crate::prelude::*;

#[test]
fn start_to_close_ends_an_attempt_and_the_next_one_succeeds() {
    let mut story = with_activity(|_| {});
    story.poll_activity("charge");
    story.pass_seconds(11);
    story.poll_activity("charge");
    story.complete_activity("charge", "receipt 2");
    insta::assert_snapshot!(story.text());
}

#[test]
fn start_to_close_of_the_last_attempt() {
    let mut story = with_activity(|activity| activity.retry_policy = attempts(1));
    story.poll_activity("charge");
    story.pass_seconds(10);
    insta::assert_snapshot!(story.text());
}

#[test]
fn nobody_starts_it() {
    let mut story = with_activity(|activity| activity.schedule_to_start_timeout = seconds(5));
    story.pass_seconds(5);
    insta::assert_snapshot!(story.text());
}

#[test]
fn schedule_to_close_while_an_attempt_runs() {
    let mut story = with_activity(|activity| activity.schedule_to_close_timeout = seconds(15));
    story.poll_activity("charge");
    story.fail_activity("charge", application_failure("card declined", "Declined"));
    story.pass_seconds(6);
    story.poll_activity("charge");
    story.pass_seconds(9);
    insta::assert_snapshot!(story.text());
}

#[test]
fn an_attempt_times_out_and_no_time_is_left() {
    let mut story = with_activity(|activity| {
        activity.schedule_to_close_timeout = seconds(11);
        activity.retry_policy = Some(RetryPolicy { initial_interval: seconds(5), ..Default::default() });
    });
    story.poll_activity("charge");
    story.pass_seconds(11);
    insta::assert_snapshot!(story.text());
}

#[test]
fn times_out_while_a_workflow_task_is_started() {
    let mut story = with_activity(|activity| activity.retry_policy = attempts(1));
    story.poll_activity("charge");
    story.pass_seconds(5);
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.pass_seconds(5);
    story.complete(vec![]);
    insta::assert_snapshot!(story.text());
}
