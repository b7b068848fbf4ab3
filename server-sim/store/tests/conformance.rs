//! The embedded store against the shared suite, in memory and on a real file.
#![allow(clippy::unwrap_used)]
use std::sync::Arc;
use tempest_store::conformance;
use tempest_store::file_system::RealFileSystem;
use tempest_store::redb::{RedbConfig, RedbStore};

#[tokio::test]
async fn in_memory() {
    conformance::all(|_| async { RedbStore::in_memory(RedbConfig::default()).await.unwrap() }).await;
}

#[tokio::test]
async fn on_a_file() {
    let directory = tempfile::tempdir().unwrap();
    conformance::all(|test| {
        let path = directory.path().join(test);
        async move { RedbStore::open(Arc::new(RealFileSystem), path, RedbConfig::default()).await.unwrap() }
    })
    .await;
}

/// Small batches, so that what waits together is spread over several transactions.
#[tokio::test]
async fn with_small_batches() {
    let config = RedbConfig { batch_requests_max: 2, ..RedbConfig::default() };
    conformance::all(|_| async { RedbStore::in_memory(config.clone()).await.unwrap() }).await;
}
