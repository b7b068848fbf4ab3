//! The fenced write of workflow state. History nodes and tasks that are there already are found by their primary key
//! when they are inserted; here only those of the same batch.
use crate::judge::Stop;
use crate::values::{decode_record, decode_text, encode_record};
use crate::view::{Key, View};
use bytes::Bytes;
use std::collections::BTreeSet;
use tempest_store::redb::keys::{CurrentRunKey, HistoryNodeKey, HistoryTaskKey, Key as _};
use tempest_store::{ShardCommit, ShardRecord, StoreError, TaskKey, Written};

/// A start, a continue-as-new or a retry touches the run that ends and the one that begins.
const RUNS_MAX: usize = 2;

pub fn judge(view: &mut View, commit: &ShardCommit) -> Result<Written, Stop> {
    let shard = check_fence(view, commit)?;
    check_runs(view, commit)?;
    check_current_run(view, commit)?;
    let nodes = check_history(view, commit)?;
    let tasks = check_tasks(view, commit)?;
    write(view, commit, shard, nodes, tasks);
    Ok(Written::Done)
}

fn check_fence(view: &View, commit: &ShardCommit) -> Result<ShardRecord, StoreError> {
    let found = view.shards.get(&commit.shard.encode()).map(|value| decode_record(value)).transpose()?;
    let shard: ShardRecord = found.unwrap_or_default();
    if shard.range_id != commit.range_id {
        return Err(StoreError::OwnershipLost { current: shard.range_id });
    }
    if shard.sequence.checked_add(1) != Some(commit.sequence) {
        return conflict(format!(
            "shard {}: commit sequence {} does not follow {}",
            commit.shard, commit.sequence, shard.sequence
        ));
    }
    Ok(shard)
}

fn check_runs(view: &View, commit: &ShardCommit) -> Result<(), StoreError> {
    if commit.runs.len() > RUNS_MAX {
        return conflict(format!("a commit of {} runs: at most {RUNS_MAX} are allowed", commit.runs.len()));
    }
    if !all_different(commit.runs.iter().map(|run| &run.key)) {
        return conflict("a commit that writes one run twice".into());
    }
    for run in &commit.runs {
        let found = view.runs.version(&run.key.encode());
        if found != run.expected_version {
            return conflict(format!(
                "run {} of {}: version {found:?} was found where {:?} was expected",
                run.key.run_id, run.key.workflow_id, run.expected_version
            ));
        }
    }
    Ok(())
}

fn check_current_run(view: &View, commit: &ShardCommit) -> Result<(), StoreError> {
    let Some(current) = &commit.current else { return Ok(()) };
    let found = view.current_runs.get(&current_run_key(current)).map(|value| decode_text(value)).transpose()?;
    if found.as_deref() != current.expected.as_ref().map(|run| run.as_str()) {
        return conflict(format!(
            "workflow {}: current run {found:?} was found where {:?} was expected",
            current.workflow_id, current.expected
        ));
    }
    Ok(())
}

/// The nodes' keys.
fn check_history(view: &View, commit: &ShardCommit) -> Result<Vec<Key>, StoreError> {
    let key_of = |append: &tempest_store::HistoryAppend| {
        HistoryNodeKey { branch: append.branch.clone(), node: append.node }.encode()
    };
    let keys: Vec<Key> = commit.history.iter().map(key_of).collect();
    if !all_different(keys.iter()) {
        return conflict("a commit that appends one history node twice".into());
    }
    if let Some(at) = keys.iter().position(|key| view.history.contains_key(key)) {
        let append = &commit.history[at];
        return conflict(format!("history node {} of tree {} is there already", append.node, append.branch.tree));
    }
    Ok(keys)
}

/// The added tasks' keys. Task ids are never used twice: a second row under one key would silently replace the first,
/// and its work be lost.
fn check_tasks(view: &View, commit: &ShardCommit) -> Result<Vec<Key>, Stop> {
    if !all_different(commit.tasks_added.iter().map(|row| row.key)) {
        return Ok(conflict("a commit that adds one task twice".into())?);
    }
    let keys: Vec<Key> = commit.tasks_added.iter().map(|row| task_key(commit, row.key)).collect();
    // Deletions go to the database after the additions of the whole batch, and would take this task with them.
    if keys.iter().any(|key| view.history_tasks.deleted.contains(key)) {
        return Err(Stop::Apart);
    }
    if let Some(at) = keys.iter().position(|key| view.history_tasks.added.contains_key(key)) {
        let id = commit.tasks_added[at].key.task_id;
        return Ok(conflict(format!("shard {}: task {id} is there already", commit.shard))?);
    }
    Ok(keys)
}

fn write(view: &mut View, commit: &ShardCommit, shard: ShardRecord, nodes: Vec<Key>, tasks: Vec<Key>) {
    // Shard time is a high-water mark: a commit that was decided earlier cannot turn it back.
    let shard = ShardRecord { sequence: commit.sequence, time: shard.time.max(commit.time), ..shard };
    view.shards.put(commit.shard.encode(), encode_record(&shard));
    for run in &commit.runs {
        view.runs.put(run.key.encode(), run.version, run.state.clone());
    }
    if let Some(current) = &commit.current {
        view.current_runs.put(current_run_key(current), Bytes::from(current.run_id.0.clone()));
    }
    view.history.extend(nodes.into_iter().zip(commit.history.iter().map(|append| append.events.clone())));
    view.history_tasks.added.extend(tasks.into_iter().zip(commit.tasks_added.iter().map(|row| row.body.clone())));
    view.history_tasks.deleted.extend(commit.tasks_deleted.iter().map(|key| task_key(commit, *key)));
}

fn current_run_key(current: &tempest_store::CurrentRunWrite) -> Key {
    CurrentRunKey { namespace_id: current.namespace_id.clone(), workflow_id: current.workflow_id.clone() }.encode()
}

fn task_key(commit: &ShardCommit, task: TaskKey) -> Key {
    HistoryTaskKey { shard: commit.shard, task }.encode()
}

fn all_different<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().all(|item| seen.insert(item))
}

fn conflict<T>(what: String) -> Result<T, StoreError> {
    Err(StoreError::Conflict(what))
}
