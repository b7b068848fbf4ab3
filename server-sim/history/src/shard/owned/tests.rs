//! The machine's delicate rules, without a runtime: events in, effects out.
mod driven;
mod later;

use super::super::late_duplicates::DUPLICATE_LATE_MAX;
use super::*;
use driven::{Driven, RANGE, is_unknown, target, terminate};
use tempest_api::{Refused, ServiceError};
use tempest_store::{CommitOutcome, StoreError};

const NEXT: RangeId = RangeId(RANGE.0 + 1);

#[test]
fn a_caller_hears_nothing_before_its_commit_is_durable() {
    let mut shard = Driven::new();
    let mut caller = shard.start("order");
    assert_eq!((shard.loads(), shard.commits()), (vec!["order"], vec![]));
    shard.found_nothing("order");
    assert_eq!(shard.commits(), [1]);
    assert!(caller.hears_nothing());
    shard.committed();
    assert!(matches!(caller.heard(), Ok(decided) if decided.run.workflow_id.as_str() == "order"));
    assert_eq!(shard.sent(), ["order"], "the workflow task is durable, and goes to matching");
}

#[test]
fn commits_leave_in_the_order_of_decisions() {
    let mut shard = Driven::new();
    let _callers = [shard.start("a"), shard.start("b"), shard.start("c")];
    ["b", "c", "a"].into_iter().for_each(|workflow| shard.found_nothing(workflow));
    assert_eq!(shard.commits(), [1, 2, 3]);
    assert_eq!(shard.committed_runs(), ["b", "c", "a"]);
}

#[test]
fn a_read_waits_for_what_it_rests_on_and_for_proof() {
    let mut shard = Driven::new();
    let _caller = shard.start("order");
    shard.found_nothing("order");
    let mut reader = shard.describe("order");
    assert!(shard.is_being_proven());
    shard.proven(RANGE);
    assert!(reader.hears_nothing(), "what it has read is staged");
    shard.committed();
    assert!(reader.heard().is_ok());
    let mut reader = shard.describe("order");
    assert!(reader.hears_nothing(), "what it has read is durable; whether the shard is still owned is open");
    shard.proven(RANGE);
    assert!(reader.heard().is_ok());
}

#[test]
fn an_owner_that_is_superseded_while_it_writes_does_not_say_that_nothing_was_done() {
    let mut shard = Driven::new();
    let mut caller = shard.start("order");
    shard.found_nothing("order");
    let mut reader = shard.describe("order");
    shard.proven(NEXT);
    assert!(matches!(shard.exit(), Some(Exit::Superseded { current: NEXT })));
    shard.dissolve();
    assert!(is_unknown(&caller.heard().map_err(|refused| refused.error)));
    assert!(matches!(reader.heard(), Err(ServiceError::ShardOwnershipLost { .. })), "a read has done nothing");
}

#[test]
fn a_commit_that_the_fence_refuses_was_not_done() {
    let mut shard = Driven::new();
    let mut caller = shard.start("order");
    shard.found_nothing("order");
    shard.happens(Event::CommitEnded(CommitOutcome::OwnershipLost { current: NEXT }));
    assert!(matches!(shard.exit(), Some(Exit::OwnershipLost { current: NEXT })));
    shard.dissolve();
    assert!(matches!(caller.heard(), Err(Refused { error: ServiceError::ShardOwnershipLost { .. }, .. })));
}

#[test]
fn an_unknown_outcome_ends_the_lease_and_what_is_staged_behind_it_is_void() {
    let mut shard = Driven::new();
    let mut callers = [shard.start("a"), shard.start("b")];
    ["a", "b"].into_iter().for_each(|workflow| shard.found_nothing(workflow));
    let mut reader = shard.describe("b");
    let _waiting = shard.start("c");
    shard.clear();
    shard.happens(Event::CommitEnded(CommitOutcome::OutcomeUnknown("the connection broke".into())));
    assert!(matches!(shard.exit(), Some(Exit::Failed(ServiceError::OutcomeUnknown(_)))));
    assert!(shard.did_nothing(), "nothing is begun for a lease that is over");
    let undecided = shard.dissolve();
    for caller in &mut callers {
        assert!(is_unknown(&caller.heard().map_err(|refused| refused.error)));
    }
    assert!(matches!(reader.heard(), Err(ServiceError::Unavailable(_))), "it has done nothing, and may ask again");
    assert_eq!(undecided, [target("c")], "what was not decided is for the next lease");
}

