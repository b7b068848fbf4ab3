//! Commits that wait together.
use super::*;

/// Deep enough to fill several batches.
const DEPTH: u64 = 300;

pub async fn commits_apply_in_the_order_they_were_asked(store: &impl Store) {
    let commit = owned(store, 1).await;
    let step = |sequence| ShardCommit {
        sequence,
        runs: vec![run_write("run", sequence.checked_sub(1).filter(|before| *before > 0), sequence)],
        ..commit.clone()
    };
    let answers: Vec<_> = (1..=DEPTH).map(|sequence| store.commit(step(sequence))).collect();
    for answer in answers {
        assert_eq!(answer.await, CommitOutcome::Committed);
    }
    let run = store.run(&run_key("run")).await.expect("it can be read").expect("it is there");
    assert_eq!(run.version, DEPTH);
}

pub async fn a_refusal_disturbs_no_other_shard(store: &impl Store) {
    let (one, two) = (owned(store, 1).await, owned(store, 2).await);
    let answers = [
        store.commit(one.clone()),
        store.commit(ShardCommit { sequence: 9, ..one.clone() }),
        store.commit(two.clone()),
        store.commit(ShardCommit { range_id: RangeId(0), sequence: 2, ..two.clone() }),
        store.commit(ShardCommit { sequence: 2, ..one }),
        store.commit(ShardCommit { sequence: 2, ..two }),
    ];
    let mut committed = Vec::new();
    for answer in answers {
        committed.push(answer.await == CommitOutcome::Committed);
    }
    assert_eq!(committed, [true, false, true, false, true, true]);
}

pub async fn dropping_the_answer_takes_nothing_back(store: &impl Store) {
    let commit = owned(store, 1).await;
    drop(store.commit(commit.clone()));
    assert_eq!(store.commit(ShardCommit { sequence: 2, ..commit }).await, CommitOutcome::Committed);
}
