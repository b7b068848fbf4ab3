//! The fenced write of workflow state.
use crate::Written;
use crate::redb::keys::{CurrentRunKey, HistoryNodeKey, HistoryTaskKey};
use crate::redb::tables::{Stop, Tables};
use crate::redb::values;
use crate::{ShardCommit, ShardRecord, StoreError};
use std::collections::BTreeSet;

/// A start, a continue-as-new or a retry touches the run that ends and the one that begins.
const RUNS_MAX: usize = 2;

pub fn apply(tables: &mut Tables<'_>, commit: &ShardCommit) -> Result<Written, Stop> {
    let shard = check_fence(tables, commit)?;
    check_runs(tables, commit)?;
    check_current_run(tables, commit)?;
    check_history(tables, commit)?;
    check_tasks(tables, commit)?;
    write(tables, commit, shard)?;
    Ok(Written::Done)
}

fn check_fence(tables: &Tables<'_>, commit: &ShardCommit) -> Result<ShardRecord, Stop> {
    let shard = tables.shards.get(&commit.shard, values::decode_record::<ShardRecord>)?.unwrap_or_default();
    if shard.range_id != commit.range_id && !tempest_rt::planted!("commit-range-not-checked") {
        return Err(StoreError::OwnershipLost { current: shard.range_id }.into());
    }
    if shard.sequence.checked_add(1) != Some(commit.sequence) {
        return conflict(format!(
            "shard {}: commit sequence {} does not follow {}",
            commit.shard, commit.sequence, shard.sequence
        ));
    }
    Ok(shard)
}

fn check_runs(tables: &Tables<'_>, commit: &ShardCommit) -> Result<(), Stop> {
    if commit.runs.len() > RUNS_MAX {
        return conflict(format!("a commit of {} runs: at most {RUNS_MAX} are allowed", commit.runs.len()));
    }
    if !all_different(commit.runs.iter().map(|run| &run.key)) {
        return conflict("a commit that writes one run twice".into());
    }
    for run in &commit.runs {
        let found = tables.runs.get(&run.key, values::decode_run_version)?;
        if found != run.expected_version {
            return conflict(format!(
                "run {} of {}: version {found:?} was found where {:?} was expected",
                run.key.run_id, run.key.workflow_id, run.expected_version
            ));
        }
    }
    Ok(())
}

fn check_current_run(tables: &Tables<'_>, commit: &ShardCommit) -> Result<(), Stop> {
    let Some(current) = &commit.current else { return Ok(()) };
    let key = CurrentRunKey { namespace_id: current.namespace_id.clone(), workflow_id: current.workflow_id.clone() };
    let found = tables.current_runs.get(&key, values::decode_record)?;
    if found != current.expected {
        return conflict(format!(
            "workflow {}: current run {found:?} was found where {:?} was expected",
            current.workflow_id, current.expected
        ));
    }
    Ok(())
}

fn check_history(tables: &Tables<'_>, commit: &ShardCommit) -> Result<(), Stop> {
    if !all_different(commit.history.iter().map(|append| (&append.branch, append.node))) {
        return conflict("a commit that appends one history node twice".into());
    }
    for append in &commit.history {
        let key = HistoryNodeKey { branch: append.branch.clone(), node: append.node };
        if tables.history.contains(&key)? {
            return conflict(format!("history node {} of tree {} is there already", append.node, append.branch.tree));
        }
    }
    Ok(())
}

/// Task ids are never used twice: a second row under one key would silently replace the first, and its work be lost.
fn check_tasks(tables: &Tables<'_>, commit: &ShardCommit) -> Result<(), Stop> {
    if !all_different(commit.tasks_added.iter().map(|row| row.key)) {
        return conflict("a commit that adds one task twice".into());
    }
    for row in &commit.tasks_added {
        if tables.history_tasks.contains(&HistoryTaskKey { shard: commit.shard, task: row.key })? {
            return conflict(format!("shard {}: task {} is there already", commit.shard, row.key.task_id));
        }
    }
    Ok(())
}

fn write(tables: &mut Tables<'_>, commit: &ShardCommit, shard: ShardRecord) -> Result<(), Stop> {
    // Shard time is a high-water mark: a commit that was decided earlier cannot turn it back.
    let shard = ShardRecord { sequence: commit.sequence, time: shard.time.max(commit.time), ..shard };
    tables.shards.put(&commit.shard, &values::encode_record(&shard))?;
    for run in &commit.runs {
        tables.runs.put(&run.key, &values::encode_run(run.version, &run.state))?;
    }
    if let Some(current) = &commit.current {
        let key =
            CurrentRunKey { namespace_id: current.namespace_id.clone(), workflow_id: current.workflow_id.clone() };
        tables.current_runs.put(&key, &values::encode_record(&current.run_id))?;
    }
    for append in &commit.history {
        let key = HistoryNodeKey { branch: append.branch.clone(), node: append.node };
        tables.history.put(&key, &values::encode_bytes(&append.events))?;
    }
    for row in &commit.tasks_added {
        let key = HistoryTaskKey { shard: commit.shard, task: row.key };
        tables.history_tasks.put(&key, &values::encode_bytes(&row.body))?;
    }
    for task in &commit.tasks_deleted {
        tables.history_tasks.remove(&HistoryTaskKey { shard: commit.shard, task: *task })?;
    }
    Ok(())
}

fn all_different<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().all(|item| seen.insert(item))
}

fn conflict<T>(what: String) -> Result<T, Stop> {
    Err(StoreError::Conflict(what).into())
}
