//! Every planted bug of this crate is found by the properties.
use crate::{OPERATIONS_MAX, interpreter::operations, live};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use tempest_core::planted::PLANTED;

/// Lives that are tried before a planted bug counts as missed.
const LIVES_MAX: u32 = 1000;

#[test]
fn each_is_found() {
    let missed: Vec<_> = PLANTED.iter().map(|bug| bug.name).filter(|name| !is_found(name)).collect();
    assert!(missed.is_empty(), "not found in {LIVES_MAX} lives: {missed:?}");
}

fn is_found(planted: &str) -> bool {
    let config = Config { cases: LIVES_MAX, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner.run(&operations(OPERATIONS_MAX), |operations| {
        live(&operations, &[planted]);
        Ok(())
    });
    matches!(result, Err(TestError::Fail(..)))
}
