//! What an operator is told when something is wrong that no client sees: in the log, and by `tempest cluster describe`.
#![allow(clippy::unwrap_used)]

mod database;
mod log;

use database::Database;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tempest_api::proto::common::v1::{WorkflowExecution, WorkflowType};
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_client::WorkflowServiceClient;
use tempest_core::Time;
use tempest_rt::net::Tcp;
use tempest_server::{ClusterConfig, ClusterDescription, Node, NodeConfig, describe_cluster};
use tempest_store::{NodeRecord, Role, StoreCalls};
use tonic::transport::{Channel, Endpoint};

const HOUR_MS: i64 = 3_600_000;
const HOUR_NS: i64 = HOUR_MS * 1_000_000;

/// So many beats later everything has come that is to come.
const BEATS_MAX: usize = 1000;

/// A node with its name, its database and a client.
struct Running {
    name: &'static str,
    database: Arc<Database>,
    node: Node,
    client: WorkflowServiceClient<Channel>,
}

impl Running {
    async fn new(name: &'static str, database: &Arc<Database>, change: impl FnOnce(&mut NodeConfig)) -> Self {
        Self::with_clock(name, database, 0, change).await
    }

    async fn with_clock(
        name: &'static str,
        database: &Arc<Database>,
        ahead_ns: i64,
        change: impl FnOnce(&mut NodeConfig),
    ) -> Self {
        let mut config = NodeConfig::new("127.0.0.1:0", 8);
        // However slow the machine is, no node is taken for dead.
        let pace = (Duration::from_millis(20), Duration::from_secs(60));
        let cluster = ClusterConfig::new(name, "127.0.0.1:0");
        config.cluster = Some(ClusterConfig { beat_interval: pace.0, silence_max: pace.1, ..cluster });
        change(&mut config);
        let node = Node::start(config, database.connection(ahead_ns), Arc::new(Tcp)).await.unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{}", node.address().unwrap())).unwrap();
        let client = WorkflowServiceClient::new(endpoint.connect().await.unwrap());
        Self { name, database: database.clone(), node, client }
    }

    /// What `tempest cluster describe` is told here, asked after each beat until it is so.
    async fn describes(&self, what: &str, is_so: impl Fn(&ClusterDescription) -> bool) -> ClusterDescription {
        let mut described = None;
        for _ in 0..BEATS_MAX {
            let now = describe_cluster(Arc::new(Tcp), self.node.peer_address().unwrap()).await.unwrap();
            if is_so(&now) {
                return now;
            }
            described = Some(now);
            self.database.beats(self.name, 1).await;
        }
        panic!("{}: {what}: {described:?}", self.name)
    }

    fn members(&self) -> Vec<String> {
        self.node.ring().unwrap().borrow().members().iter().map(|member| member.name.clone()).collect()
    }

    /// Starts a workflow; its run. What is moving between nodes is refused, and has moved some beats later.
    async fn start(&mut self, workflow: &str) -> String {
        let request = api::StartWorkflowExecutionRequest {
            namespace: "default".into(),
            workflow_id: workflow.into(),
            workflow_type: Some(WorkflowType { name: "Order".into() }),
            task_queue: Some(TaskQueue { name: "orders".into(), ..Default::default() }),
            request_id: format!("start-{workflow}"),
            ..Default::default()
        };
        for _ in 0..BEATS_MAX {
            match self.client.start_workflow_execution(request.clone()).await {
                Ok(answer) => return answer.into_inner().run_id,
                Err(status) if status.code() == tonic::Code::Unavailable => self.database.beats(self.name, 1).await,
                Err(status) => panic!("{status}"),
            }
        }
        panic!("{workflow} is not started")
    }

    /// The current run of a workflow, or how the call ended.
    async fn run_of(&mut self, workflow: &str) -> Result<String, tonic::Code> {
        let request = api::DescribeWorkflowExecutionRequest {
            namespace: "default".into(),
            execution: Some(WorkflowExecution { workflow_id: workflow.into(), ..Default::default() }),
        };
        for _ in 0..BEATS_MAX {
            match self.client.describe_workflow_execution(request.clone()).await {
                Ok(answer) => {
                    let info = answer.into_inner().workflow_execution_info.unwrap();
                    return Ok(info.execution.unwrap().run_id);
                }
                Err(status) if status.code() == tonic::Code::Unavailable => self.database.beats(self.name, 1).await,
                Err(status) => return Err(status.code()),
            }
        }
        panic!("{workflow} is not described")
    }
}

