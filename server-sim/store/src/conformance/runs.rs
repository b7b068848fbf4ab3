//! Runs, their versions and the pointer to the current one.
use super::*;

pub async fn versions_are_compared(store: &impl Store) {
    let commit = owned(store, 1).await;
    let write = |sequence, run| ShardCommit { sequence, runs: vec![run], ..commit.clone() };
    assert_conflict(&store.commit(write(1, run_write("run", Some(1), 2))).await);
    assert_eq!(store.commit(write(1, run_write("run", None, 1))).await, CommitOutcome::Committed);
    assert_conflict(&store.commit(write(2, run_write("run", None, 1))).await);
    assert_conflict(&store.commit(write(2, run_write("run", Some(2), 3))).await);
    assert_eq!(store.commit(write(2, run_write("run", Some(1), 9))).await, CommitOutcome::Committed);
    let expected = RunRecord { version: 9, row: Bytes::from_static(b"run at 9"), parts: Vec::new() };
    for _ in 0..2 {
        assert_eq!(store.run(&run_key("run")).await, Ok(Some(expected.clone())), "reading changes nothing");
    }
    assert_eq!(store.run(&run_key("other")).await, Ok(None));
}

pub async fn at_most_two_runs(store: &impl Store) {
    let commit = owned(store, 1).await;
    let runs = |names: &[&str]| names.iter().map(|name| run_write(name, None, 1)).collect();
    assert_conflict(&store.commit(ShardCommit { runs: runs(&["a", "b", "c"]), ..commit.clone() }).await);
    assert_conflict(&store.commit(ShardCommit { runs: runs(&["a", "a"]), ..commit.clone() }).await);
    assert_eq!(store.run(&run_key("a")).await, Ok(None));
    assert_eq!(store.commit(ShardCommit { runs: runs(&["a", "b"]), ..commit }).await, CommitOutcome::Committed);
    assert!(store.run(&run_key("b")).await.expect("it can be read").is_some());
}

pub async fn the_current_pointer_is_compared(store: &impl Store) {
    let commit = owned(store, 1).await;
    let point = |sequence, write| ShardCommit { sequence, current: Some(write), ..commit.clone() };
    let RunKey { namespace_id, workflow_id, .. } = run_key("a");
    assert_eq!(store.current_run(&namespace_id, &workflow_id).await, Ok(None));
    assert_conflict(&store.commit(point(1, current_write(Some("a"), "b"))).await);
    assert_eq!(store.commit(point(1, current_write(None, "a"))).await, CommitOutcome::Committed);
    assert_conflict(&store.commit(point(2, current_write(None, "b"))).await);
    assert_conflict(&store.commit(point(2, current_write(Some("c"), "b"))).await);
    assert_eq!(store.current_run(&namespace_id, &workflow_id).await, Ok(Some("a".into())));
    assert_eq!(store.commit(point(2, current_write(Some("a"), "b"))).await, CommitOutcome::Committed);
    assert_eq!(store.current_run(&namespace_id, &workflow_id).await, Ok(Some("b".into())));
}

pub async fn runs_are_listed_in_key_order(store: &impl Store) {
    let commit = owned(store, 1).await;
    // A zero byte and a prefix must not confuse the order.
    let names = ["b", "a", "ab", "a\0", "\u{10ffff}"];
    for (name, sequence) in names.iter().zip(1..) {
        let commit = ShardCommit { sequence, runs: vec![run_write(name, None, 1)], ..commit.clone() };
        assert_eq!(store.commit(commit).await, CommitOutcome::Committed);
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = store.runs(after.clone(), 2).await.expect("it can be read");
        assert!(page.len() <= 2);
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        listed.extend(page.into_iter().map(|(key, _)| key.run_id.0));
    }
    assert_eq!(listed, ["a", "a\0", "ab", "b", "\u{10ffff}"]);
}

pub async fn a_refused_commit_leaves_nothing(store: &impl Store) {
    let mut commit = owned(store, 1).await;
    let main = branch("tree", "main");
    let task = task_key(TaskCategory::Transfer, 0, 1);
    commit.history = vec![append(&main, 5)];
    assert_eq!(store.commit(commit.clone()).await, CommitOutcome::Committed);
    // Everything in it is right but for the last thing that is looked at.
    commit.sequence = 2;
    commit.time = Time(99);
    commit.runs = vec![run_write("run", None, 1)];
    commit.current = Some(current_write(None, "run"));
    commit.tasks_added = vec![task_row(task)];
    commit.history = vec![append(&main, 6), append(&main, 5)];
    assert_conflict(&store.commit(commit.clone()).await);
    assert_eq!(store.run(&run_key("run")).await, Ok(None));
    assert_eq!(store.current_run(&"namespace".into(), &"workflow".into()).await, Ok(None));
    assert_eq!(store.history(&main, 6, 7, 10).await, Ok(vec![]));
    let (from, until) = (task_key(TaskCategory::Transfer, 0, 0), task_key(TaskCategory::Transfer, 0, 9));
    assert_eq!(store.tasks(ShardId(1), from, until, 10).await, Ok(vec![]));
    let shard = store.shard(ShardId(1)).await.expect("it can be read").expect("it is there");
    assert_eq!((shard.sequence, shard.time), (1, Time(0)));
    // Corrected, it takes the same sequence.
    commit.history.pop();
    assert_eq!(store.commit(commit).await, CommitOutcome::Committed);
}
