//! Fences: range ids, sequences, shard time.
use super::*;

pub async fn a_shard_is_acquired_by_compare_and_set(store: &impl Store) {
    let shard = ShardId(7);
    assert_eq!(store.shard(shard).await, Ok(None));
    let first = store.acquire_shard(shard, RangeId(0), "a").await.expect("it was free");
    assert_eq!((first.range_id, first.owner.as_str()), (RangeId(1), "a"));
    let late = store.acquire_shard(shard, RangeId(0), "b").await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    let second = store.acquire_shard(shard, RangeId(1), "b").await.expect("the range was read");
    assert_eq!(store.shard(shard).await, Ok(Some(second)), "what was acquired is what is read");
}

pub async fn a_stale_range_is_refused_and_leaves_nothing(store: &impl Store) {
    let mut commit = owned(store, 1).await;
    store.acquire_shard(ShardId(1), RangeId(1), "thief").await.expect("it can be acquired");
    commit.runs = vec![run_write("run", None, 1)];
    assert_eq!(store.commit(commit.clone()).await, CommitOutcome::OwnershipLost { current: RangeId(2) });
    assert_eq!(store.run(&run_key("run")).await, Ok(None));
    // A range that was not reached yet is no better.
    commit.range_id = RangeId(3);
    assert_eq!(store.commit(commit.clone()).await, CommitOutcome::OwnershipLost { current: RangeId(2) });
    commit.shard = ShardId(2);
    assert_eq!(store.commit(commit.clone()).await, CommitOutcome::OwnershipLost { current: RangeId(0) });
}

pub async fn sequences_have_no_gaps(store: &impl Store) {
    let commit = owned(store, 1).await;
    for wrong in [0, 2, u64::MAX] {
        assert_conflict(&store.commit(ShardCommit { sequence: wrong, ..commit.clone() }).await);
    }
    assert_eq!(store.commit(commit.clone()).await, CommitOutcome::Committed);
    assert_conflict(&store.commit(commit.clone()).await);
    let record = store.acquire_shard(ShardId(1), RangeId(1), "next").await.expect("it can be acquired");
    assert_eq!(record.sequence, 1, "the sequence goes on across owners");
    let next = ShardCommit { range_id: RangeId(2), sequence: 2, ..commit };
    assert_eq!(store.commit(next).await, CommitOutcome::Committed);
}

pub async fn shard_time_never_goes_back(store: &impl Store) {
    let commit = owned(store, 1).await;
    for (sequence, time, expected) in [(1, 5, 5), (2, 9, 9), (3, 7, 9)] {
        let commit = ShardCommit { sequence, time: Time(time), ..commit.clone() };
        assert_eq!(store.commit(commit).await, CommitOutcome::Committed);
        let record = store.shard(ShardId(1)).await.expect("it can be read").expect("it is there");
        assert_eq!(record.time, Time(expected));
    }
}

pub async fn ranges_are_told_for_many_shards(store: &impl Store) {
    owned(store, 1).await;
    owned(store, 3).await;
    store.acquire_shard(ShardId(3), RangeId(1), "thief").await.expect("it can be acquired");
    let shards = [ShardId(3), ShardId(2), ShardId(1), ShardId(3)];
    assert_eq!(store.ranges(&shards).await, Ok(vec![RangeId(2), RangeId(0), RangeId(1), RangeId(2)]));
    assert_eq!(store.ranges(&[]).await, Ok(vec![]));
}

pub async fn the_first_caller_makes_the_cluster(store: &impl Store) {
    let record =
        |id: &str| ClusterRecord { shard_count: 4, cluster_id: id.to_owned(), cluster_name: "active".to_owned() };
    assert_eq!(store.cluster(record("first")).await, Ok(record("first")));
    assert_eq!(store.cluster(record("second")).await, Ok(record("first")));
}
