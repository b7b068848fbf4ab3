//! A power cut at any moment of creation leaves a file that opens, or none.
#![allow(clippy::unwrap_used)]
use std::path::Path;
use std::sync::Arc;
use tempest_disk::{DiskOptions, SimDisk};
use tempest_store::file_system::FileSystem;
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::{RangeId, ShardId, StoreCalls};

const PATH: &str = "/data/db";

#[tokio::test]
async fn a_power_cut_at_any_change_of_creation_is_survived() {
    let open = |disk: &SimDisk| RedbStore::open(Arc::new(disk.clone()), PATH, RedbConfig::default());
    let (mut moment, mut left_a_file) = (1, 0);
    loop {
        let mut created = false;
        for seed in 0..8 {
            let disk = SimDisk::new([seed; 32], DiskOptions::default());
            disk.cut_power_in(moment);
            created = open(&disk).await.is_ok() && disk.is_powered();
            disk.cut_power();
            disk.restore_power();
            left_a_file += u64::from(disk.exists(Path::new(PATH)).unwrap());
            let store = open(&disk).await.unwrap_or_else(|error| panic!("change {moment}, seed {seed}: {error}"));
            store.acquire_shard(ShardId(1), RangeId(0), "me").await.unwrap();
        }
        if created {
            break;
        }
        moment += 1;
    }
    assert!(moment > 10 && left_a_file > 8, "{moment} moments, {left_a_file} files");
}
