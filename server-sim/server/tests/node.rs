//! A node from start to stop, over real TCP and a store in memory.
#![allow(clippy::unwrap_used)]
use std::sync::Arc;
use std::time::Duration;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::health::health_client::HealthClient;
use tempest_api::services::workflow::workflow_service_client::WorkflowServiceClient;
use tempest_api::{HealthCheckRequest, ServingStatus};
use tempest_rt::net::Tcp;
use tempest_server::{Node, NodeConfig, NodeError};
use tempest_store::redb::{RedbConfig, RedbStore};
use tonic::transport::{Channel, Endpoint};

async fn store() -> Arc<RedbStore> {
    Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap())
}

fn config(shards: u32) -> NodeConfig {
    let mut config = NodeConfig::new("127.0.0.1:0", shards);
    config.namespaces.push("orders".into());
    config
}

async fn channel(node: &Node) -> Channel {
    Endpoint::from_shared(format!("http://{}", node.address().unwrap())).unwrap().connect().await.unwrap()
}

#[tokio::test]
async fn a_node_serves_what_it_was_configured_for() {
    let node = Node::start(config(3), store().await, Arc::new(Tcp)).await.unwrap();
    let health = HealthClient::new(channel(&node).await).check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(health.into_inner().status(), ServingStatus::Serving);
    let mut client = WorkflowServiceClient::new(channel(&node).await);
    for namespace in ["default", "orders"] {
        let request = api::DescribeNamespaceRequest { namespace: namespace.into(), ..Default::default() };
        client.describe_namespace(request).await.unwrap();
    }
    let cluster = client.get_cluster_info(api::GetClusterInfoRequest {}).await.unwrap().into_inner();
    assert_eq!((cluster.history_shard_count, cluster.cluster_name.as_str()), (3, "active"));
    assert!(!cluster.cluster_id.is_empty());
    node.stop().await;
}

#[tokio::test]
async fn health_checks_fail_before_a_node_stops() {
    let config = NodeConfig { fail_health_checks_for: Duration::from_secs(2), ..config(3) };
    let node = Node::start(config, store().await, Arc::new(Tcp)).await.unwrap();
    let mut health = HealthClient::new(channel(&node).await);
    let stopping = tempest_rt::task::spawn(node.stop());
    for service in ["", "temporal.api.workflowservice.v1.WorkflowService"] {
        let request = HealthCheckRequest { service: service.into() };
        let until_it_fails = async {
            while health.check(request.clone()).await.unwrap().into_inner().status() == ServingStatus::Serving {}
            health.check(request.clone()).await.unwrap().into_inner().status()
        };
        assert_eq!(until_it_fails.await, ServingStatus::NotServing);
    }
    tokio::time::timeout(Duration::from_secs(10), stopping).await.expect("it stops").unwrap();
}

#[tokio::test]
async fn a_node_stops_although_somebody_waits_for_a_task() {
    let node = Node::start(config(3), store().await, Arc::new(Tcp)).await.unwrap();
    let mut client = WorkflowServiceClient::new(channel(&node).await);
    let polling = tempest_rt::task::spawn(async move {
        let mut poll = tonic::Request::new(api::PollWorkflowTaskQueueRequest {
            namespace: "default".into(),
            task_queue: Some(tempest_api::proto::taskqueue::v1::TaskQueue { name: "q".into(), ..Default::default() }),
            ..Default::default()
        });
        poll.set_timeout(Duration::from_secs(60));
        client.poll_workflow_task_queue(poll).await
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    tokio::time::timeout(Duration::from_secs(10), node.stop()).await.expect("it does not wait for the poll");
    polling.abort();
}

#[tokio::test]
async fn a_store_keeps_its_shard_count_through_restarts() {
    let store = store().await;
    Node::start(config(3), store.clone(), Arc::new(Tcp)).await.unwrap().stop().await;
    Node::start(config(3), store.clone(), Arc::new(Tcp)).await.unwrap().stop().await;
    let refused = Node::start(config(4), store, Arc::new(Tcp)).await.err().unwrap();
    assert!(matches!(refused, NodeError::ShardCount { stored: 3, asked: 4 }), "{refused}");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let node = Node::start(config(3), store().await, Arc::new(Tcp)).await.unwrap();
    let second = NodeConfig { address: node.address().unwrap().to_owned(), ..config(3) };
    let refused = Node::start(second, store().await, Arc::new(Tcp)).await.err().unwrap();
    assert!(
        matches!(&refused, NodeError::Listen { address, .. } if Some(address.as_str()) == node.address()),
        "{refused}"
    );
}

#[tokio::test]
async fn an_address_without_a_port_is_refused_with_its_fix() {
    let config = NodeConfig { address: "localhost".into(), ..config(3) };
    let refused = Node::start(config, store().await, Arc::new(Tcp)).await.err().unwrap();
    assert!(refused.to_string().contains("address is \"localhost\", which has no port: write HOST:PORT"), "{refused}");
}

#[tokio::test]
async fn a_bound_out_of_range_is_named() {
    let mut config = config(3);
    config.matching.waiting_polls_max = 0;
    let refused = Node::start(config, store().await, Arc::new(Tcp)).await.err().unwrap();
    assert!(refused.to_string().contains("waiting_polls_max"), "{refused}");
}
