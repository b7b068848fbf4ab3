//! Attempts of an activity, and what ends them.
use crate::prelude::*;
use temporalio_protos::temporal::api::failure::v1::ApplicationFailureInfo;

fn declined() -> Failure {
    application_failure("card declined", "Declined")
}

#[test]
fn attempts_are_used_up() {
    let mut story = with_activity(|activity| activity.retry_policy = attempts(3));
    for _ in 0..2 {
        story.poll_activity("charge");
        story.fail_activity("charge", declined());
        story.describe();
        story.pass_seconds(2);
    }
    story.poll_activity("charge");
    story.fail_activity("charge", declined());
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_later_attempt_succeeds() {
    let mut story = with_activity(|_| {});
    story.poll_activity("charge");
    story.fail_activity("charge", declined());
    story.pass_seconds(1);
    story.poll_activity("charge");
    story.complete_activity("charge", "receipt 1");
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_listed_type_is_not_retried() {
    let mut story = with_activity(|activity| {
        activity.retry_policy =
            Some(RetryPolicy { non_retryable_error_types: vec!["Declined".into()], ..Default::default() });
    });
    story.poll_activity("charge");
    story.fail_activity("charge", declined());
    insta::assert_snapshot!(story.text());
}

#[test]
fn the_failure_says_when_to_try_again() {
    let mut story = with_activity(|_| {});
    story.poll_activity("charge");
    let info =
        ApplicationFailureInfo { r#type: "Declined".into(), next_retry_delay: seconds(30), ..Default::default() };
    let failure = Failure { failure_info: Some(FailureInfo::ApplicationFailureInfo(info)), ..declined() };
    story.fail_activity("charge", failure);
    story.pass_seconds(30);
    insta::assert_snapshot!(story.text());
}

#[test]
fn no_time_is_left_for_another_attempt() {
    let mut story = with_activity(|activity| activity.schedule_to_close_timeout = seconds(2));
    story.poll_activity("charge");
    story.fail_activity("charge", declined());
    story.pass_seconds(1);
    story.poll_activity("charge");
    story.fail_activity("charge", declined());
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_failure_without_application_info_is_kept_as_it_is() {
    let mut story = with_activity(|activity| activity.retry_policy = attempts(1));
    story.poll_activity("charge");
    story.fail_activity("charge", Failure { message: "strange".into(), ..Default::default() });
    insta::assert_snapshot!(story.text());
}
