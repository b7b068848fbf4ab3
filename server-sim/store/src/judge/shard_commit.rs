//! The fenced write of workflow state.
use crate::judge::{Change, Verdict, View, conflict};
use crate::keys::{CurrentRunKey, HistoryNodeKey, HistoryTaskKey, RunPartKey};
use crate::values::{decode_text, encode_record};
use crate::{RunWrite, ShardCommit, ShardRecord, StoreError, Written};
use bytes::Bytes;
use std::collections::BTreeSet;

/// A start, a continue-as-new or a retry touches the run that ends and the one that begins.
const RUNS_MAX: usize = 2;

pub fn judge(view: &View, commit: &ShardCommit) -> Result<Verdict, StoreError> {
    let mut changes = vec![shard(view, commit)?];
    runs(view, commit, &mut changes)?;
    changes.extend(current_run(view, commit)?);
    history(view, commit, &mut changes)?;
    tasks(view, commit, &mut changes)?;
    Ok(Verdict { written: Written::Done, changes })
}

/// The fence.
fn shard(view: &View, commit: &ShardCommit) -> Result<Change, StoreError> {
    let shard: ShardRecord = view.record(&commit.shard)?.unwrap_or_default();
    if shard.range_id != commit.range_id && !tempest_rt::planted!(crate::plants::COMMIT_RANGE_NOT_CHECKED) {
        return Err(StoreError::OwnershipLost { current: shard.range_id });
    }
    if shard.sequence.checked_add(1) != Some(commit.sequence) {
        return conflict(format!(
            "shard {}: commit sequence {} does not follow {}",
            commit.shard, commit.sequence, shard.sequence
        ));
    }
    // Shard time is a high-water mark: a commit that was decided earlier cannot turn it back.
    let shard = ShardRecord { sequence: commit.sequence, time: shard.time.max(commit.time), ..shard };
    Ok(Change::put(&commit.shard, encode_record(&shard)))
}

fn runs(view: &View, commit: &ShardCommit, changes: &mut Vec<Change>) -> Result<(), StoreError> {
    if commit.runs.len() > RUNS_MAX {
        return conflict(format!("a commit of {} runs: at most {RUNS_MAX} are allowed", commit.runs.len()));
    }
    if !all_different(commit.runs.iter().map(|run| &run.key)) {
        return conflict("a commit that writes one run twice".into());
    }
    for run in &commit.runs {
        let found = view.version(&run.key);
        if found != run.expected_version {
            return conflict(format!(
                "run {} of {}: version {found:?} was found where {:?} was expected",
                run.key.run_id, run.key.workflow_id, run.expected_version
            ));
        }
        changes.push(Change::put_version(&run.key, run.version, run.row.clone()));
        parts(run, changes)?;
    }
    Ok(())
}

/// By nothing but their run's version: who knows that knows its parts.
fn parts(run: &RunWrite, changes: &mut Vec<Change>) -> Result<(), StoreError> {
    if !all_different(run.parts.iter().map(|part| &part.key)) {
        return conflict(format!("a commit that writes one part of run {} twice", run.key.run_id));
    }
    changes.extend(run.parts.iter().map(|part| {
        let key = RunPartKey { run: run.key.clone(), part: part.key.clone() };
        match &part.body {
            Some(body) => Change::put(&key, body.clone()),
            None => Change::remove(&key),
        }
    }));
    Ok(())
}

fn current_run(view: &View, commit: &ShardCommit) -> Result<Option<Change>, StoreError> {
    let Some(current) = &commit.current else { return Ok(None) };
    let key = CurrentRunKey::of(current);
    let found = view.body(&key).map(|value| decode_text(value)).transpose()?;
    if found.as_deref() != current.expected.as_ref().map(|run| run.as_str()) {
        return conflict(format!(
            "workflow {}: current run {found:?} was found where {:?} was expected",
            current.workflow_id, current.expected
        ));
    }
    Ok(Some(Change::put(&key, Bytes::from(current.run_id.0.clone()))))
}

fn history(view: &View, commit: &ShardCommit, changes: &mut Vec<Change>) -> Result<(), StoreError> {
    if !all_different(commit.history.iter().map(|append| (&append.branch, append.node))) {
        return conflict("a commit that appends one history node twice".into());
    }
    for append in &commit.history {
        let change = Change::put(&HistoryNodeKey::of(append), append.events.clone());
        if view.contains(change.table(), change.key()) {
            return conflict(format!("history node {} of tree {} is there already", append.node, append.branch.tree));
        }
        changes.push(change);
    }
    Ok(())
}

/// Task ids are never used twice: a second row under one key would silently replace the first, and its work be lost.
fn tasks(view: &View, commit: &ShardCommit, changes: &mut Vec<Change>) -> Result<(), StoreError> {
    let key_of = |task| HistoryTaskKey { shard: commit.shard, task };
    if !all_different(commit.tasks_added.iter().map(|row| row.key)) {
        return conflict("a commit that adds one task twice".into());
    }
    for row in &commit.tasks_added {
        let change = Change::put(&key_of(row.key), row.body.clone());
        if view.contains(change.table(), change.key()) {
            return conflict(format!("shard {}: task {} is there already", commit.shard, row.key.task_id));
        }
        changes.push(change);
    }
    changes.extend(commit.tasks_deleted.iter().map(|task| Change::remove(&key_of(*task))));
    Ok(())
}

fn all_different<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().all(|item| seen.insert(item))
}
