//! Storms that once found a bug, ours or the harness's own, hold forever.
use crate::{stderr, stdout, tempest};
use std::path::Path;

#[test]
fn every_regression_holds() {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/catalog/regression");
    let mut files: Vec<_> = catalog.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the catalog is empty");
    for file in files {
        let output = tempest(&["replay", file.to_str().unwrap()]);
        let name = file.display();
        assert_eq!(output.status.code(), Some(0), "{name}\n{}\n{}", stdout(&output), stderr(&output));
    }
}
