//! Answers that come too late, twice, or from the wrong attempt.
use crate::prelude::*;

#[test]
fn an_attempt_that_timed_out_cannot_complete() {
    let mut story = with_activity(|_| {});
    story.poll_activity("charge");
    let stale = story.activities["charge"].clone();
    story.pass_seconds(10);
    let stale_ref = || ActivityRef::Token(stale.clone());
    story.complete_activity_as("the first attempt completes while nobody runs", stale_ref(), "receipt 1");
    story.pass_seconds(1);
    story.poll_activity("charge");
    story.complete_activity_as("the first attempt completes", stale_ref(), "receipt 1");
    story.fail_activity_as("the first attempt fails", stale_ref(), application_failure("late", "Late"));
    let request = api::RecordActivityTaskHeartbeatRequest::default();
    let _ = story.step("the first attempt heartbeats", Input::HeartbeatActivity(stale_ref(), Box::new(request)));
    story.complete_activity("charge", "receipt 2");
    story.complete_activity("charge", "receipt 2");
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_workflow_task_is_completed_once() {
    let mut story = polled();
    story.complete(vec![start_timer("wait", 60)]);
    story.complete(vec![start_timer("wait", 60)]);
    story.fail_workflow_task("confused");
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_token_with_one_thing_wrong() {
    let mut story = polled();
    let good = story.workflow_task.clone();
    for (title, bad) in [
        ("attempt", WorkflowTaskToken { attempt: 2, ..good.clone() }),
        ("started event", WorkflowTaskToken { started_event_id: 4, ..good.clone() }),
        ("scheduled event", WorkflowTaskToken { scheduled_event_id: 1, ..good.clone() }),
        ("started time", WorkflowTaskToken { started_time: Time(1), ..good.clone() }),
    ] {
        let request = api::RespondWorkflowTaskCompletedRequest::default();
        let _ = story.step(
            &format!("a worker completes with another {title}"),
            Input::CompleteWorkflowTask(bad, Box::new(request)),
        );
    }
    story.complete(vec![complete_workflow("shipped")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn matching_asks_twice() {
    let mut story = Story::new();
    story.start();
    let asked = story.due_workflow_task("dispatch-1");
    let other = RecordWorkflowTaskStarted { request_id: "dispatch-2".into(), ..asked.clone() };
    let stale = RecordWorkflowTaskStarted { scheduled_event_id: 9, ..asked.clone() };
    let _ = story.step("matching hands over", Input::RecordWorkflowTaskStarted(asked.clone()));
    let _ = story.step("matching asks again", Input::RecordWorkflowTaskStarted(asked));
    let _ = story.step("another poll comes second", Input::RecordWorkflowTaskStarted(other));
    let _ = story.step("matching offers an old task", Input::RecordWorkflowTaskStarted(stale));
    insta::assert_snapshot!(story.text());
}

#[test]
fn matching_asks_twice_for_an_activity() {
    let mut story = with_activity(|_| {});
    let asked = RecordActivityTaskStarted {
        scheduled_event_id: story.scheduled_event_id("charge"),
        attempt: 1,
        request_id: "dispatch-1".into(),
        identity: "worker".into(),
    };
    let other = RecordActivityTaskStarted { request_id: "dispatch-2".into(), ..asked.clone() };
    let stale = RecordActivityTaskStarted { attempt: 2, ..asked.clone() };
    let _ = story.step("matching hands over", Input::RecordActivityTaskStarted(asked.clone()));
    let _ = story.step("matching asks again", Input::RecordActivityTaskStarted(asked));
    let _ = story.step("another poll comes second", Input::RecordActivityTaskStarted(other));
    let _ = story.step("matching offers another attempt", Input::RecordActivityTaskStarted(stale));
    insta::assert_snapshot!(story.text());
}
