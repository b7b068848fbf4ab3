//! A full disk refuses writes and loses nothing. Where only growing fails it recovers without a restart.
#![allow(clippy::unwrap_used)]
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tempest_disk::{DiskFaults, DiskOptions, SimDisk};
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::*;

fn commit(sequence: u64) -> ShardCommit {
    let events = Bytes::from(vec![7; 50_000]);
    let append = HistoryAppend { branch: BranchId::default(), node: i64::try_from(sequence).unwrap(), events };
    ShardCommit { shard: ShardId(1), range_id: RangeId(1), sequence, history: vec![append], ..Default::default() }
}

#[tokio::test]
async fn writes_wait_for_room_and_reads_do_not() {
    let disk = SimDisk::new([0; 32], DiskOptions::default());
    let config = RedbConfig { disk_full_pause: Duration::ZERO, ..RedbConfig::default() };
    let store = RedbStore::open(Arc::new(disk.clone()), "/data/db", config).await.unwrap();
    store.acquire_shard(ShardId(1), RangeId(0), "me").await.unwrap();
    disk.set_capacity(Some(disk.used_bytes() + 1_000_000));
    let mut sequence = 1;
    let refusal = loop {
        match store.commit(commit(sequence)).await {
            CommitOutcome::Committed => sequence += 1,
            other => break other,
        }
        assert!(sequence < 1000, "the disk never filled");
    };
    assert!(matches!(&refusal, CommitOutcome::Unavailable(why) if why.contains("disk is full")), "{refusal:?}");
    assert!(matches!(store.commit(commit(sequence)).await, CommitOutcome::Unavailable(_)));
    assert_eq!(store.shard(ShardId(1)).await.unwrap().unwrap().sequence, sequence - 1);
    let history = store.history(&BranchId::default(), 0, i64::MAX, usize::MAX).await.unwrap();
    assert_eq!(history.len() as u64, sequence - 1);
    assert!(futures::FutureExt::now_or_never(store.failed()).is_none(), "a full disk is no reason to stop");

    disk.set_capacity(None);
    assert_eq!(store.commit(commit(sequence)).await, CommitOutcome::Committed);
    store.close().await;
}

#[tokio::test]
async fn a_disk_without_room_to_overwrite_stops_the_store_until_there_is_some() {
    let disk = SimDisk::new([1; 32], DiskOptions::default());
    let open = || RedbStore::open(Arc::new(disk.clone()), "/data/db", RedbConfig::default());
    let store = open().await.unwrap();
    store.acquire_shard(ShardId(1), RangeId(0), "me").await.unwrap();
    assert_eq!(store.commit(commit(1)).await, CommitOutcome::Committed);
    disk.change_faults(|faults| *faults = DiskFaults { overwrites_refused: true, ..DiskFaults::default() });
    assert_ne!(store.commit(commit(2)).await, CommitOutcome::Committed);
    assert!(disk.statistics().refused_for_room > 0);
    assert!(store.failed().await.contains("full"), "it says why it stopped");
    store.close().await;
    let refused = open().await.err().expect("recovery has to write too");
    assert!(matches!(&refused, StoreError::Unavailable(why) if why.contains("make room and start again")), "{refused}");

    disk.change_faults(|faults| *faults = DiskFaults::default());
    let store = open().await.unwrap();
    let sequence = store.shard(ShardId(1)).await.unwrap().unwrap().sequence;
    assert!((1..=2).contains(&sequence), "what was acknowledged is there: {sequence}");
    assert_eq!(store.commit(commit(sequence + 1)).await, CommitOutcome::Committed);
    let history = store.history(&BranchId::default(), 0, i64::MAX, usize::MAX).await.unwrap();
    assert_eq!(history.len() as u64, sequence + 1);
    store.close().await;
}
