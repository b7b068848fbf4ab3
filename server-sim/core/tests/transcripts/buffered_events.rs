//! Events that arrive while a worker decides come after what it decides.
use crate::prelude::*;

#[test]
fn signals_wait_for_the_workflow_task() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.signal("amend", "signal-2");
    story.complete(vec![start_timer("wait", 60)]);
    story.poll_workflow_task();
    insta::assert_snapshot!(story.text());
}

#[test]
fn closing_events_of_activities_move_to_the_end() {
    let mut story = polled();
    story.complete(vec![
        schedule_activity("charge", |_| {}),
        schedule_activity("reserve", |_| {}),
        start_timer("wait", 2),
    ]);
    story.poll_activity("charge");
    story.poll_activity("reserve");
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.complete_activity("charge", "receipt 1");
    story.signal("amend", "signal-2");
    story.complete_activity("reserve", "3 books");
    story.pass_seconds(2);
    story.cancel();
    story.complete(vec![]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_repeated_signal_changes_nothing() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.signal("amend", "signal-1");
    story.complete(vec![]);
    story.signal("amend", "signal-1");
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_failed_workflow_task_lets_them_out() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.fail_workflow_task("panic");
    insta::assert_snapshot!(story.text());
}

#[test]
fn too_many_of_them_fail_the_workflow_task() {
    let mut story = Story::new();
    story.shard.limits.buffered_events_max = 2;
    story.start();
    story.poll_workflow_task();
    for n in 1..=3 {
        story.signal("amend", &format!("signal-{n}"));
    }
    insta::assert_snapshot!(story.text());
}
