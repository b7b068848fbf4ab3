//! Planted bugs are found in the storm, within ten times the median number of seeds that it takes. What the storm does not
//! find yet is found by the tests of its own crate: `answer-from-staged` and others in history's storm of two nodes.
use crate::{last_line, stdout, tempest};
use serde_json::Value;

/// Seeds tried for a bug before the harness is called blind. Measured medians are 1 to 10.
const SEEDS_MAX: u64 = 100;

/// Runs seeds until one of them finds the bug; which invariants were violated then.
fn found_by(plant: &str) -> Vec<String> {
    for seed in 1..=SEEDS_MAX {
        let output = tempest(&["run", "order-saga", "--seed", &seed.to_string(), "--plant", plant, "--json"]);
        match output.status.code() {
            Some(0) => {}
            Some(1) if !holds_without(seed) => {}
            Some(1) => {
                let report: Value = serde_json::from_str(&stdout(&output)).expect("one object");
                let violations = report["violations"].as_array().expect("a list");
                return violations.iter().map(|violation| invariant(violation).to_owned()).collect();
            }
            other => panic!("seed {seed} with {plant} ended with {other:?}: {}", last_line(&output)),
        }
    }
    panic!("{plant} was not found by {SEEDS_MAX} seeds");
}

/// A seed that fails by itself finds nothing.
fn holds_without(seed: u64) -> bool {
    tempest(&["run", "order-saga", "--seed", &seed.to_string()]).status.success()
}

fn invariant(violation: &Value) -> &str {
    violation["invariant"].as_str().or_else(|| violation.as_str()).expect("an invariant's name")
}

macro_rules! planted {
    ($($test:ident: $plant:literal;)*) => {
        $(
            #[test]
            fn $test() {
                let violated = found_by($plant);
                assert!(!violated.is_empty());
            }
        )*

        #[test]
        fn every_bug_has_a_test() {
            let tested = [$($plant),*];
            let list: Value = serde_json::from_str(&stdout(&tempest(&["plants", "--json"]))).expect("JSON");
            let known: Vec<&str> = list.as_array().unwrap().iter().map(|bug| bug["name"].as_str().unwrap()).collect();
            for plant in tested {
                assert!(known.contains(&plant), "{plant} is not among {known:?}");
            }
        }
    };
}

planted! {
    acknowledging_before_the_fsync: "ack-before-fsync";
    accepting_a_stale_completion: "accept-stale-activity-completion";
    losing_buffered_events: "lose-buffered-events";
    losing_timers_when_a_shard_is_reloaded: "timers-lost-on-reload";
    delivering_a_retried_signal_twice: "signal-retry-delivered-twice";
}
