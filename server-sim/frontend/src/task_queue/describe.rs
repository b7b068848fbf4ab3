//! DescribeTaskQueue.
use crate::{Frontend, validation};
use tempest_api::ServiceResult;
use tempest_api::proto::enums::v1::TaskQueueType;
use tempest_api::proto::workflowservice::v1 as api;

/// # Errors
/// `InvalidArgument` for a queue without a proper name.
pub async fn describe(
    frontend: &Frontend,
    mut request: api::DescribeTaskQueueRequest,
) -> ServiceResult<api::DescribeTaskQueueResponse> {
    let namespace = frontend.namespace(&request.namespace).await?;
    validation::task_queue(request.task_queue.as_mut())?;
    if request.task_queue_type() == TaskQueueType::Unspecified {
        request.set_task_queue_type(TaskQueueType::Workflow);
    }
    frontend.matching.describe_task_queue(&namespace.id, request).await
}
