//! A batch with something wrong in it.
use super::*;
use futures::future::join_all;
use tempest_core::Time;
use tempest_store::{BranchId, HistoryAppend, TaskCategory, TaskKey, TaskRow};
use tempest_store_postgres::testing::TestPostgres;

const SHARDS: u32 = 20;

/// One lane, so that what is asked for together is in few batches.
async fn with_owned_shards(server: &TestPostgres) -> PostgresStore {
    let config = PostgresConfig { lanes: 1, lock_timeout: Duration::from_millis(300), ..server.config("tempest") };
    let store = connect(config).await;
    join_all((0..SHARDS).map(|shard| acquire(&store, shard))).await;
    store
}

/// The commits numbered `sequence` of all shards at once, with `fault` injected into those of one.
async fn commits_with_fault(
    store: &PostgresStore,
    sequence: u64,
    harmed: u32,
    fault: impl Fn(&mut ShardCommit),
) -> CommitOutcome {
    let commits = (0..SHARDS).map(|shard| {
        let mut commit = commit(shard, sequence);
        if shard == harmed {
            fault(&mut commit);
        }
        store.commit(commit)
    });
    let mut outcomes = join_all(commits).await;
    let harmed = outcomes.remove(harmed as usize);
    assert!(outcomes.iter().all(|outcome| *outcome == CommitOutcome::Committed), "{outcomes:?}");
    harmed
}

/// The next letter of a text without repetitions.
fn letter(noise: &mut u32) -> char {
    *noise ^= *noise << 13;
    *noise ^= *noise >> 17;
    *noise ^= *noise << 5;
    char::from(b' ' + u8::try_from(*noise % 90).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_guilty_fails() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let store = with_owned_shards(&server).await;
    let node = HistoryAppend {
        branch: BranchId { tree: "tree".to_owned(), branch: "branch".to_owned() },
        node: 1,
        events: Bytes::new(),
    };
    let outcome = commits_with_fault(&store, 1, 7, |commit| commit.history = vec![node.clone()]).await;
    assert_eq!(outcome, CommitOutcome::Committed);
    // Written twice; the primary key says so.
    let outcome = commits_with_fault(&store, 2, 7, |commit| commit.history = vec![node.clone()]).await;
    assert!(matches!(outcome, CommitOutcome::Conflict(_)), "{outcome:?}");
    assert_eq!(store.commit(commit(7, 2)).await, CommitOutcome::Committed);
    // More than an index takes, and not to be compressed.
    let mut noise = 1u32;
    let name: String = (0..4000).map(|_| letter(&mut noise)).collect();
    let outcome = commits_with_fault(&store, 3, 0, |commit| commit.runs[0].key.run_id = name.as_str().into()).await;
    assert_unavailable(&outcome, "index row size");
    assert_eq!(store.commit(commit(0, 3)).await, CommitOutcome::Committed);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_waits_for_a_lock_fails() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let store = with_owned_shards(&server).await;
    let frozen = server.client().await;
    frozen.batch_execute("BEGIN; SELECT FROM tempest.shards WHERE key = '\\x00000005' FOR UPDATE").await.unwrap();
    let outcome = commits_with_fault(&store, 1, 5, |_| {}).await;
    assert_unavailable(&outcome, "lock timeout");
    assert!(store.acquire_shard(ShardId(5), RangeId(1), "thief").await.is_err());
    assert_eq!(store.ranges(&[ShardId(5)]).await, Ok(vec![RangeId(1)]), "reads wait for nobody");
    frozen.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(store.commit(commit(5, 1)).await, CommitOutcome::Committed);
}

/// Task ids are never used twice, but a store must not lose a task if they are. On one thread, so that all are in one
/// batch.
#[tokio::test]
async fn a_task_that_is_added_after_its_deletion_stays() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let store = with_owned_shards(&server).await;
    let key = |task_id| TaskKey { category: TaskCategory::Transfer, fire_time: Time(0), task_id };
    let row = TaskRow { key: key(1), body: Bytes::from_static(b"task") };
    let step = |sequence, tasks_added, tasks_deleted| {
        store.commit(ShardCommit { tasks_added, tasks_deleted, ..commit(1, sequence) })
    };
    let outcomes = [
        step(1, vec![row.clone()], vec![]),
        step(2, vec![], vec![key(1)]),
        step(3, vec![row.clone()], vec![]),
        step(4, vec![], vec![key(1)]),
        step(5, vec![row.clone()], vec![]),
    ];
    for outcome in join_all(outcomes).await {
        assert_eq!(outcome, CommitOutcome::Committed);
    }
    assert_eq!(store.tasks(ShardId(1), key(0), key(9), 9).await, Ok(vec![row]));
}
