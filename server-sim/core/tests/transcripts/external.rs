//! Signals to other runs and requests that they be cancelled.
use crate::prelude::*;

const INITIATED: i64 = 5;

#[test]
fn signal_is_delivered() {
    let mut story = polled();
    story.complete(vec![signal_external("order-8", false)]);
    story.cross_calls();
    story.cross_call_ended("order-8 has the signal", INITIATED, Outcome::Signaled);
    story.cross_call_ended("the same is told again", INITIATED, Outcome::Signaled);
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}

#[test]
fn signal_finds_nobody() {
    let mut story = polled();
    story.complete(vec![signal_external("order-8", true)]);
    story.cross_calls();
    let cause = SignalExternalWorkflowExecutionFailedCause::ExternalWorkflowExecutionNotFound;
    story.cross_call_ended("there is no order-8", INITIATED, Outcome::signal_failed(cause));
    insta::assert_snapshot!(story.text());
}

#[test]
fn signal_comes_back_while_a_worker_decides() {
    let mut story = polled();
    story.complete(vec![signal_external("order-8", false), cancel_external("order-9", false)]);
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.cross_call_ended("order-8 has the signal", INITIATED, Outcome::Signaled);
    story.cross_call_ended("order-9 has the request", INITIATED + 1, Outcome::CancelRequested);
    story.cross_calls();
    story.complete(vec![]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn oneself_cannot_be_meant() {
    let mut story = polled();
    story.complete(vec![signal_external("order-7", false), cancel_external("order-7", false)]);
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}

#[test]
fn cancellation_is_delivered_or_finds_nobody() {
    let mut story = polled();
    story.complete(vec![cancel_external("order-8", false), cancel_external("order-9", true)]);
    story.cross_calls();
    story.cross_call_ended("order-8 has the request", INITIATED, Outcome::CancelRequested);
    let cause = CancelExternalWorkflowExecutionFailedCause::ExternalWorkflowExecutionNotFound;
    story.cross_call_ended("there is no order-9", INITIATED + 1, Outcome::cancel_failed(cause));
    insta::assert_snapshot!(story.text());
}

#[test]
fn nobody_is_told_of_a_closed_run() {
    let mut story = polled();
    story.complete(vec![signal_external("order-8", false), complete_workflow("shipped")]);
    story.cross_calls();
    story.cross_call_ended("order-8 has the signal", INITIATED, Outcome::Signaled);
    insta::assert_snapshot!(story.text());
}

#[test]
fn too_many_are_refused() {
    let mut story = polled();
    story.shard.limits.pending_signals_max = 1;
    story.complete(vec![signal_external("order-8", false), signal_external("order-9", false)]);
    let mut other = polled();
    other.shard.limits.pending_cancels_max = 1;
    other.complete(vec![cancel_external("order-8", false), cancel_external("order-9", false)]);
    insta::assert_snapshot!(format!("{}\n=====\n{}", story.text(), other.text()));
}
