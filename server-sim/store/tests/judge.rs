//! The judge as a table: what is there, what is asked, what comes of it.
use bytes::Bytes;
use tempest_core::{RunKey, Time};
use tempest_store::judge::{Change, Edit, Needs, Value, View, judge};
use tempest_store::keys::{
    BacklogTaskKey, ClusterKey, CurrentRunKey, HistoryNodeKey, HistoryTaskKey, Key, NamespaceKey, NamespaceNameKey,
    NodeKey, RunPartKey,
};
use tempest_store::values::encode_record;
use tempest_store::*;

const ON: Timeline = Timeline(0);

/// The rows that are there, as an engine would show them to the judge of `request`.
fn view(rows: &[Change], request: &WriteRequest) -> View {
    let needs = Needs::of([request]);
    let mut view = View::new(needs.clone());
    for row in rows {
        let Change::Put { table, key, value } = row else { panic!("a row is there or it is not") };
        if needs.rows(*table).any(|needed| needed == key) || needs.whole_tables().any(|whole| whole == *table) {
            view.add(*table, key.clone(), value.clone());
        }
    }
    view
}

/// What `request` changes where `rows` are there, or why it is refused.
#[track_caller]
fn check(rows: &[Change], request: &WriteRequest, expect: Result<&[Change], &str>) {
    let judged = judge(request, &view(rows, request), ON);
    match (judged, expect) {
        (Ok(verdict), Ok(changes)) => assert_eq!(verdict.changes, changes),
        (Err(error), Err(why)) => assert!(error.to_string().contains(why), "{error} is not {why}"),
        (judged, expect) => panic!("{judged:?} where {expect:?} was expected"),
    }
}

fn shard(range: i64, sequence: u64) -> Change {
    let record = ShardRecord { range_id: RangeId(range), sequence, time: Time(50), ..ShardRecord::default() };
    Change::put(&ShardId(1), encode_record(&record))
}

fn run_key(run: &str) -> RunKey {
    RunKey { namespace_id: "namespace".into(), workflow_id: "workflow".into(), run_id: run.into() }
}

fn run(run: &str, version: u64) -> Change {
    Change::put_version(&run_key(run), version, Bytes::from(format!("{run} {version}")))
}

fn run_write(run: &str, expected_version: Option<u64>, version: u64) -> RunWrite {
    let row = Bytes::from(format!("{run} {version}"));
    RunWrite { key: run_key(run), expected_version, version, row, parts: Vec::new() }
}

fn current(run: &str) -> Change {
    let RunKey { namespace_id, workflow_id, .. } = run_key(run);
    Change::put(&CurrentRunKey { namespace_id, workflow_id }, Bytes::from(run.to_owned()))
}

fn current_write(expected: Option<&str>, run: &str) -> CurrentRunWrite {
    let RunKey { namespace_id, workflow_id, run_id } = run_key(run);
    CurrentRunWrite { namespace_id, workflow_id, expected: expected.map(Into::into), run_id }
}

fn append(node: i64) -> HistoryAppend {
    let branch = BranchId { tree: "tree".to_owned(), branch: "main".to_owned() };
    HistoryAppend { branch, node, events: Bytes::from_static(b"events") }
}

fn node(node: i64) -> Change {
    Change::put(&HistoryNodeKey::of(&append(node)), append(node).events)
}

fn task_key(task_id: i64) -> TaskKey {
    TaskKey { category: TaskCategory::Transfer, fire_time: Time(0), task_id }
}

fn task(task_id: i64) -> Change {
    Change::put(&HistoryTaskKey { shard: ShardId(1), task: task_key(task_id) }, Bytes::from_static(b"task"))
}

fn task_row(task_id: i64) -> TaskRow {
    TaskRow { key: task_key(task_id), body: Bytes::from_static(b"task") }
}

fn commit(change: impl FnOnce(&mut ShardCommit)) -> WriteRequest {
    let mut commit =
        ShardCommit { shard: ShardId(1), range_id: RangeId(3), sequence: 8, time: Time(40), ..ShardCommit::default() };
    change(&mut commit);
    WriteRequest::Commit(commit)
}

#[test]
fn the_fence() {
    let there = [shard(3, 7)];
    check(&there, &commit(|_| {}), Ok(&[shard(3, 8)]));
    check(&[], &commit(|_| {}), Err("ownership was lost to range 0"));
    check(&[shard(4, 7)], &commit(|_| {}), Err("ownership was lost to range 4"));
    check(&[shard(2, 7)], &commit(|_| {}), Err("ownership was lost to range 2"));
    check(&there, &commit(|commit| commit.sequence = 7), Err("sequence 7 does not follow 7"));
    check(&there, &commit(|commit| commit.sequence = 9), Err("sequence 9 does not follow 7"));
    check(&[shard(3, u64::MAX)], &commit(|commit| commit.sequence = 0), Err("does not follow"));
    let failed_over = judge(&commit(|_| {}), &view(&there, &commit(|_| {})), Timeline(1));
    assert_eq!(failed_over, Err(StoreError::OwnershipLost { current: RangeId(0) }), "whatever its row says");
    let broken = Change::put(&ShardId(1), Bytes::from_static(&[0xc1]));
    check(&[broken], &commit(|_| {}), Err("stored data is damaged"));
}