/// A counter of every node.
fn counts(described: &ClusterDescription, counter: &str) -> Vec<u64> {
    described.nodes.iter().map(|(_, node)| node.as_ref().unwrap().counters[counter]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_an_hour_off_is_told_and_serves_like_any() {
    log::listen();
    for (right, wrong, ahead) in [("right-a", "early", HOUR_NS), ("right-b", "late", -HOUR_NS)] {
        let database = Database::new().await;
        let mut a = Running::new(right, &database, |_| {}).await;
        let mut b = Running::with_clock(wrong, &database, ahead, |_| {}).await;

        // Each tells of the other: which clock is wrong is unknown. Time went by between two readings, but no half hour.
        let is_off = |ms: Option<i64>, sign: i64| ms.is_some_and(|ms| ms * sign > HOUR_MS / 2);
        let sign = ahead.signum();
        a.describes("the clock of the other", |told| is_off(told.clock_apart_ms(wrong), sign)).await;
        b.describes("the clock of the other", |told| is_off(told.clock_apart_ms(right), -sign)).await;
        for (node, sign) in [(wrong, sign), (right, -sign)] {
            let lines = log::lines_with(&["WARN", "that node's wall clock differs", &format!(" node={node} ")]);
            let is_behind = |line: &String| line.contains("seconds_ahead=-");
            assert!(!lines.is_empty() && lines.iter().all(|line| is_behind(line) == (sign < 0)), "{node}: {lines:?}");
        }

        // It has its part of the shards and stays.
        let both = BTreeSet::from([right, wrong]);
        let owned_by_both = |told: &ClusterDescription| {
            let owners = told.owners();
            owners.len() == 8 && owners.values().map(|(_, owner)| *owner).collect::<BTreeSet<_>>() == both
        };
        a.describes("every shard has an owner, and each node has shards", owned_by_both).await;
        let (mut ring_of_a, mut ring_of_b) = (a.node.ring().unwrap(), b.node.ring().unwrap());
        ring_of_a.mark_unchanged();
        ring_of_b.mark_unchanged();
        for number in 0..16 {
            let (first, second) = if number % 2 == 0 { (&mut a, &mut b) } else { (&mut b, &mut a) };
            let workflow = format!("order-{number}");
            let run = first.start(&workflow).await;
            assert_eq!(second.run_of(&workflow).await, Ok(run));
        }
        database.beats(right, 30).await;
        database.beats(wrong, 30).await;
        assert!(!ring_of_a.has_changed().unwrap() && !ring_of_b.has_changed().unwrap(), "nobody was taken for dead");
        for node in [&a, &b] {
            assert_eq!(node.members().iter().map(String::as_str).collect::<BTreeSet<_>>(), both);
        }
        let described = a.describes("both", |told| told.nodes.len() == 2).await;
        for counter in ["data_loss", "shard_panics", "commits_conflicting"] {
            assert_eq!(counts(&described, counter), [0, 0], "{counter}");
        }
        a.node.stop().await;
        b.node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_beat_with_an_odd_clock_is_passed_over_in_silence() {
    log::listen();
    let database = Database::new().await;
    let watcher = Running::new("watcher", &database, |_| {}).await;
    let store = database.connection(0);
    let (odd, right) = (HOUR_NS, 0);
    // The first may be the row of a node that is gone for long: it is odd for another reason.
    let beats = [(-odd, 0), (right, 0), (odd, 0), (right, 0), (odd, 0), (odd, 1)];
    for (beat, (ahead, told)) in (1..).zip(beats) {
        let row = NodeRecord {
            name: "odd".into(),
            address: "127.0.0.1:1".into(),
            roles: vec![Role::Frontend],
            beat,
            wall_clock: Time(tempest_rt::time::wall_clock_ns() + ahead),
            ..NodeRecord::default()
        };
        store.beat(row).await.unwrap();
        database.beats("watcher", 3).await;
        let lines = log::lines_with(&["that node's wall clock differs", " node=odd "]);
        assert_eq!(lines.len(), told, "beat {beat}: {lines:?}");
    }
    watcher.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_a_failover_lost_are_counted_and_logged() {
    log::listen();
    let database = Database::new().await;
    let mut node = Running::new("alone", &database, |config| {
        // One shard, so that one shard loses something.
        config.shard_count = 1;
        // A shard that hears nothing looks that often whether it is still owned.
        config.cluster.as_mut().unwrap().silence_max = Duration::from_millis(500);
        config.history.reacquire_delay = Duration::from_millis(10);
    })
    .await;
    let kept = node.start("kept").await;
    let before = node.describes("the node", |told| told.owners().len() == 1).await;
    assert_eq!(counts(&before, "data_loss"), [0]);

    database.cut_the_standby_off();
    let lost = node.start("lost").await;
    assert_eq!(node.run_of("lost").await.as_ref(), Ok(&lost), "it was acknowledged and could be read");
    database.fail_over();
    node.describes("the loss", |told| counts(told, "data_loss") != [0]).await;
    let lines = log::lines_with(&["ERROR", "data_loss=true", "acknowledged commits of this shard are gone"]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    database.beats("alone", 3).await;
    let lines = log::lines_with(&["WARN", "the database has failed over", " before=0 ", " now=1 "]);
    assert_eq!(lines.len(), 1, "{lines:?}");

    // What it told of is so, and it goes on.
    assert_eq!(node.run_of("lost").await, Err(tonic::Code::NotFound));
    assert_eq!(node.run_of("kept").await, Ok(kept));
    let anew = node.start("lost").await;
    assert_ne!(anew, lost);
    assert_eq!(node.run_of("lost").await, Ok(anew));
    let after = node.describes("the shard has its owner", |told| told.owners().len() == 1).await;
    assert_eq!(counts(&after, "data_loss"), [1], "a loss is told once");
    node.node.stop().await;
}
