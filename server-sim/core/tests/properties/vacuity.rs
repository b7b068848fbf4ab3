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
    "activity_deadline_moved",
    "activity_retried",
    "activity_retried_after_timeout",
    "activity_start_fabricated",
    "activity_start_repeated",
    "buffer_limit_reached",
    "buffer_with_many_events",
    "child_closed_before_started",
    "existing_run_terminated",
    "fired_timer_cancelled_in_buffer",
    "first_workflow_task_delayed",
    "history_limit_reached",
    "many_timers_fired_at_once",
    "signal_repeated",
    "start_repeated",
    "sticky_cleared_by_failure",
    "sticky_queue_timed_out",
    "sticky_task_taken_from_normal_queue",
    "terminated_for_oversized_command",
    "transient_workflow_task",
    "transient_workflow_task_became_normal",
    "unhandled_command",
    "workflow_retried",
    "workflow_retried_after_timeout",
    "workflow_task_failed_for_bad_command",
    "workflow_task_heartbeats_timed_out",
    "workflow_task_start_repeated",
    "workflow_task_timed_out",
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