#[test]
fn runs_and_the_current_one() {
    let there = [shard(3, 7), run("old", 4), current("old")];
    let write = |runs: &[RunWrite]| commit(|commit| commit.runs = runs.to_vec());
    let both = [run_write("old", Some(4), 5), run_write("new", None, 1)];
    check(&there, &write(&both), Ok(&[shard(3, 8), run("old", 5), run("new", 1)]));
    check(&there, &write(&[run_write("old", None, 1)]), Err("version Some(4) was found where None"));
    check(&there, &write(&[run_write("old", Some(3), 4)]), Err("version Some(4) was found where Some(3)"));
    check(&there, &write(&[run_write("new", Some(1), 2)]), Err("version None was found"));
    check(&there, &write(&[both[0].clone(), both[0].clone()]), Err("writes one run twice"));
    let three = ["a", "b", "c"].map(|run| run_write(run, None, 1));
    check(&there, &write(&three), Err("a commit of 3 runs"));

    let point = |write| commit(|commit| commit.current = Some(write));
    check(&there, &point(current_write(Some("old"), "new")), Ok(&[shard(3, 8), current("new")]));
    check(&there, &point(current_write(None, "new")), Err("where None was expected"));
    check(&there, &point(current_write(Some("other"), "new")), Err("current run Some(\"old\") was found"));
}

#[test]
fn of_a_runs_parts_only_those_that_change_are_written() {
    let there = [shard(3, 7), run("run", 4)];
    let part = |id| PartKey { kind: 2, id: PartId::Number(id) };
    let key = |id| RunPartKey { run: run_key("run"), part: part(id) };
    let body = Bytes::from_static(b"part");
    let put = PartWrite { key: part(1), body: Some(body.clone()) };
    let delete = PartWrite { key: part(2), body: None };
    let write = |expected, parts: &[PartWrite]| {
        let run = RunWrite { parts: parts.to_vec(), ..run_write("run", Some(expected), 5) };
        commit(|commit| commit.runs = vec![run])
    };
    let changes = [shard(3, 8), run("run", 5), Change::put(&key(1), body), Change::remove(&key(2))];
    check(&there, &write(4, &[put.clone(), delete.clone()]), Ok(&changes));
    check(&there, &write(3, &[delete]), Err("version Some(4) was found where Some(3)"));
    check(&there, &write(4, &[put.clone(), put]), Err("writes one part of run run twice"));
}

#[test]
fn history_and_tasks_are_added_once() {
    let there = [shard(3, 7), node(5), task(9)];
    let history = |nodes: &[i64]| commit(|commit| commit.history = nodes.iter().copied().map(append).collect());
    check(&there, &history(&[6, 7]), Ok(&[shard(3, 8), node(6), node(7)]));
    check(&there, &history(&[6, 5]), Err("history node 5 of tree tree is there already"));
    check(&there, &history(&[6, 6]), Err("one history node twice"));
    let tasks = |added: &[i64], deleted: &[i64]| {
        commit(|commit| {
            commit.tasks_added = added.iter().copied().map(task_row).collect();
            commit.tasks_deleted = deleted.iter().copied().map(task_key).collect();
        })
    };
    let gone = |id| Change::remove(&HistoryTaskKey { shard: ShardId(1), task: task_key(id) });
    check(&there, &tasks(&[10], &[9, 11]), Ok(&[shard(3, 8), task(10), gone(9), gone(11)]));
    check(&there, &tasks(&[9], &[9]), Err("task 9 is there already"));
    check(&there, &tasks(&[10, 10], &[]), Err("one task twice"));
}

#[test]
fn ownership_is_acquired_by_compare_and_set() {
    let acquire =
        |expected| WriteRequest::AcquireShard { shard: ShardId(1), expected: RangeId(expected), owner: String::new() };
    check(&[shard(3, 7)], &acquire(3), Ok(&[shard(4, 7)]));
    check(&[shard(3, 7)], &acquire(2), Err("range 3 was found where 2 was expected"));
    check(&[], &acquire(1), Err("range 0 was found where 1 was expected"));
    let verdict = judge(&acquire(3), &view(&[shard(3, 7)], &acquire(3)), Timeline(2)).expect("it is free");
    let Written::Shard(acquired) = verdict.written else { panic!("{verdict:?}") };
    assert_eq!(acquired.range_id.timeline(), Timeline(2));
}

fn partition() -> PartitionKey {
    PartitionKey {
        namespace_id: "namespace".into(),
        name: "queue".to_owned(),
        queue_type: TaskQueueType::Workflow,
        partition: 0,
    }
}

