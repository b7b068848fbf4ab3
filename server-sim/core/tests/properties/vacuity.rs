//! The properties are worth something only if the lives reach what is rare.
use crate::{OPERATIONS_MAX, interpreter::operations, live};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::collections::BTreeSet;

/// Lives within which each rare path must be taken. More than needed today: a change of the rules shifts the draws.
const LIVES_MAX: u32 = 1000;

/// What decisions report as probes. A refused input reports none, so its paths are not here.
const RARE: &[&str] = &[
    "activity-deadline-moved",
    "activity-retried",
    "activity-retried-after-timeout",
    "activity-start-fabricated",
    "activity-start-repeated",
    "buffer-limit-reached",
    "buffer-with-many-events",
    "child-closed-before-started",
    "existing-run-terminated",
    "fired-timer-cancelled-in-buffer",
    "first-workflow-task-delayed",
    "history-limit-reached",
    "many-timers-fired-at-once",
    "signal-repeated",
    "start-repeated",
    "sticky-cleared-by-failure",
    "sticky-queue-timed-out",
    "sticky-task-taken-from-normal-queue",
    "terminated-for-oversized-command",
    "transient-workflow-task",
    "transient-workflow-task-became-normal",
    "unhandled-command",
    "workflow-retried",
    "workflow-retried-after-timeout",
    "workflow-task-failed-for-bad-command",
    "workflow-task-heartbeats-timed-out",
    "workflow-task-start-repeated",
    "workflow-task-timed-out",
];

#[test]
fn rare_paths_are_taken() {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = operations(OPERATIONS_MAX);
    let mut missing: BTreeSet<_> = RARE.iter().copied().collect();
    for _ in 0..LIVES_MAX {
        let operations = strategy.new_tree(&mut runner).unwrap().current();
        for probe in live(&operations, &[]).probes {
            missing.remove(probe);
        }
        if missing.is_empty() {
            return;
        }
    }
    panic!("in {LIVES_MAX} lives never seen: {missing:?}");
}
