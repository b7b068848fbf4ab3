//! Several nodes over one database.
use super::*;
use futures::future::join_all;
use std::collections::BTreeSet;
use tempest_store::{BacklogCommit, BacklogRow, NamespaceRecord, PartitionKey, TaskQueueType};
use tempest_store_postgres::testing::TestPostgres;

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_together_find_one_schema() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    for round in 0..5 {
        let nodes = join_all((0..3).map(|_| connect(server.config(&format!("round {round}"))))).await;
        acquire(&nodes[0], 1).await;
        assert_eq!(nodes[2].ranges(&[ShardId(1)]).await, Ok(vec![RangeId(1)]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_has_one_owner_whoever_asks_at_the_same_time() {
    const SHARDS: u32 = 40;
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let nodes = join_all((0..2).map(|_| connect(server.config("tempest")))).await;
    for range in 0..3 {
        let acquire = async |node: &PostgresStore, name: &str| {
            join_all((0..SHARDS).map(|shard| node.acquire_shard(ShardId(shard), RangeId(range), name))).await
        };
        let (first, second) = futures::join!(acquire(&nodes[0], "first"), acquire(&nodes[1], "second"));
        for (shard, answers) in (0..).zip(first.iter().zip(&second)) {
            let (winner, loser) = match answers {
                (Ok(record), Err(StoreError::Conflict(_))) => (record, &nodes[1]),
                (Err(StoreError::Conflict(_)), Ok(record)) => (record, &nodes[0]),
                other => panic!("shard {shard}: {other:?}"),
            };
            assert_eq!(record(loser, shard).await, *winner);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_superseded_owner_is_applied() {
    const COMMITS: u64 = 600;
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let old = connect(PostgresConfig { batch_requests_max: 5, ..server.config("tempest") }).await;
    let new = connect(server.config("tempest")).await;
    acquire(&old, 1).await;
    // Its connection is there when it matters.
    acquire(&new, 2).await;
    let mut outcomes: Vec<_> = (1..=COMMITS).map(|sequence| old.commit(commit(1, sequence))).collect();
    let rest = outcomes.split_off(20);
    for outcome in join_all(outcomes).await {
        assert_eq!(outcome, CommitOutcome::Committed);
    }
    let taken = new.acquire_shard(ShardId(1), RangeId(1), "new").await.unwrap();
    let rest = join_all(rest).await;
    let committed = 20 + rest.iter().take_while(|outcome| **outcome == CommitOutcome::Committed).count() as u64;
    assert!(committed < COMMITS, "the takeover came too late to show anything");
    assert_eq!(taken.sequence, committed, "the new owner sees all that was acknowledged, and nothing is added to it");
    for outcome in rest.iter().skip_while(|outcome| **outcome == CommitOutcome::Committed) {
        assert_eq!(*outcome, CommitOutcome::OwnershipLost { current: RangeId(2) });
    }
    assert_eq!(record(&old, 1).await, taken);
    let next = ShardCommit { range_id: RangeId(2), ..commit(1, committed + 1) };
    assert_eq!(new.commit(next).await, CommitOutcome::Committed);
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_names_and_the_cluster_are_agreed_on() {
    const LEASES: usize = 30;
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let nodes = join_all((0..2).map(|_| connect(server.config("tempest")))).await;
    let partition = PartitionKey {
        namespace_id: "namespace".into(),
        name: "queue".to_owned(),
        queue_type: TaskQueueType::Workflow,
        partition: 0,
    };
    let leases = join_all((0..LEASES).map(|number| nodes[number % 2].lease_partition(&partition))).await;
    let ranges: BTreeSet<i64> = leases.into_iter().map(|lease| lease.unwrap().range_id.0).collect();
    assert_eq!(ranges, (1..=i64::try_from(LEASES).unwrap()).collect(), "each lease has a range of its own");
    let rows = |range, node: &PostgresStore| {
        node.commit_backlog(BacklogCommit {
            partition: partition.clone(),
            range_id: RangeId(range),
            added: vec![BacklogRow { task_id: range, body: Bytes::new() }],
            deleted: vec![],
            ack_level: 0,
            rows: 1,
        })
    };
    assert_eq!(rows(30, &nodes[0]).await, CommitOutcome::Committed);
    assert_eq!(rows(29, &nodes[1]).await, CommitOutcome::OwnershipLost { current: RangeId(30) });

    for round in 0..10 {
        let name = |node: usize| NamespaceRecord {
            id: format!("{round} {node}").into(),
            name: format!("name {round}"),
            version: 1,
            description: Bytes::new(),
        };
        let (first, second) = futures::join!(nodes[0].put_namespace(name(0)), nodes[1].put_namespace(name(1)));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        assert!(matches!(first.and(second), Err(StoreError::Conflict(_))));
    }
    assert_eq!(nodes[0].namespaces().await.unwrap().len(), 10);

    let cluster = |name: &str| tempest_store::ClusterRecord {
        shard_count: 4,
        cluster_id: name.to_owned(),
        cluster_name: "active".to_owned(),
    };
    let (first, second) = futures::join!(nodes[0].cluster(cluster("a")), nodes[1].cluster(cluster("b")));
    assert_eq!(first.unwrap(), second.unwrap());
}
