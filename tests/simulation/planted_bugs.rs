//! Every planted bug is found in the storm, within ten times the median number of seeds that it takes and more.
use crate::{last_line, stdout, tempest};
use serde_json::Value;

/// Seeds tried for a bug before the harness is called blind. Measured medians are 1 to 4.
const SEEDS_MAX: u64 = 40;

/// Runs seeds until one of them finds the bug; which invariants were violated then.
fn found_by(plant: &str) -> Vec<String> {
    for seed in 1..=SEEDS_MAX {
        let output = tempest(&["run", "order-saga", "--seed", &seed.to_string(), "--plant", plant, "--json"]);
        match output.status.code() {
            Some(0) => {}
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
    answering_from_staged_state: "answer-from-staged";
}
