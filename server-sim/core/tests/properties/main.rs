//! What holds for every life a run can have.
//!
//! An [`interpreter`] turns arbitrary operations into whatever inputs the state allows (and some that it does not: stale
//! tokens, repeated requests, timers fired twice). The miniature shard checks each state it comes to; [`oracle`] judges
//! histories and owed tasks from the outside, with none of the crate's own rules.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod interpreter;
mod oracle;
#[cfg(feature = "chaos")]
mod planted;
#[path = "../shard/mod.rs"]
mod shard;
mod stored_names;
mod vacuity;

use interpreter::{Life, operations};
use proptest::prelude::*;

/// Operations of one life. Long enough for several workflow tasks, retries and a successor.
const OPERATIONS_MAX: usize = 120;

/// Lives a life to its end and judges it.
fn live(operations: &[interpreter::Operation], planted: &[&str]) -> Life {
    let mut life = Life::new(planted);
    for operation in operations {
        life.perform(operation);
        oracle::tasks_cover_state(&life.shard);
    }
    life.drain();
    for run in &life.shard.runs {
        oracle::history_is_well_formed(&run.history);
    }
    oracle::signals_are_there_once_in_order(&life);
    life
}

/// `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if asked { config } else { ProptestConfig { cases: 200, ..config } }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_life_keeps_the_rules(operations in operations(OPERATIONS_MAX)) {
        live(&operations, &[]);
    }
}
