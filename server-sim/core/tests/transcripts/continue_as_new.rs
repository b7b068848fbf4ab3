//! A run that goes on in a new one.
use crate::prelude::*;

#[test]
fn at_once() {
    let mut story = Story::new();
    story.start_with(|request| {
        request.workflow_execution_timeout = seconds(3600);
        request.workflow_run_timeout = seconds(600);
    });
    story.pass_seconds(30);
    story.poll_workflow_task();
    story.complete(vec![continue_as_new("2 books", |_| {})]);
    story.poll_workflow_task();
    story.pass_seconds(2);
    story.complete(vec![continue_as_new("1 book", |command| command.workflow_run_timeout = seconds(7200))]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_young_run_waits_a_second() {
    let mut story = polled();
    story.pass(Duration::from_millis(300));
    story.complete(vec![continue_as_new("2 books", |_| {})]);
    story.pass_seconds(1);
    story.poll_workflow_task();
    insta::assert_snapshot!(story.text());
}

#[test]
fn not_with_news_unseen() {
    let mut story = polled();
    story.signal("amend", "signal-1");
    story.complete(vec![continue_as_new("2 books", |_| {})]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_run_cancelled_before_its_time_makes_the_next_wait_for_it() {
    let mut story = Story::new();
    story.start_with(|request| request.workflow_start_delay = seconds(60));
    story.cancel();
    story.poll_workflow_task();
    story.complete(vec![continue_as_new("2 books", |_| {})]);
    insta::assert_snapshot!(story.text());
}
