//! What clients read that is of no workflow.
use super::Outside;
use tempest_api::proto::enums::v1::TaskQueueType;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tonic::Status;

/// The cluster, the namespaces, and who polls the queue.
pub(super) async fn around(outside: &Outside) -> Result<(), Status> {
    let request = api::GetClusterInfoRequest {};
    outside.known::<_, api::GetClusterInfoResponse>("GetClusterInfo", &request).await?;
    let request = api::ListNamespacesRequest { page_size: 1, ..Default::default() };
    outside.known::<_, api::ListNamespacesResponse>("ListNamespaces", &request).await?;
    let request = api::DescribeNamespaceRequest { namespace: outside.namespace.clone(), ..Default::default() };
    outside.known::<_, api::DescribeNamespaceResponse>("DescribeNamespace", &request).await?;
    for kind in [TaskQueueType::Workflow, TaskQueueType::Activity] {
        let request = api::DescribeTaskQueueRequest {
            namespace: outside.namespace.clone(),
            task_queue: Some(TaskQueue { name: outside.task_queue.clone(), ..Default::default() }),
            task_queue_type: kind.into(),
            ..Default::default()
        };
        outside.known::<_, api::DescribeTaskQueueResponse>("DescribeTaskQueue", &request).await?;
    }
    Ok(())
}
