//! Three nodes over one store, in one process, over real TCP.
#![allow(clippy::unwrap_used)]
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tempest_api::proto::common::v1::{WorkflowExecution, WorkflowType};
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_client::WorkflowServiceClient;
use tempest_rt::net::Tcp;
use tempest_rt::task::spawn;
use tempest_server::{ClusterConfig, ClusterDescription, DescribeError, Node, NodeConfig, NodeError};
use tempest_server::{describe_cluster, nodes_alive};
use tempest_store::Role;
use tempest_store::redb::{RedbConfig, RedbStore};
use tonic::transport::{Channel, Endpoint};

type Client = WorkflowServiceClient<Channel>;

const SHARDS: u32 = 16;

async fn node(name: &str, store: &Arc<RedbStore>) -> Node {
    node_with_roles(name, store, &[Role::Frontend, Role::History, Role::Matching]).await
}

async fn node_with_roles(name: &str, store: &Arc<RedbStore>, roles: &[Role]) -> Node {
    try_node(name, store, roles).await.unwrap()
}

async fn try_node(name: &str, store: &Arc<RedbStore>, roles: &[Role]) -> Result<Node, NodeError> {
    let mut config = NodeConfig::new("127.0.0.1:0", SHARDS);
    let pace = (Duration::from_millis(20), Duration::from_millis(500));
    let cluster = ClusterConfig { roles: roles.to_vec(), ..ClusterConfig::new(name, "127.0.0.1:0") };
    config.cluster = Some(ClusterConfig { beat_interval: pace.0, silence_max: pace.1, ..cluster });
    Node::start(config, store.clone(), Arc::new(Tcp)).await
}

async fn client(node: &Node) -> Client {
    let endpoint = Endpoint::from_shared(format!("http://{}", node.address().unwrap())).unwrap();
    Client::new(endpoint.connect().await.unwrap())
}

/// Waits until a node sees so many members.
async fn sees(node: &Node, members: usize) {
    let mut ring = node.ring().unwrap();
    let seen = ring.wait_for(|ring| ring.members().len() == members);
    tokio::time::timeout(Duration::from_secs(30), seen).await.expect("the cluster settles").unwrap();
}

/// Calls until the call goes through: what is moving is refused with a retryable error.
macro_rules! again {
    ($client:expr, $call:ident, $request:expr) => {{
        let mut tries = 0;
        loop {
            match $client.$call($request).await {
                Ok(answer) => break answer.into_inner(),
                Err(status) if tries < 50 && matches!(status.code(), tonic::Code::Unavailable) => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(status) => panic!("{}: {status}", stringify!($call)),
            }
        }
    }};
}

async fn start(client: &mut Client, number: usize) -> String {
    let request = api::StartWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_id: format!("order-{number}"),
        workflow_type: Some(WorkflowType { name: "Order".into() }),
        task_queue: Some(TaskQueue { name: "orders".into(), ..Default::default() }),
        request_id: format!("request-{number}"),
        ..Default::default()
    };
    again!(client, start_workflow_execution, request.clone()).run_id
}

async fn signal(client: &mut Client, number: usize, name: &str) {
    let request = api::SignalWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: Some(WorkflowExecution { workflow_id: format!("order-{number}"), ..Default::default() }),
        signal_name: name.into(),
        request_id: format!("{name}-{number}"),
        ..Default::default()
    };
    again!(client, signal_workflow_execution, request.clone());
}

