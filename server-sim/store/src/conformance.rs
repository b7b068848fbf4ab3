//! What every [`Store`] must do, as tests that any implementation runs against itself.
//!
//! Each function takes an empty store and panics where the contract is broken. [`all`] runs each on a store of its own.
use crate::*;
use bytes::Bytes;
use tempest_core::{EventId, RunKey, Time};

mod backlogs;
mod histories;
mod namespaces;
mod nodes;
mod ownership;
mod pipelining;
mod run_parts;
mod runs;
mod tasks;

/// Runs the whole suite; `empty` makes a store with nothing in it, and is given the name of the test it is for.
pub async fn all<S: Store, F: Future<Output = S>>(mut empty: impl FnMut(&'static str) -> F) {
    ownership::a_shard_is_acquired_by_compare_and_set(&empty("acquire").await).await;
    ownership::a_stale_range_is_refused_and_leaves_nothing(&empty("stale range").await).await;
    ownership::sequences_have_no_gaps(&empty("sequence").await).await;
    ownership::shard_time_never_goes_back(&empty("shard time").await).await;
    ownership::ranges_are_told_for_many_shards(&empty("ranges").await).await;
    ownership::the_first_caller_makes_the_cluster(&empty("cluster").await).await;
    runs::versions_are_compared(&empty("versions").await).await;
    runs::at_most_two_runs(&empty("two runs").await).await;
    runs::the_current_pointer_is_compared(&empty("current").await).await;
    runs::runs_are_listed_in_key_order(&empty("list runs").await).await;
    runs::a_refused_commit_leaves_nothing(&empty("atomicity").await).await;
    run_parts::only_what_changed_is_overwritten(&empty("parts").await).await;
    run_parts::a_refusal_leaves_the_parts(&empty("refused parts").await).await;
    run_parts::a_part_may_come_and_go_while_commits_wait(&empty("parts that come and go").await).await;
    histories::branches_keep_apart_and_page(&empty("history").await).await;
    histories::a_node_is_written_once(&empty("node once").await).await;
    tasks::ranges_are_exclusive_and_ordered(&empty("tasks").await).await;
    tasks::deleting_what_is_not_there_is_no_error(&empty("task deletion").await).await;
    tasks::a_task_is_added_once(&empty("task once").await).await;
    namespaces::names_are_unique_and_versions_compared(&empty("namespaces").await).await;
    nodes::a_beat_tells_who_was_there(&empty("beat").await).await;
    backlogs::a_lease_fences_the_backlog(&empty("lease").await).await;
    backlogs::rows_come_in_order_per_partition(&empty("backlog").await).await;
    pipelining::commits_apply_in_the_order_they_were_asked(&empty("pipelining").await).await;
    pipelining::a_refusal_disturbs_no_other_shard(&empty("refusal").await).await;
    pipelining::dropping_the_answer_takes_nothing_back(&empty("dropped answer").await).await;
}

/// An owned shard with its next commit.
async fn owned(store: &impl Store, shard: u32) -> ShardCommit {
    let record = store.acquire_shard(ShardId(shard), RangeId(0), "conformance").await.expect("no owner has it yet");
    assert_eq!((record.range_id, record.sequence), (RangeId(1), 0));
    ShardCommit { shard: ShardId(shard), range_id: RangeId(1), sequence: 1, ..ShardCommit::default() }
}

fn run_key(run: &str) -> RunKey {
    RunKey { namespace_id: "namespace".into(), workflow_id: "workflow".into(), run_id: run.into() }
}

fn run_write(run: &str, expected_version: Option<u64>, version: u64) -> RunWrite {
    let row = Bytes::from(format!("{run} at {version}"));
    RunWrite { key: run_key(run), expected_version, version, row, parts: Vec::new() }
}

fn current_write(expected: Option<&str>, run: &str) -> CurrentRunWrite {
    let RunKey { namespace_id, workflow_id, run_id } = run_key(run);
    CurrentRunWrite { namespace_id, workflow_id, expected: expected.map(Into::into), run_id }
}

fn branch(tree: &str, branch: &str) -> BranchId {
    BranchId { tree: tree.to_owned(), branch: branch.to_owned() }
}

fn append(on: &BranchId, node: EventId) -> HistoryAppend {
    HistoryAppend { branch: on.clone(), node, events: Bytes::from(format!("{} {} {node}", on.tree, on.branch)) }
}

fn task_key(category: TaskCategory, fire_time: i64, task_id: i64) -> TaskKey {
    TaskKey { category, fire_time: Time(fire_time), task_id }
}

fn task_row(key: TaskKey) -> TaskRow {
    TaskRow { key, body: Bytes::from(format!("{key:?}")) }
}

fn partition(name: &str, queue_type: TaskQueueType) -> PartitionKey {
    PartitionKey { namespace_id: "namespace".into(), name: name.to_owned(), queue_type, partition: 0 }
}

#[track_caller]
fn assert_conflict(outcome: &CommitOutcome) {
    assert!(matches!(outcome, CommitOutcome::Conflict(_)), "a conflict was expected, not {outcome:?}");
}
