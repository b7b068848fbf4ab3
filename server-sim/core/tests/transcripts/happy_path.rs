//! One activity, then done: the life every other story departs from.
use crate::prelude::*;
use temporalio_protos::temporal::api::history::v1::history_event::Attributes;

#[test]
fn one_activity_then_done() {
    let mut story = Story::new();
    story.start();
    story.pass(Duration::from_millis(5));
    story.poll_workflow_task();
    story.pass(Duration::from_millis(5));
    story.complete(vec![schedule_activity("charge", |_| {})]);
    story.pass(Duration::from_millis(5));
    story.poll_activity("charge");
    story.pass_seconds(1);
    story.complete_activity("charge", "receipt 1");
    story.poll_workflow_task();
    story.describe();
    story.complete(vec![complete_workflow("shipped")]);
    story.describe();
    insta::assert_snapshot!(story.text());
}

#[test]
fn the_next_workflow_task_is_returned_inline_if_asked_for() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.complete_with(vec![marker("version")], |request| request.return_new_workflow_task = true);
    story.complete(vec![complete_workflow("shipped")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_timeout_that_is_not_given_is_not_recorded() {
    let first_event = |edit: fn(&mut api::StartWorkflowExecutionRequest)| {
        let mut story = Story::new();
        story.start_with(|request| {
            (request.workflow_execution_timeout, request.workflow_run_timeout) = (None, None);
            request.workflow_task_timeout = None;
            edit(request);
        });
        let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) =
            story.shard.runs[0].history[0].attributes.clone()
        else {
            panic!("a run begins with its start")
        };
        (started.workflow_execution_timeout, started.workflow_run_timeout, started.workflow_task_timeout)
    };
    assert_eq!(first_event(|_| {}), (None, None, seconds(10)));
    assert_eq!(first_event(|request| request.workflow_run_timeout = seconds(0)), (None, seconds(0), seconds(10)));
    let of_execution = first_event(|request| request.workflow_execution_timeout = seconds(60));
    assert_eq!(of_execution, (seconds(60), seconds(60), seconds(10)));
}
