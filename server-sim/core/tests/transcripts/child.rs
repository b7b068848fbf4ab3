//! A parent and its children, as the parent sees them.
use crate::prelude::*;
use temporalio_protos::temporal::api::{
    command::v1::StartChildWorkflowExecutionCommandAttributes,
    history::v1::{
        WorkflowExecutionCanceledEventAttributes, WorkflowExecutionCompletedEventAttributes,
        WorkflowExecutionFailedEventAttributes, WorkflowExecutionTerminatedEventAttributes,
        WorkflowExecutionTimedOutEventAttributes,
    },
};

/// The event with which the child of these stories is asked for.
const INITIATED: i64 = 5;
const FIRST_RUN: &str = "ship-run-1";

/// A run that has asked for the child `ship-7`.
fn expecting(edit: impl FnOnce(&mut StartChildWorkflowExecutionCommandAttributes)) -> Story {
    let mut story = polled();
    story.complete(vec![start_child("ship-7", edit)]);
    story
}

fn started(story: &mut Story) {
    story.cross_call_ended("the child was started", INITIATED, Outcome::ChildStarted(FIRST_RUN.into()));
}

fn with_child(edit: impl FnOnce(&mut StartChildWorkflowExecutionCommandAttributes)) -> Story {
    let mut story = expecting(edit);
    started(&mut story);
    story
}

fn completed(result: &str) -> WorkflowExecutionCompletedEventAttributes {
    WorkflowExecutionCompletedEventAttributes { result: payloads(result), ..Default::default() }
}

#[test]
fn completes() {
    let mut story = expecting(|_| {});
    story.cross_calls();
    started(&mut story);
    story.cross_calls();
    story.describe();
    story.poll_workflow_task();
    story.complete(vec![]);
    story.pass_seconds(5);
    story.child_closed(FIRST_RUN, INITIATED, completed("delivered"));
    story.cross_calls();
    story.poll_workflow_task();
    story.complete(vec![complete_workflow("shipped")]);
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}

#[test]
fn ends_in_every_other_way() {
    let mut story = with_child(|_| {});
    let failure = Some(application_failure("lost", "Lost"));
    let failed = WorkflowExecutionFailedEventAttributes {
        failure,
        retry_state: RetryState::MaximumAttemptsReached.into(),
        ..Default::default()
    };
    story.child_closed("ship-run-3", INITIATED, failed);
    let mut other = with_child(|_| {});
    let details = payloads("halfway");
    other.child_closed(
        FIRST_RUN,
        INITIATED,
        WorkflowExecutionCanceledEventAttributes { details, ..Default::default() },
    );
    let mut third = with_child(|_| {});
    let retry_state = RetryState::Timeout.into();
    third.child_closed(
        FIRST_RUN,
        INITIATED,
        WorkflowExecutionTimedOutEventAttributes { retry_state, ..Default::default() },
    );
    let mut fourth = with_child(|_| {});
    fourth.child_closed(FIRST_RUN, INITIATED, WorkflowExecutionTerminatedEventAttributes::default());
    let ends = [story, other, third, fourth].map(|story| story.text().to_owned());
    insta::assert_snapshot!(ends.join("\n=====\n"));
}

#[test]
fn cannot_be_started() {
    let mut story = expecting(|_| {});
    let cause = StartChildWorkflowExecutionFailedCause::WorkflowAlreadyExists;
    story.cross_call_ended("the child was refused", INITIATED, Outcome::start_failed(cause));
    story.cross_call_ended("the same is told again", INITIATED, Outcome::start_failed(cause));
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}

#[test]
fn its_end_comes_before_its_start() {
    let mut story = expecting(|_| {});
    story.child_closed(FIRST_RUN, INITIATED, WorkflowExecutionTerminatedEventAttributes::default());
    started(&mut story);
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}

#[test]
fn both_arrive_while_a_worker_decides() {
    let mut story = expecting(|_| {});
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    started(&mut story);
    story.child_closed(FIRST_RUN, INITIATED, completed("delivered"));
    story.signal("amend", "signal-2");
    story.describe();
    story.complete(vec![marker("busy")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn reports_twice_late_or_wrongly() {
    let mut story = with_child(|_| {});
    started(&mut story);
    story.child_closed(FIRST_RUN, INITIATED + 1, completed("of another event"));
    story.child_closed(FIRST_RUN, INITIATED, completed("delivered"));
    story.child_closed(FIRST_RUN, INITIATED, completed("delivered"));
    story.poll_workflow_task();
    story.complete(vec![complete_workflow("shipped")]);
    story.child_closed(FIRST_RUN, INITIATED, completed("delivered"));
    started(&mut story);
    insta::assert_snapshot!(story.text());
}

#[test]
fn of_another_chain_is_not_heard() {
    let mut story = expecting(|_| {});
    story.cross_call_ended("the child was started", INITIATED, Outcome::ChildStarted("another-run".into()));
    story.child_closed(FIRST_RUN, INITIATED, completed("delivered"));
    insta::assert_snapshot!(story.text());
}

#[test]
fn is_ended_as_its_policy_says() {
    let mut story = polled();
    let policy =
        |policy| move |child: &mut StartChildWorkflowExecutionCommandAttributes| child.set_parent_close_policy(policy);
    story.complete(vec![
        start_child("ship-7", |_| {}),
        start_child("invoice-7", policy(ParentClosePolicy::RequestCancel)),
        start_child("survey-7", policy(ParentClosePolicy::Abandon)),
        start_child("never-started", |_| {}),
        start_child("never-started-and-abandoned", policy(ParentClosePolicy::Abandon)),
    ]);
    for (id, run) in [(5, "ship-run-1"), (6, "invoice-run-1"), (7, "survey-run-1")] {
        story.cross_call_ended("a child was started", id, Outcome::ChildStarted(run.into()));
    }
    story.terminate("enough");
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}

#[test]
fn is_ended_too_when_its_parent_continues_as_new() {
    let mut story = with_child(|_| {});
    story.poll_workflow_task();
    story.complete(vec![continue_as_new("2 books", |_| {})]);
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}

#[test]
fn too_many_are_refused() {
    let mut story = polled();
    story.shard.limits.pending_children_max = 1;
    story.complete(vec![start_child("ship-7", |_| {}), start_child("ship-8", |_| {})]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn asked_for_badly() {
    let mut story = polled();
    story.complete(vec![start_child("", |_| {})]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn asked_for_and_cancelled_at_once() {
    let mut story = polled();
    story.complete(vec![start_child("ship-7", |_| {}), cancel_external("ship-7", true)]);
    insta::assert_snapshot!(story.text());
}