#[test]
fn one_who_leaves_lets_what_it_began_end() {
    let mut shard = Driven::new();
    let mut caller = shard.start("order");
    shard.found_nothing("order");
    shard.happens(Event::Leave(Exit::HandedOver));
    assert!(shard.exit().is_none() && !shard.accepts());
    shard.committed();
    assert!(caller.heard().is_ok());
    assert!(matches!(shard.exit(), Some(Exit::HandedOver)));
}

#[test]
fn a_late_duplicate_of_what_was_refused_does_nothing() {
    let mut shard = Driven::new();
    shard.pass(DUPLICATE_LATE_MAX);
    let mut first = shard.signal_by_workflow("order", 5);
    shard.found_nothing("order");
    assert!(first.hears_nothing(), "a refusal waits for proof too");
    shard.proven(RANGE);
    assert!(first.was_refused());
    let _caller = shard.start("order");
    shard.committed();
    shard.clear();
    let mut duplicate = shard.signal_by_workflow("order", 5);
    assert_eq!(shard.commits(), [0; 0], "there is such a run now, but its sender has recorded the refusal");
    shard.proven(RANGE);
    assert!(duplicate.was_refused());
    let mut another = shard.signal_by_workflow("order", 9);
    assert_eq!(shard.commits(), [2]);
    shard.committed();
    assert!(another.heard().is_ok());
}

#[test]
fn the_next_lease_knows_what_was_told_and_nothing_else() {
    let mut shard = Driven::new();
    shard.pass(DUPLICATE_LATE_MAX);
    let (mut told, mut untold) = (shard.signal_by_workflow("a", 5), shard.signal_by_workflow("b", 5));
    shard.found_nothing("a");
    shard.proven(RANGE);
    shard.found_nothing("b");
    assert!(told.was_refused() && untold.hears_nothing());
    let mut next = shard.next_lease();
    assert!(matches!(untold.heard(), Err(Refused { error: ServiceError::Unavailable(_), .. })));
    for workflow in ["a", "b"] {
        let _caller = next.start(workflow);
        next.found_nothing(workflow);
        next.committed();
    }
    next.clear();
    let _duplicates = [next.signal_by_workflow("a", 5), next.signal_by_workflow("b", 5)];
    assert_eq!(next.committed_runs(), ["b"]);
}

#[test]
fn a_new_owner_performs_a_call_only_if_its_sender_waits_for_it() {
    let mut shard = Driven::new();
    let _caller = shard.start("order");
    shard.found_nothing("order");
    shard.committed();
    shard.clear();
    let (mut waited_for, mut late) = (shard.signal_by_workflow("order", 5), shard.signal_by_workflow("order", 6));
    assert_eq!((shard.questions(), shard.commits()), (vec![0, 1], vec![]));
    shard.happens(Event::SenderAsked(1, Ok(false)));
    assert!(matches!(late.heard(), Err(Refused { error: ServiceError::Unavailable(_), ask: Some(_) })));
    shard.happens(Event::SenderAsked(0, Ok(true)));
    assert_eq!(shard.commits(), [2]);
    shard.committed();
    assert!(waited_for.heard().is_ok());
}

#[test]
fn only_so_many_senders_are_asked_at_one_time() {
    let mut shard = Driven::with(|config| config.requests_waiting_max = 2);
    let mut calls = [5, 6, 7].map(|event| shard.signal_by_workflow("order", event));
    shard.found_nothing("order");
    assert_eq!(shard.questions(), [0, 1]);
    assert!(matches!(calls[2].heard(), Err(Refused { error: ServiceError::Unavailable(_), .. })));
}

#[test]
fn a_call_to_another_run_waits_for_what_it_follows_from_and_for_proof() {
    let mut shard = Driven::new();
    shard.pass(DUPLICATE_LATE_MAX);
    let _parent = shard.start_child("child");
    shard.found_nothing("child");
    shard.committed();
    let _caller = shard.ask("child", terminate("child"));
    shard.clear();
    shard.committed();
    assert!(shard.is_being_proven() && shard.calls().is_empty());
    shard.proof_ends(Err(ServiceError::Unavailable("the store is down".into())));
    assert!(shard.calls().is_empty());
    let pause = shard.pauses().remove(0);
    shard.pass(pause);
    shard.proven(RANGE);
    assert_eq!(shard.calls(), [false], "the parent hears of it, and no duplicate can be on its way");
}