#[test]
fn a_backlog_is_fenced_by_its_lease() {
    let lease = |range, ack_level, rows| {
        Change::put(&partition(), encode_record(&PartitionRecord { range_id: RangeId(range), ack_level, rows }))
    };
    let key = |task_id| BacklogTaskKey { partition: partition(), task_id };
    let write = WriteRequest::Backlog(BacklogCommit {
        partition: partition(),
        range_id: RangeId(2),
        added: vec![BacklogRow { task_id: 6, body: Bytes::from_static(b"row") }],
        deleted: vec![5],
        ack_level: 5,
        rows: 7,
    });
    let added = Change::put(&key(6), Bytes::from_static(b"row"));
    check(&[lease(2, 3, 6)], &write, Ok(&[lease(2, 5, 7), added.clone(), Change::remove(&key(5))]));
    check(&[lease(2, 9, 0)], &write, Ok(&[lease(2, 9, 7), added, Change::remove(&key(5))]));
    check(&[lease(3, 3, 6)], &write, Err("ownership was lost to range 3"));
    check(&[], &write, Err("ownership was lost to range 0"));
    let next = WriteRequest::LeasePartition(partition());
    check(&[lease(2, 9, 4)], &next, Ok(&[lease(3, 9, 4)]));
    check(&[], &next, Ok(&[lease(1, 0, 0)]));
}

#[test]
fn names_clusters_and_nodes() {
    let record = |id: &str, name: &str, version| NamespaceRecord {
        id: id.into(),
        name: name.to_owned(),
        version,
        description: Bytes::new(),
    };
    let row = |record: &NamespaceRecord| Change::put(&NamespaceKey(record.id.clone()), encode_record(record));
    let name = |name: &str, id: &str| Change::put(&NamespaceNameKey(name.to_owned()), Bytes::from(id.to_owned()));
    let there = [row(&record("1", "red", 1)), name("red", "1")];
    let put = |id, name, version| WriteRequest::PutNamespace(record(id, name, version));
    check(&there, &put("2", "blue", 1), Ok(&[name("blue", "2"), row(&record("2", "blue", 1))]));
    let renamed =
        [Change::remove(&NamespaceNameKey("red".to_owned())), name("blue", "1"), row(&record("1", "blue", 2))];
    check(&there, &put("1", "blue", 2), Ok(&renamed));
    check(&there, &put("1", "red", 1), Err("version 1 where 2 is next"));
    check(&there, &put("2", "red", 1), Err("namespace name red is taken"));

    let cluster = ClusterRecord { shard_count: 4, cluster_id: "id".to_owned(), cluster_name: "name".to_owned() };
    let made = Change::put(&ClusterKey, encode_record(&cluster));
    check(&[], &WriteRequest::Cluster(cluster.clone()), Ok(std::slice::from_ref(&made)));
    check(&[made], &WriteRequest::Cluster(cluster), Ok(&[]));

    let node = |beat| NodeRecord { name: "node".to_owned(), beat, ..NodeRecord::default() };
    let key = NodeKey("node".to_owned());
    let row = |beat| Change::put(&key, encode_record(&node(beat)));
    check(&[row(1)], &WriteRequest::Beat(node(2)), Ok(&[row(2)]));
    check(&[row(1)], &WriteRequest::ForgetNode(node(1)), Ok(&[Change::remove(&key)]));
    check(&[row(2)], &WriteRequest::ForgetNode(node(1)), Ok(&[]));
}

#[test]
fn each_request_is_judged_by_what_those_before_it_did() {
    let requests = [
        commit(|commit| commit.tasks_added = vec![task_row(1)]),
        commit(|_| {}),
        commit(|commit| {
            commit.sequence = 9;
            commit.tasks_deleted = vec![task_key(1), task_key(2)];
        }),
        commit(|commit| {
            commit.sequence = 10;
            commit.tasks_added = vec![task_row(1)];
        }),
    ];
    let mut batch = View::new(Needs::of(&requests));
    let Change::Put { table, key, value } = shard(3, 7) else { unreachable!() };
    batch.add(table, key.clone(), value);
    let mut take = |request| judge(request, &batch, ON).map(|verdict| batch.take(verdict.changes));
    assert_eq!(take(&requests[0]), Ok(()));
    assert!(matches!(take(&requests[1]), Err(StoreError::Conflict(_))), "its sequence is taken");
    assert_eq!(take(&requests[2]), Ok(()));
    let key_of = |id| HistoryTaskKey { shard: ShardId(1), task: task_key(id) }.encode();
    let body = Value { version: 0, body: Bytes::from_static(b"task") };
    assert_eq!(batch.edit(Table::HistoryTasks, &key_of(1)), Some(&Edit::PutAndRemoved(body.clone())));
    assert_eq!(batch.edit(Table::HistoryTasks, &key_of(2)), Some(&Edit::Removed));
    let verdict = judge(&requests[3], &batch, ON).expect("it was deleted");
    batch.take(verdict.changes);
    assert_eq!(batch.edit(Table::HistoryTasks, &key_of(1)), Some(&Edit::Put(body)));
    let Change::Put { value: last, .. } = shard(3, 10) else { unreachable!() };
    assert_eq!(batch.edit(Table::Shards, &key), Some(&Edit::Put(last)), "one row, whatever the batch's length");
}
