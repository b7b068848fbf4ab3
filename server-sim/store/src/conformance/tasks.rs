//! History tasks.
use super::*;

pub async fn ranges_are_exclusive_and_ordered(store: &impl Store) {
    let commit = owned(store, 1).await;
    let timer = |fire_time, id| task_key(TaskCategory::Timer, fire_time, id);
    let others = [task_key(TaskCategory::Transfer, 0, 2), task_key(TaskCategory::Visibility, 0, 3)];
    let timers = [timer(-5, 9), timer(10, 1), timer(10, 2), timer(20, 0), timer(i64::MAX, 4)];
    let added = timers.iter().rev().chain(&others).map(|key| task_row(*key)).collect();
    assert_eq!(store.commit(ShardCommit { tasks_added: added, ..commit }).await, CommitOutcome::Committed);
    let neighbour = ShardCommit { tasks_added: vec![task_row(timer(10, 1))], ..owned(store, 2).await };
    assert_eq!(store.commit(neighbour).await, CommitOutcome::Committed);

    let found = async |after, before, limit| {
        let rows = store.tasks(ShardId(1), after, before, limit).await.expect("it can be read");
        assert!(rows.iter().all(|row| *row == task_row(row.key)), "a body came back under another key");
        rows.into_iter().map(|row| row.key).collect::<Vec<_>>()
    };
    let (lowest, highest) = (timer(i64::MIN, i64::MIN), timer(i64::MAX, i64::MAX));
    assert_eq!(found(lowest, highest, 10).await, timers);
    assert_eq!(found(lowest, highest, 2).await, timers[..2]);
    assert_eq!(found(timers[1], timers[3], 10).await, timers[2..3], "both bounds are exclusive");
    assert_eq!(found(timers[1], timers[1], 10).await, []);
    assert_eq!(found(timers[3], timers[1], 10).await, []);
    let transfer = |id| task_key(TaskCategory::Transfer, 0, id);
    assert_eq!(found(transfer(i64::MIN), transfer(i64::MAX), 10).await, others[..1]);
}

pub async fn deleting_what_is_not_there_is_no_error(store: &impl Store) {
    let commit = owned(store, 1).await;
    let [kept, gone] = [1, 2].map(|id| task_key(TaskCategory::Transfer, 0, id));
    let write =
        |sequence, tasks_added, tasks_deleted| ShardCommit { sequence, tasks_added, tasks_deleted, ..commit.clone() };
    let add = write(1, vec![task_row(kept), task_row(gone)], vec![task_key(TaskCategory::Timer, 0, 1)]);
    assert_eq!(store.commit(add).await, CommitOutcome::Committed);
    for sequence in 2..4 {
        assert_eq!(store.commit(write(sequence, vec![], vec![gone])).await, CommitOutcome::Committed);
        let (from, until) = (task_key(TaskCategory::Transfer, 0, 0), task_key(TaskCategory::Transfer, 0, 9));
        assert_eq!(store.tasks(ShardId(1), from, until, 9).await, Ok(vec![task_row(kept)]));
    }
}

pub async fn a_task_is_added_once(store: &impl Store) {
    let commit = owned(store, 1).await;
    let row = task_row(task_key(TaskCategory::Transfer, 0, 1));
    let write = |sequence, tasks_added| ShardCommit { sequence, tasks_added, ..commit.clone() };
    assert_conflict(&store.commit(write(1, vec![row.clone(), row.clone()])).await);
    assert_eq!(store.commit(write(1, vec![row.clone()])).await, CommitOutcome::Committed);
    assert_conflict(&store.commit(write(2, vec![row])).await);
}