async fn signals(client: &mut Client, number: usize) -> usize {
    let request = api::GetWorkflowExecutionHistoryRequest {
        namespace: "default".into(),
        execution: Some(WorkflowExecution { workflow_id: format!("order-{number}"), ..Default::default() }),
        ..Default::default()
    };
    let events = again!(client, get_workflow_execution_history, request.clone()).history.unwrap().events;
    events.iter().filter(|event| event.event_type() == EventType::WorkflowExecutionSignaled).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_answers_for_all_and_survives_the_others() {
    let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap());
    let (a, b, c) = (node("a", &store).await, node("b", &store).await, node("c", &store).await);
    for node in [&a, &b, &c] {
        sees(node, 3).await;
    }
    let ring = a.ring().unwrap().borrow().clone();
    let owners: BTreeSet<String> =
        (1..=SHARDS).map(|shard| ring.of_shard(tempest_store::ShardId(shard)).unwrap().name.clone()).collect();
    assert_eq!(owners.len(), 3, "each node has some shards");

    let (mut to_a, mut to_b, mut to_c) = (client(&a).await, client(&b).await, client(&c).await);
    let mut runs = Vec::new();
    for number in 0..30 {
        runs.push(start(&mut to_a, number).await);
        signal(&mut to_b, number, "from-b").await;
    }
    for number in 0..30 {
        assert_eq!(signals(&mut to_c, number).await, 1);
    }

    // One leaves in order, one is dropped in the middle of its work.
    b.stop().await;
    sees(&a, 2).await;
    for number in 0..30 {
        signal(&mut to_a, number, "after-b").await;
    }
    drop(c);
    sees(&a, 1).await;
    for (number, run) in runs.iter().enumerate() {
        signal(&mut to_a, number, "after-c").await;
        assert_eq!(signals(&mut to_a, number).await, 3);
        assert_eq!(start(&mut to_a, number).await, *run, "a repeated start finds its run");
    }
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_find_polls_at_any_node() {
    let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap());
    let (a, b) = (node("a", &store).await, node("b", &store).await);
    sees(&a, 2).await;
    sees(&b, 2).await;
    let (mut to_a, mut to_b) = (client(&a).await, client(&b).await);
    let mut seen = BTreeSet::new();
    let poll = |client: &Client| {
        let mut client = client.clone();
        async move {
            let request = api::PollWorkflowTaskQueueRequest {
                namespace: "default".into(),
                task_queue: Some(TaskQueue { name: "orders".into(), ..Default::default() }),
                identity: "worker".into(),
                ..Default::default()
            };
            let patient = || {
                let mut request = tonic::Request::new(request.clone());
                request.set_timeout(Duration::from_secs(60));
                request
            };
            again!(client, poll_workflow_task_queue, patient())
        }
    };
    // Polls that wait before there is a task, at both nodes.
    let (early_a, early_b) = (spawn(poll(&to_a)), spawn(poll(&to_b)));
    for number in 0..10 {
        start(if number % 2 == 0 { &mut to_a } else { &mut to_b }, number).await;
    }
    for answer in [early_a.await.unwrap(), early_b.await.unwrap()] {
        seen.insert(answer.workflow_execution.unwrap().workflow_id);
    }
    while seen.len() < 10 {
        let answer = poll(if seen.len() % 2 == 0 { &to_a } else { &to_b }).await;
        assert!(seen.insert(answer.workflow_execution.unwrap().workflow_id), "a task is given once");
    }
    a.stop().await;
    b.stop().await;
}

/// Tasks and partitions in memory of the matching of this node.
fn backlog_of(described: &ClusterDescription, name: &str) -> (u64, u64) {
    let (_, node) = described.nodes.iter().find(|(member, _)| member.name == name).unwrap();
    let backlog = node.as_ref().unwrap().backlog;
    (backlog.tasks, backlog.partitions)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_role_frontend_a_node_serves_other_nodes_only() {
    let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap());
    let a = node_with_roles("a", &store, &[Role::Frontend]).await;
    let b = node_with_roles("b", &store, &[Role::History, Role::Matching]).await;
    for node in [&a, &b] {
        sees(node, 2).await;
    }
    assert_eq!(b.address(), None);
    start(&mut client(&a).await, 1).await;

    // Until every shard has said how far it is behind, and the workflow task waits for a poll.
    let mut tries = 0;
    let described = loop {
        let described = describe_cluster(Arc::new(Tcp), a.peer_address().unwrap()).await.unwrap();
        if described.lags().len() == SHARDS as usize && backlog_of(&described, "b") == (1, 1) {
            break described;
        }
        tries += 1;
        assert!(tries < 300, "{described:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(described.owners().values().all(|(_, owner)| *owner == "b"));
    assert_eq!(backlog_of(&described, "a"), (0, 0));
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_no_node_is_told_from_whoever_is_not_there() {
    let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap());
    let a = node("a", &store).await;
    let describe = |address: String| async move { describe_cluster(Arc::new(Tcp), &address).await.err().unwrap() };
    let for_clients = describe(a.address().unwrap().to_owned()).await;
    assert!(matches!(for_clients, DescribeError::NotForNodes { .. }), "{for_clients}");
    let gone = a.peer_address().unwrap().to_owned();
    a.stop().await;
    let gone = describe(gone).await;
    assert!(matches!(&gone, DescribeError::NotReached { why, .. } if why.contains("refused")), "{gone}");
    let portless = describe("localhost".to_owned()).await;
    assert!(matches!(portless, DescribeError::Address(_)), "{portless}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_of_a_name_gives_way_and_the_first_goes_on() {
    let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap());
    assert!(nodes_alive(&*store).await.unwrap().is_empty());
    let a = node("a", &store).await;
    let refused = try_node("a", &store, &[Role::History, Role::Matching]).await.err().expect("the name is taken");
    assert!(matches!(&refused, NodeError::NameTaken { name, .. } if name == "a"), "{refused}");
    start(&mut client(&a).await, 1).await;
    assert_eq!(nodes_alive(&*store).await.unwrap(), ["a"]);
    a.stop().await;
    assert!(nodes_alive(&*store).await.unwrap().is_empty(), "it has left");
}
