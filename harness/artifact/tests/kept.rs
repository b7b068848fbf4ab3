//! What older harnesses have left is still read.
use std::path::Path;
use tempest_artifact::RunRequest;

/// A regression is the request of a run beside its lesson.
#[test]
fn every_regression_that_is_kept_can_be_read() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/catalog/regression");
    let mut read = 0;
    for entry in std::fs::read_dir(&directory).expect("the catalog is there") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        let request: RunRequest = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let plan = request.plan.expect("a regression has its plan");
        assert!(plan.0.iter().all(|planned| !planned.fault.named_hosts().is_empty()), "{}", path.display());
        read += 1;
    }
    assert!(read > 10, "{read} regressions were found in {}", directory.display());
}
