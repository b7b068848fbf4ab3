//! Task-queue partitions and their backlogs.
use super::*;

fn row(task_id: i64) -> BacklogRow {
    BacklogRow { task_id, body: Bytes::from(task_id.to_string()) }
}

fn commit(partition: &PartitionKey, range: i64, added: &[i64], deleted: &[i64]) -> BacklogCommit {
    BacklogCommit {
        partition: partition.clone(),
        range_id: RangeId(range),
        added: added.iter().copied().map(row).collect(),
        deleted: deleted.to_vec(),
        ack_level: 0,
        rows: 0,
    }
}

pub async fn a_lease_fences_the_backlog(store: &impl Store) {
    let queue = partition("queue", TaskQueueType::Workflow);
    let lost = |current| CommitOutcome::OwnershipLost { current: RangeId(current) };
    assert_eq!(store.commit_backlog(commit(&queue, 0, &[1], &[])).await, lost(0), "no owner leased it yet");
    let leased = store.lease_partition(&queue).await.expect("it can be leased");
    assert_eq!(leased, PartitionRecord { range_id: RangeId(1), ack_level: 0, rows: 0 });
    let acked = BacklogCommit { ack_level: 5, rows: 1, ..commit(&queue, 1, &[1], &[]) };
    assert_eq!(store.commit_backlog(acked).await, CommitOutcome::Committed);
    let leased = store.lease_partition(&queue).await.expect("it can be leased");
    assert_eq!(leased, PartitionRecord { range_id: RangeId(2), ack_level: 5, rows: 1 });
    assert_eq!(store.commit_backlog(commit(&queue, 1, &[2], &[1])).await, lost(2));
    assert_eq!(store.backlog(&queue, 0, 10).await, Ok(vec![row(1)]));
    assert_eq!(store.commit_backlog(commit(&queue, 2, &[], &[])).await, CommitOutcome::Committed);
    let leased = store.lease_partition(&queue).await.expect("it can be leased");
    assert_eq!(leased.ack_level, 5, "the acknowledgement level never goes back");
    assert_eq!(leased.rows, 0, "the count is what the last commit said");
}

pub async fn rows_come_in_order_per_partition(store: &impl Store) {
    let queues = [
        partition("queue", TaskQueueType::Workflow),
        partition("queue", TaskQueueType::Activity),
        partition("queu", TaskQueueType::Workflow),
        PartitionKey { partition: 1, ..partition("queue", TaskQueueType::Workflow) },
    ];
    for queue in &queues {
        store.lease_partition(queue).await.expect("it can be leased");
        assert_eq!(store.commit_backlog(commit(queue, 1, &[300, 2, 1], &[])).await, CommitOutcome::Committed);
    }
    let queue = &queues[0];
    assert_eq!(store.commit_backlog(commit(queue, 1, &[i64::MAX], &[2, 77])).await, CommitOutcome::Committed);
    assert_eq!(store.backlog(queue, 0, 10).await, Ok(vec![row(1), row(300), row(i64::MAX)]));
    assert_eq!(store.backlog(queue, 1, 1).await, Ok(vec![row(300)]));
    assert_eq!(store.backlog(queue, i64::MAX, 10).await, Ok(vec![]));
    for queue in &queues[1..] {
        assert_eq!(store.backlog(queue, i64::MIN, 10).await, Ok(vec![row(1), row(2), row(300)]));
    }
}
