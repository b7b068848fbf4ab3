//! A store keeps a run's state and its parts by the names of their fields: one that changes is one that a later build does
//! not find, and takes for absent where it has a default.
use crate::OPERATIONS_MAX;
use crate::interpreter::{Life, operations};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::Value;
use std::collections::BTreeSet;
use tempest_core::MutableState;

/// Enough for each field to have had a value.
const LIVES: u32 = 100;

#[test]
fn the_names_of_what_is_stored_stay() {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = operations(OPERATIONS_MAX);
    let mut names = BTreeSet::new();
    for _ in 0..LIVES {
        let mut life = Life::new(&[]);
        for operation in strategy.new_tree(&mut runner).unwrap().current() {
            life.perform(&operation);
            for run in &life.shard.runs {
                names_of(&run.state, &mut names);
            }
        }
    }
    insta::assert_snapshot!(names.into_iter().collect::<Vec<_>>().join("\n"));
}

fn names_of(state: &MutableState, names: &mut BTreeSet<String>) {
    collect("state", &serde_json::to_value(state).unwrap(), names);
    for part in state.part_keys().filter_map(|key| state.part(key)) {
        collect("part", &serde_json::to_value(part).unwrap(), names);
    }
}

/// A message of Temporal's is a list of bytes, and has no names here.
fn collect(path: &str, value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                collect(&path, value, names);
                names.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(path, item, names)),
        _ => {}
    }
}
