//! A child as it sees itself: `order-7` is the child of `basket-1`.
use crate::prelude::*;
use temporalio_protos::temporal::api::common::v1::WorkflowExecution;

fn parent() -> RunKey {
    RunKey { namespace_id: "namespace-1".into(), workflow_id: "basket-1".into(), run_id: "basket-run".into() }
}

fn as_parent() -> OtherRun {
    let RunKey { namespace_id, workflow_id, run_id } = parent();
    OtherRun { namespace_id, workflow_id, run_id, initiated_event_id: 5, child_only: true }
}

fn outsider(child_only: bool) -> OtherRun {
    let (workflow_id, run_id) = ("outsider".into(), "outsider-run".into());
    let namespace_id = parent().namespace_id;
    OtherRun { namespace_id, workflow_id, run_id, initiated_event_id: 9, child_only }
}

fn begun_by_parent(edit: impl FnOnce(&mut api::StartWorkflowExecutionRequest)) -> Input {
    let mut request = start("basket-run:5");
    edit(&mut request);
    let root = WorkflowExecution { workflow_id: "campaign".into(), run_id: "campaign-run".into() };
    let child = StartChild {
        namespace_id: "namespace-1".into(),
        request,
        parent: parent(),
        parent_namespace: "shop".into(),
        initiated_event_id: 5,
        root,
    };
    Input::StartChild(Box::new(child))
}

fn child() -> Story {
    let mut story = Story::new();
    let _ = story.step("the parent starts order-7", begun_by_parent(|_| {}));
    story
}

fn begin(story: &mut Story) {
    let _ = story.step("the parent lets it begin", Input::BeginChild(as_parent()));
}

#[test]
fn waits_for_its_parent_and_reports_to_it() {
    let mut story = child();
    begin(&mut story);
    begin(&mut story);
    story.poll_workflow_task();
    story.complete(vec![complete_workflow("delivered")]);
    story.cross_calls();
    begin(&mut story);
    insta::assert_snapshot!(story.text());
}

#[test]
fn is_started_once_however_often_it_is_asked_for() {
    let mut story = child();
    let _ = story.step("the parent starts it again", begun_by_parent(|_| {}));
    begin(&mut story);
    story.poll_workflow_task();
    story.pass_seconds(5);
    story.complete(vec![continue_as_new("2 books", |_| {})]);
    story.cross_calls();
    let _ = story.step("and again, of the first run", begun_by_parent(|_| {}));
    story.poll_workflow_task();
    story.complete(vec![complete_workflow("delivered")]);
    let _ = story.step("and again, when it is over", begun_by_parent(|_| {}));
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}

#[test]
fn is_refused_where_its_id_is_taken() {
    let mut story = polled();
    let _ = story.step("a parent wants order-7 as its child", begun_by_parent(|_| {}));
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_signal_lets_it_begin() {
    let mut story = child();
    let input = Input::SignalByWorkflow(outsider(false), Box::new(signal("hurry", "outsider-run:9")));
    let _ = story.step("another run signals it", input.clone());
    begin(&mut story);
    let _ = story.step("another run signals it again", input);
    insta::assert_snapshot!(story.text());
}

#[test]
fn outsiders_may_not_act_as_its_parent() {
    let mut story = child();
    let hurry = || Box::new(signal("hurry", "outsider-run:9"));
    let _ = story.step("an outsider signals his child", Input::SignalByWorkflow(outsider(true), hurry()));
    let ended = Input::TerminateByWorkflow(outsider(true), Box::new(terminate("by parent close policy")));
    let _ = story.step("an outsider's close policy ends his child", ended);
    let input = Input::RequestCancelByWorkflow(outsider(true), Box::new(cancel("outsider-run:9")));
    let _ = story.step("an outsider cancels his child", input);
    let _ = story.step("an outsider lets it begin", Input::BeginChild(outsider(true)));
    let _ = story.step("the parent signals its child", Input::SignalByWorkflow(as_parent(), hurry()));
    insta::assert_snapshot!(story.text());
}

#[test]
fn is_ended_by_its_parents_close_policy() {
    let mut story = child();
    begin(&mut story);
    let ended = Input::TerminateByWorkflow(as_parent(), Box::new(terminate("by parent close policy")));
    let _ = story.step("the parent has closed", ended.clone());
    let _ = story.step("the parent has closed, again", ended);
    story.cross_calls();
    let mut other = child();
    let cancelled = Input::RequestCancelByWorkflow(as_parent(), Box::new(cancel("basket-run:5")));
    let _ = other.step("the parent has closed and wants it cancelled", cancelled.clone());
    let _ = other.step("the same again", cancelled);
    insta::assert_snapshot!(format!("{}\n=====\n{}", story.text(), other.text()));
}

#[test]
fn only_the_last_of_its_runs_reports() {
    let mut story = Story::new();
    let retried = |request: &mut api::StartWorkflowExecutionRequest| {
        let (initial_interval, maximum_interval) = (seconds(1), seconds(10));
        request.retry_policy = Some(RetryPolicy {
            initial_interval,
            backoff_coefficient: 2.0,
            maximum_interval,
            maximum_attempts: 2,
            ..Default::default()
        });
    };
    let _ = story.step("the parent starts order-7", begun_by_parent(retried));
    begin(&mut story);
    story.poll_workflow_task();
    story.pass_seconds(5);
    story.complete(vec![fail_workflow(application_failure("lost", "Lost"))]);
    story.cross_calls();
    story.pass_seconds(5);
    story.poll_workflow_task();
    story.complete(vec![fail_workflow(application_failure("lost again", "Lost"))]);
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}

#[test]
fn times_out_before_it_may_begin() {
    let mut story = Story::new();
    let short = |request: &mut api::StartWorkflowExecutionRequest| request.workflow_run_timeout = seconds(3);
    let _ = story.step("the parent starts order-7", begun_by_parent(short));
    story.pass_seconds(3);
    begin(&mut story);
    story.cross_calls();
    insta::assert_snapshot!(story.text());
}
