//! The embedded store on the simulated disk against the shared suite.
#![allow(clippy::unwrap_used)]
use std::sync::Arc;
use tempest_disk::{DiskOptions, SimDisk};
use tempest_store::conformance;
use tempest_store::redb::{RedbConfig, RedbStore};

#[tokio::test]
async fn on_the_simulated_disk() {
    let disk = SimDisk::new([0; 32], DiskOptions::default());
    conformance::all(|test| {
        let disk = Arc::new(disk.clone());
        async move { RedbStore::open(disk, format!("/data/{test}"), RedbConfig::default()).await.unwrap() }
    })
    .await;
}
