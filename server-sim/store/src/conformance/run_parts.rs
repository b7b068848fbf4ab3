//! Runs that are stored as a row and their parts.
use super::*;

fn number(kind: u8, id: i64) -> PartKey {
    PartKey { kind, id: PartId::Number(id) }
}

fn name(kind: u8, id: &str) -> PartKey {
    PartKey { kind, id: PartId::Name(id.to_owned()) }
}

fn put(key: &PartKey, body: &'static str) -> PartWrite {
    PartWrite { key: key.clone(), body: Some(Bytes::from_static(body.as_bytes())) }
}

fn delete(key: &PartKey) -> PartWrite {
    PartWrite { key: key.clone(), body: None }
}

fn write(run: &str, expected_version: Option<u64>, version: u64, parts: Vec<PartWrite>) -> RunWrite {
    RunWrite { parts, ..run_write(run, expected_version, version) }
}

/// The parts of a run, read by its key; and in a scan they are the same.
async fn parts(store: &impl Store, run: &str) -> Vec<(PartKey, Bytes)> {
    let read = store.run(&run_key(run)).await.expect("it can be read").expect("it is there");
    let listed = store.runs(None, 100).await.expect("they can be listed");
    let of_run = listed.into_iter().find(|(key, _)| *key == run_key(run)).expect("it is listed");
    assert_eq!(of_run.1, read, "a scan shows what a read shows");
    read.parts.into_iter().map(|part| (part.key, part.body)).collect()
}

fn expected(parts: &[(&PartKey, &'static str)]) -> Vec<(PartKey, Bytes)> {
    parts.iter().map(|(key, body)| ((*key).clone(), Bytes::from_static(body.as_bytes()))).collect()
}

pub async fn only_what_changed_is_overwritten(store: &impl Store) {
    let commit = owned(store, 1).await;
    let step = |sequence, runs| ShardCommit { sequence, runs, ..commit.clone() };
    let (low, high, named, last) = (number(1, -7), number(1, 300), name(1, "signal"), number(u8::MAX, i64::MAX));
    // Names that are prefixes of each other: no run has the parts of another.
    let born = vec![put(&last, "last"), put(&named, "named"), put(&high, "high"), put(&low, "low")];
    let neighbour = write("ab", None, 1, vec![put(&low, "of another")]);
    assert_eq!(store.commit(step(1, vec![write("a", None, 1, born), neighbour])).await, CommitOutcome::Committed);
    let all = [(&low, "low"), (&high, "high"), (&named, "named"), (&last, "last")];
    assert_eq!(parts(store, "a").await, expected(&all), "in key order");
    assert_eq!(parts(store, "ab").await, expected(&[(&low, "of another")]));

    let added = number(2, 0);
    let changes = vec![put(&high, "higher"), delete(&low), put(&added, "added"), delete(&number(9, 9))];
    assert_eq!(store.commit(step(2, vec![write("a", Some(1), 2, changes)])).await, CommitOutcome::Committed);
    let all = [(&high, "higher"), (&named, "named"), (&added, "added"), (&last, "last")];
    assert_eq!(parts(store, "a").await, expected(&all));
    assert_eq!(store.commit(step(3, vec![write("a", Some(2), 3, vec![])])).await, CommitOutcome::Committed);
    assert_eq!(parts(store, "a").await, expected(&all), "a commit without parts leaves them");
    let listed = store.runs(Some(run_key("a")), 1).await.expect("they can be listed");
    assert_eq!((listed[0].0.clone(), listed[0].1.parts.len()), (run_key("ab"), 1), "a page begins after a run's parts");
}

pub async fn a_refusal_leaves_the_parts(store: &impl Store) {
    let commit = owned(store, 1).await;
    let step = |sequence, run| ShardCommit { sequence, runs: vec![run], ..commit.clone() };
    let part = number(1, 1);
    let born = write("run", None, 1, vec![put(&part, "first")]);
    assert_eq!(store.commit(step(1, born)).await, CommitOutcome::Committed);
    assert_conflict(&store.commit(step(2, write("run", Some(9), 10, vec![delete(&part)]))).await);
    let twice = vec![put(&part, "second"), delete(&part)];
    assert_conflict(&store.commit(step(2, write("run", Some(1), 2, twice))).await);
    let stale = ShardCommit { range_id: RangeId(9), ..step(2, write("run", Some(1), 2, vec![delete(&part)])) };
    assert_eq!(store.commit(stale).await, CommitOutcome::OwnershipLost { current: RangeId(1) });
    assert_eq!(parts(store, "run").await, expected(&[(&part, "first")]));
}

/// What waits together is one transaction, and the last word counts.
pub async fn a_part_may_come_and_go_while_commits_wait(store: &impl Store) {
    let commit = owned(store, 1).await;
    let (stays, goes) = (number(1, 1), number(1, 2));
    let steps = [
        (None, vec![put(&stays, "first"), put(&goes, "first")]),
        (Some(1), vec![delete(&stays), delete(&goes)]),
        (Some(2), vec![put(&stays, "second"), put(&goes, "second")]),
        (Some(3), vec![put(&stays, "third"), delete(&goes)]),
    ];
    let answers: Vec<_> = (1..)
        .zip(steps)
        .map(|(sequence, (before, parts))| {
            let runs = vec![write("run", before, sequence, parts)];
            store.commit(ShardCommit { sequence, runs, ..commit.clone() })
        })
        .collect();
    for answer in answers {
        assert_eq!(answer.await, CommitOutcome::Committed);
    }
    assert_eq!(parts(store, "run").await, expected(&[(&stays, "third")]));
}
