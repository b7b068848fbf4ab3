//! Too much of something.
use crate::prelude::*;

#[test]
fn an_oversized_input_terminates_the_run() {
    let mut story = polled();
    story.shard.limits.blob_bytes_max = 100;
    story.signal("amend", "signal-1");
    story.complete(vec![schedule_activity("charge", |activity| activity.input = payloads(&"x".repeat(200)))]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_history_that_is_too_long_ends() {
    let mut story = polled();
    story.shard.limits.history_events_suggest_continue_as_new = 6;
    story.shard.limits.history_events_max = 8;
    story.complete(vec![marker("first")]);
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.complete(vec![marker("second"), marker("third")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_history_that_is_too_large_ends() {
    let mut story = polled();
    story.shard.limits.history_bytes_suggest_continue_as_new = 1;
    story.complete(vec![marker("first")]);
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.shard.limits.history_bytes_max = 1;
    story.complete(vec![marker("second")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_state_that_is_too_large_ends_its_run() {
    let mut story = with_activity(|_| {});
    story.poll_activity("charge");
    story.heartbeat("charge", "page 1");
    story.signal("amend", "signal-1");
    story.shard.limits.mutable_state_bytes_max = story.shard.runs[0].state.approximate_bytes() + 8;
    story.heartbeat("charge", "page 10");
    story.heartbeat("charge", "pages 10 to 17, and then the index");
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_run_that_closes_is_not_judged() {
    let mut story = polled();
    story.shard.limits.history_events_max = 4;
    story.shard.limits.history_bytes_max = 1;
    story.complete(vec![complete_workflow("done")]);
    assert_eq!(story.shard.runs[0].state.status(), WorkflowExecutionStatus::Completed);
}

#[test]
fn news_is_counted_once_it_is_written() {
    let mut story = Story::new();
    story.start();
    story.shard.limits.history_events_max = 2;
    story.signal("amend", "signal-1");
    story.signal("amend", "signal-2");
    insta::assert_snapshot!(story.text());
}

#[test]
fn commands_of_too_many_bytes_terminate_the_run() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.shard.limits.transaction_bytes_max = 100;
    story.complete(vec![marker("first"), marker("second")]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_successor_of_too_many_bytes_terminates_its_predecessor() {
    let mut story = polled();
    story.shard.limits.transaction_bytes_max = 190;
    story.complete(vec![continue_as_new("2 books", |command| command.input = payloads(&"x".repeat(100)))]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn requests_of_too_many_bytes_are_refused() {
    let mut story = Story::new();
    story.shard.limits.transaction_bytes_max = 100;
    story.start();
    story.shard.limits = Limits::default();
    story.start();
    story.shard.limits.transaction_bytes_max = 50;
    story.signal("amend", "signal-1");
    insta::assert_snapshot!(story.text());
}

#[test]
fn what_the_server_does_in_too_many_bytes_terminates_the_run() {
    let mut story = polled();
    story.complete(vec![start_timer("wait", 20)]);
    story.shard.limits.transaction_bytes_max = 10;
    story.pass_seconds(20);
    insta::assert_snapshot!(story.text());
}

#[test]
fn buffered_events_take_only_so_much_room() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.shard.limits.buffered_bytes_max = 1;
    story.signal("amend", "signal-2");
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_run_takes_only_so_many_signals() {
    let mut story = polled();
    story.shard.limits.signals_max = 1;
    story.signal("amend", "signal-1");
    story.signal("amend", "signal-2");
    story.complete(vec![]);
    story.signal("amend", "signal-2");
    insta::assert_snapshot!(story.text());
}