#[test]
fn a_shard_that_drains_makes_no_call_again() {
    let mut shard = Driven::new();
    shard.pass(DUPLICATE_LATE_MAX);
    let _parent = shard.start_child("child");
    shard.found_nothing("child");
    shard.committed();
    let _caller = shard.ask("child", terminate("child"));
    shard.committed();
    shard.proof_ends(Err(ServiceError::Unavailable("the store is down".into())));
    let pause = shard.pauses().remove(0);
    let _other = shard.start("other");
    shard.found_nothing("other");
    shard.happens(Event::Leave(Exit::HandedOver));
    shard.pass(pause);
    assert!(!shard.is_being_proven(), "the next owner finds the task in the store");
    shard.committed();
    assert!(matches!(shard.exit(), Some(Exit::HandedOver)));
}

#[test]
fn damage_turns_back_only_the_request_that_asked_for_what_is_damaged() {
    let mut shard = Driven::new();
    let (mut first, mut second) = (shard.start("order"), shard.start("order"));
    let failed = |error| Event::Loaded(target("order").workflow, Err(error));
    shard.happens(failed(StoreError::Corrupt("a bit".into())));
    shard.proven(RANGE);
    assert!(matches!(first.heard(), Err(Refused { error: ServiceError::DataLoss(_), .. })));
    assert!(second.hears_nothing());
    shard.happens(failed(StoreError::Unavailable("the store is down".into())));
    assert!(matches!(second.heard(), Err(Refused { error: ServiceError::Unavailable(_), .. })));
}

#[test]
fn a_shard_that_is_lost_calls_nothing_damaged() {
    let mut shard = Driven::new();
    let mut reader = shard.describe("order");
    let half = StoreError::Corrupt("the current run is missing".into());
    shard.happens(Event::Loaded(target("order").workflow, Err(half)));
    assert!(reader.hears_nothing(), "it may have been read around a failover");
    shard.proven(RangeId(0));
    shard.dissolve();
    assert!(matches!(reader.heard(), Err(ServiceError::ShardOwnershipLost { .. })));
}

#[test]
fn reads_in_flight_are_bounded_by_the_requests_that_wait_for_them() {
    let mut shard = Driven::with(|config| config.requests_waiting_max = 2);
    let _first = shard.start("a");
    assert!(shard.accepts());
    let _second = shard.start("a");
    assert_eq!(shard.loads(), ["a"], "one read at a time for a workflow");
    assert!(!shard.accepts());
    shard.found_nothing("a");
    assert_eq!(shard.commits(), [1]);
    assert!(shard.accepts(), "one waits for its commit, its repeat for proof");
}

#[test]
fn what_is_staged_stays_in_memory_and_what_is_durable_makes_room() {
    let mut shard = Driven::with(|config| config.executions_cached_max = 1);
    let _callers = [shard.start("a"), shard.start("b")];
    ["a", "b"].into_iter().for_each(|workflow| shard.found_nothing(workflow));
    shard.clear();
    let _reader = shard.describe("a");
    assert_eq!(shard.loads(), Vec::<String>::new(), "the store does not know it yet");
    let _reader = shard.describe("b");
    shard.committed();
    assert_eq!(shard.loads(), ["a"], "it has made room, and is read again for the task that is to be sent");
    let _reader = shard.describe("b");
    assert_eq!(shard.loads(), ["a"], "the store does not know the other yet");
}

#[test]
fn a_timer_fires_when_the_time_that_is_passed_in_has_come() {
    let mut shard = Driven::new();
    let _caller = shard.start_for("order", Duration::from_secs(10));
    shard.found_nothing("order");
    shard.committed();
    shard.clear();
    shard.pass(Duration::from_secs(9));
    shard.happens(Event::Alarm);
    assert_eq!(shard.commits(), [0; 0]);
    assert!(shard.wakes_within(Duration::from_secs(1)));
    shard.pass(Duration::from_secs(1));
    shard.happens(Event::Alarm);
    assert_eq!(shard.commits(), [2], "the run has timed out");
}
