//! User timers.
use crate::prelude::*;
use temporalio_protos::temporal::api::history::v1::HistoryEvent;

#[test]
fn they_fire_when_they_are_due() {
    let mut story = polled();
    story.complete(vec![start_timer("late", 20), start_timer("early", 10), start_timer("now", 0)]);
    story.pass_seconds(30);
    story.poll_workflow_task();
    story.complete(vec![]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn one_is_cancelled_and_its_task_finds_nothing() {
    let mut story = polled();
    story.complete(vec![start_timer("wait", 20)]);
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.complete(vec![cancel_timer("wait"), start_timer("wait", 40)]);
    story.pass_seconds(40);
    insta::assert_snapshot!(story.text());
}

#[test]
fn one_fires_while_a_worker_decides() {
    let mut story = polled();
    story.complete(vec![start_timer("wait", 5)]);
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.pass_seconds(5);
    story.complete(vec![]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn the_clock_jumped_over_several() {
    let mut story = polled();
    story.complete(vec![start_timer("second", 2), start_timer("first", 1)]);
    story.shard.now = story.shard.now.plus(Duration::from_secs(60));
    story.pass_seconds(0);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_run_may_wait_for_any_number_of_timers() {
    let mut story = polled();
    story.complete((0..2001).map(|number| start_timer(&format!("timer-{number}"), 60)).collect());
    let started = |event: &&HistoryEvent| event.event_type() == EventType::TimerStarted;
    assert_eq!(story.shard.runs[0].history.iter().filter(started).count(), 2001);
}
