//! On which side of COMMIT a failure fell.
use super::*;
use tempest_store::{BacklogCommit, PartitionKey, TaskQueueType, Timeline};
use tempest_store_postgres::testing::{Cut, Proxy, TestPostgres};

/// How COMMIT looks on the wire, and nothing else does.
const COMMIT: &[u8] = b"COMMIT\0";

/// A store behind a proxy, one beside it, and an owned shard.
async fn behind_a_proxy(server: &TestPostgres) -> (PostgresStore, Proxy, PostgresStore) {
    let proxy = Proxy::start(server.port()).await;
    let config = PostgresConfig { url: server.url_by(proxy.port()), lanes: 1, ..server.config("tempest") };
    let (store, beside) = (connect(config).await, connect(server.config("tempest")).await);
    acquire(&store, 1).await;
    (store, proxy, beside)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_after_commit_is_unknown() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let (store, proxy, beside) = behind_a_proxy(&server).await;
    proxy.cut(Cut::at(COMMIT).forwarded());
    assert_unknown(&store.commit(commit(1, 1)).await, "after COMMIT was sent");
    assert_eq!(proxy.cuts(), 1);
    // The database got it, so this one is there.
    eventually("the commit whose answer was lost", async || (record(&beside, 1).await.sequence == 1).then_some(()))
        .await;
    // The store goes on with another connection.
    assert_eq!(store.commit(commit(1, 2)).await, CommitOutcome::Committed);

    // Here the database did not get it. The store cannot tell the difference.
    proxy.cut(Cut::at(COMMIT));
    assert_unknown(&store.commit(commit(1, 3)).await, "after COMMIT was sent");
    assert_eq!(proxy.cuts(), 2);
    let next = beside.acquire_shard(ShardId(1), RangeId(1), "next").await.unwrap();
    assert_eq!(next.sequence, 2, "acquiring the shard waits for the transaction in doubt, and settles it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_before_commit_is_definite() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let (store, proxy, beside) = behind_a_proxy(&server).await;
    // Of reads under locks and of writes alike.
    for word in ["BEGIN", "run 1 of shard 1"] {
        for cut in [Cut::at(word), Cut::at(word).forwarded()] {
            proxy.cut(cut.clone().for_good());
            assert_unavailable(&store.commit(commit(1, 1)).await, "cannot reach PostgreSQL");
            proxy.heal();
            assert_eq!(record(&beside, 1).await.sequence, 0, "{cut:?}");
        }
    }
    assert_eq!(proxy.cuts(), 4);
    // A connection that can be replaced is replaced, and no caller notices.
    proxy.cut(Cut::at("run 1 of shard 1"));
    assert_eq!(store.commit(commit(1, 1)).await, CommitOutcome::Committed);
    assert_eq!(proxy.cuts(), 5);
}

/// On one thread, so that all are in one batch.
#[tokio::test]
async fn an_unknown_outcome_taints_its_batch_only() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let (store, proxy, beside) = behind_a_proxy(&server).await;
    acquire(&store, 2).await;
    proxy.cut(Cut::at(COMMIT));
    let outcomes = [store.commit(commit(1, 1)), store.commit(commit(2, 1)), store.commit(commit(2, 9))];
    let outcomes = futures::future::join_all(outcomes).await;
    assert_unknown(&outcomes[0], "after COMMIT was sent");
    assert_unknown(&outcomes[1], "after COMMIT was sent");
    // Refused for what an earlier one in the batch did, or did not do.
    assert_unavailable(&outcomes[2], "after COMMIT was sent");
    let taken = beside.acquire_shard(ShardId(2), RangeId(1), "next").await.unwrap();
    assert_eq!(taken.sequence, 0);
    assert_eq!(store.commit(commit(1, 1)).await, CommitOutcome::Committed);
}

