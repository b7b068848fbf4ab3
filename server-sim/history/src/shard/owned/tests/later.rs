//! Inputs that a later input of their run answers.
use super::super::super::events::Event;
use super::driven::{Driven, Told, is_unknown};
use super::*;
use crate::shard::request::Decided;
use tempest_api::{Refused, ResourceExhaustedCause, Target};
use tempest_core::{AnswerKey, Input, Reply, Transition};
use tempest_store::CommitOutcome;

type Caller = Told<Decided, Refused<(Target, Input)>>;

fn key(name: &str) -> AnswerKey {
    AnswerKey(name.into())
}

/// A shard with an open run.
fn with_run(change: impl FnOnce(&mut crate::HistoryConfig)) -> Driven {
    let mut shard = Driven::with(change);
    let _caller = shard.start("order");
    shard.found_nothing("order");
    shard.committed();
    shard.clear();
    shard
}

fn answered_later(shard: &mut Driven, name: &str) -> Caller {
    shard.signal_with("order", |transition: &mut Transition| transition.reply = Reply::Later(key(name)))
}

fn answers(shard: &mut Driven, name: &str) -> Caller {
    let answer = (key(name), Ok(Reply::Heartbeat { cancel_requested: true }));
    shard.signal_with("order", |transition: &mut Transition| transition.answers.push(answer))
}

fn is_the_answer(caller: &mut Caller) -> bool {
    matches!(caller.heard(), Ok(Decided { reply: Reply::Heartbeat { cancel_requested: true }, .. }))
}

fn finds_no_room(caller: &mut Caller, expected: ResourceExhaustedCause) -> bool {
    matches!(caller.heard(), Err(Refused { error: ServiceError::ResourceExhausted { cause, .. }, .. }) if cause == expected)
}

#[test]
fn a_caller_is_answered_when_the_commit_of_the_later_input_is_durable() {
    let mut shard = with_run(|_| {});
    let (mut first, mut repeat, mut other) =
        (answered_later(&mut shard, "a"), answered_later(&mut shard, "a"), answered_later(&mut shard, "b"));
    assert_eq!(shard.commits(), [2, 3, 4], "each was decided and is written");
    (0..3).for_each(|_| shard.committed());
    let mut later = answers(&mut shard, "a");
    assert!(first.hears_nothing() && repeat.hears_nothing(), "the answer is staged");
    shard.committed();
    assert!(is_the_answer(&mut first) && is_the_answer(&mut repeat));
    assert!(matches!(later.heard(), Ok(Decided { reply: Reply::None, .. })));
    assert!(other.hears_nothing(), "it waits for another answer");
}

#[test]
fn an_answer_whose_commit_is_lost_is_not_told() {
    let mut shard = with_run(|_| {});
    let mut first = answered_later(&mut shard, "a");
    shard.committed();
    let mut later = answers(&mut shard, "a");
    shard.happens(Event::CommitEnded(CommitOutcome::OutcomeUnknown("the connection broke".into())));
    shard.dissolve();
    for caller in [&mut first, &mut later] {
        assert!(is_unknown(&caller.heard().map_err(|refused| refused.error)));
    }
}

#[test]
fn a_run_whose_callers_wait_takes_no_more_of_them() {
    let mut shard = with_run(|config| config.answers_awaited_per_run_max = 1);
    let first = answered_later(&mut shard, "a");
    shard.committed();
    shard.clear();
    let mut second = answered_later(&mut shard, "b");
    assert_eq!(shard.commits(), [0; 0], "what it asked for was not done");
    shard.proven(RANGE);
    assert!(finds_no_room(&mut second, ResourceExhaustedCause::ConcurrentLimit));
    drop(first);
    let mut third = answered_later(&mut shard, "c");
    assert_eq!(shard.commits(), [3]);
    shard.committed();
    let _later = answers(&mut shard, "c");
    shard.committed();
    assert!(is_the_answer(&mut third));
}

#[test]
fn a_shard_whose_callers_wait_takes_no_more_of_them() {
    let mut shard = with_run(|config| {
        config.history_waiters_max = 1;
        config.answers_awaited_per_run_max = 1;
    });
    let _other = shard.start("other");
    shard.found_nothing("other");
    shard.committed();
    let mut first = answered_later(&mut shard, "a");
    let waits = |transition: &mut Transition| transition.reply = Reply::Later(key("a"));
    let mut second = shard.signal_with("other", waits);
    shard.proven(RANGE);
    assert!(finds_no_room(&mut second, ResourceExhaustedCause::SystemOverloaded));
    shard.committed();
    let _later = answers(&mut shard, "a");
    let _third = shard.signal_with("other", waits);
    assert_eq!(shard.commits().len(), 4, "one that is answered makes room at once");
    shard.committed();
    assert!(is_the_answer(&mut first));
}

#[test]
fn a_shard_that_is_lost_leaves_its_callers_without_a_known_outcome() {
    let mut shard = with_run(|_| {});
    let mut waits = answered_later(&mut shard, "a");
    shard.committed();
    let mut staged = answered_later(&mut shard, "b");
    shard.happens(Event::CommitEnded(CommitOutcome::OwnershipLost { current: NEXT }));
    assert!(shard.dissolve().is_empty(), "none of them is carried into the next ownership");
    for caller in [&mut waits, &mut staged] {
        assert!(is_unknown(&caller.heard().map_err(|refused| refused.error)));
    }
}
