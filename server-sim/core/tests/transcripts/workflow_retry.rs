//! A run that fails and is tried again.
use crate::prelude::*;

fn retried(attempts: i32) -> Story {
    let mut story = Story::new();
    story.start_with(|request| {
        request.workflow_execution_timeout = seconds(600);
        request.workflow_run_timeout = seconds(60);
        request.retry_policy = Some(RetryPolicy {
            initial_interval: seconds(5),
            backoff_coefficient: 2.0,
            maximum_interval: seconds(500),
            maximum_attempts: attempts,
            non_retryable_error_types: vec!["Fraud".into()],
        });
    });
    story
}

fn no_stock() -> Failure {
    application_failure("no stock", "Stock")
}

#[test]
fn until_its_attempts_are_used_up() {
    let mut story = retried(2);
    story.poll_workflow_task();
    story.complete(vec![fail_workflow(no_stock())]);
    story.pass_seconds(5);
    story.poll_workflow_task();
    story.complete(vec![fail_workflow(no_stock())]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn not_for_a_listed_type() {
    let mut story = retried(0);
    story.poll_workflow_task();
    story.complete(vec![fail_workflow(application_failure("stolen card", "Fraud"))]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn after_a_run_timeout() {
    let mut story = retried(0);
    story.poll_workflow_task();
    story.complete(vec![start_timer("wait", 3600)]);
    story.pass_seconds(65);
    story.poll_workflow_task();
    insta::assert_snapshot!(story.text());
}

#[test]
fn until_the_chain_has_no_time_left() {
    let mut story = retried(0);
    story.pass_seconds(58);
    story.poll_workflow_task();
    story.complete(vec![start_timer("wait", 3600)]);
    story.pass_seconds(542);
    insta::assert_snapshot!(story.text());
}