/// PostgreSQL has committed and waits for a standby that does not come. Ending the wait makes it answer as if all
/// were well, but for a warning.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_not_replicated_is_unknown() {
    let Some(mut server) = TestPostgres::start(&[]).await else { return };
    let store = connect(server.config("tempest")).await;
    acquire(&store, 1).await;
    server.kill();
    server.set("synchronous_standby_names", "nobody");
    server.start_again().await;
    for (sequence, end_the_wait, why) in
        [(1, "pg_cancel_backend", "SQL state 01000"), (2, "pg_terminate_backend", "after COMMIT was sent")]
    {
        let outcome = store.commit(commit(1, sequence));
        let client = server.client().await;
        let sql = format!("SELECT {end_the_wait}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        let end = async || Some(client.query(&sql, &[]).await.unwrap().len()).filter(|ended| *ended == 1);
        eventually("a commit waits for the standby", end).await;
        assert_unknown(&outcome.await, why);
        assert_eq!(record(&store, 1).await.sequence, sequence, "it is committed here");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_given_up() {
    let Some(mut server) = TestPostgres::start(&[]).await else { return };
    let seed = connect(server.config("tempest")).await;
    acquire(&seed, 1).await;
    server.kill();
    server.set("synchronous_standby_names", "nobody");
    server.start_again().await;
    let config = PostgresConfig {
        commit_timeout: Duration::from_millis(200),
        statement_timeout: Duration::from_millis(200),
        lock_timeout: Duration::from_millis(200),
        ..server.config("tempest")
    };
    let store = connect(config).await;
    assert_unknown(&store.commit(commit(1, 1)).await, "did not answer COMMIT in time");
    // Such a primary may have been replaced without knowing it: it proves no ownership, though it can be read.
    let proof = store.ranges(&[ShardId(1)]).await;
    assert!(matches!(&proof, Err(StoreError::Unavailable(why)) if why.contains("in time")), "{proof:?}");
    assert_eq!(record(&store, 1).await.range_id, RangeId(1));
}

/// The standby that the primary waits for takes over, while the primary lives on and does not know.
#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_was_replaced_proves_nothing_and_commits_nothing() {
    let Some(mut server) = TestPostgres::start(&[]).await else { return };
    let seed = connect(server.config("tempest")).await;
    acquire(&seed, 1).await;
    let standby = server.standby().await;
    server.kill();
    server.set("synchronous_standby_names", "*");
    server.start_again().await;
    let config = |server: &TestPostgres| PostgresConfig {
        commit_timeout: Duration::from_secs(2),
        statement_timeout: Duration::from_secs(1),
        lock_timeout: Duration::from_secs(1),
        ..server.config("tempest")
    };
    let old = connect(config(&server)).await;
    // Until the standby has found its primary again, an outcome may be unknown; but committed it is.
    drop(old.commit(commit(1, 1)));
    eventually("the standby follows", async || old.ranges(&[ShardId(1)]).await.ok()).await;
    eventually("the commit is replicated", async || (record(&old, 1).await.sequence == 1).then_some(())).await;

    standby.execute("SELECT pg_promote()").await;
    let new = connect(config(&standby)).await;
    let taken = new.acquire_shard(ShardId(1), RangeId(1), "new").await.unwrap();
    assert_eq!((taken.range_id.timeline(), taken.sequence), (Timeline(1), 1), "nothing acknowledged was lost");
    assert_eq!(*new.timeline().borrow(), Timeline(1));
    let proof = old.ranges(&[ShardId(1)]).await;
    assert!(matches!(&proof, Err(StoreError::Unavailable(_))), "{proof:?}");
    assert_unknown(&old.commit(commit(1, 2)).await, "COMMIT");
    let late = new.commit(ShardCommit { range_id: RangeId(2), ..commit(1, 2) }).await;
    assert!(matches!(late, CommitOutcome::OwnershipLost { .. }), "{late:?}");
    assert_eq!(record(&new, 1).await, taken);
}

/// A node that is stopped between its writes and its COMMIT holds a shard's lock. The database ends its transaction, so
/// that the shard can be acquired; when the node wakes up, its COMMIT finds no session, and its next try a stale range.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_node_neither_keeps_its_shard_nor_commits_late() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let proxy = Proxy::start(server.port()).await;
    let config = PostgresConfig {
        url: server.url_by(proxy.port()),
        idle_transaction_timeout: Duration::from_millis(500),
        ..server.config("tempest")
    };
    let (frozen, awake) = (connect(config).await, connect(server.config("tempest")).await);
    acquire(&frozen, 1).await;
    proxy.cut(Cut::at(COMMIT).frozen());
    let outcome = frozen.commit(commit(1, 1));
    let frozen_now = async || (proxy.cuts() == 1).then_some(());
    eventually("the node is frozen", frozen_now).await;
    let taken = awake.acquire_shard(ShardId(1), RangeId(1), "awake").await.unwrap();
    assert_eq!((taken.range_id, taken.sequence), (RangeId(2), 0));
    proxy.heal();
    assert_eq!(outcome.await, CommitOutcome::OwnershipLost { current: RangeId(2) });
    assert_eq!(record(&awake, 1).await, taken);
}

/// On one thread, so that both requests are in one batch: it locks the shard, then waits for the partition.
#[tokio::test]
async fn a_deadlock_is_definite_and_tried_again() {
    let Some(server) = TestPostgres::start(&[("deadlock_timeout", "100ms")]).await else { return };
    let store = connect(PostgresConfig { lanes: 1, ..server.config("tempest") }).await;
    acquire(&store, 1).await;
    let partition = PartitionKey {
        namespace_id: "namespace".into(),
        name: "queue".to_owned(),
        queue_type: TaskQueueType::Workflow,
        partition: 0,
    };
    store.lease_partition(&partition).await.unwrap();
    let other = server.client().await;
    // It never looks for deadlocks itself, so the store's transaction is the one that is ended.
    other.batch_execute("SET deadlock_timeout = '10min'").await.unwrap();
    other.batch_execute("BEGIN; SELECT FROM tempest.partitions FOR UPDATE").await.unwrap();
    let outcomes = [
        store.commit(commit(1, 1)),
        store.commit_backlog(BacklogCommit {
            partition: partition.clone(),
            range_id: RangeId(1),
            added: vec![],
            deleted: vec![],
            ack_level: 1,
            rows: 0,
        }),
    ];
    let outcomes = tempest_rt::task::spawn(futures::future::join_all(outcomes));
    let observer = server.client().await;
    let waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let waiting = async || (observer.query(waits, &[]).await.unwrap().len() == 1).then_some(());
    eventually("the store waits for the partition", waiting).await;
    other.batch_execute("SELECT FROM tempest.shards FOR UPDATE").await.unwrap();
    other.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(outcomes.await.unwrap(), [CommitOutcome::Committed, CommitOutcome::Committed]);
    let count = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'";
    let counted = async || {
        let row = observer.query_one(count, &[]).await.unwrap();
        (row.get::<_, i64>(0) == 1).then_some(())
    };
    eventually("the deadlock is counted", counted).await;
}
