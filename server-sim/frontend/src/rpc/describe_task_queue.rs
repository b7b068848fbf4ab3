//! DescribeTaskQueue.
use crate::validation::{self, invalid};
use crate::{Frontend, namespace::Namespace};
use tempest_api::ServiceResult;
use tempest_api::proto::enums::v1::{DescribeTaskQueueMode, TaskQueueKind, TaskQueueType};
use tempest_api::proto::taskqueue::v1::{TaskQueueTypeInfo, TaskQueueVersionInfo};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::NamespaceId;

/// The key of the one version that there is: workers are not versioned.
const UNVERSIONED: &str = "";

/// # Errors
/// `InvalidArgument` for a queue without a proper name.
pub async fn describe(
    frontend: &Frontend,
    namespace: &Namespace,
    mut request: api::DescribeTaskQueueRequest,
) -> ServiceResult<api::DescribeTaskQueueResponse> {
    validation::task_queue(request.task_queue.as_mut())?;
    #[allow(deprecated, reason = "the command line still asks so")]
    if request.api_mode() == DescribeTaskQueueMode::Enhanced {
        return enhanced(frontend, &namespace.id, request).await;
    }
    if request.task_queue_type() == TaskQueueType::Unspecified {
        request.set_task_queue_type(TaskQueueType::Workflow);
    }
    frontend.matching.describe_task_queue(&namespace.id, request).await
}

/// Several types of one queue at once.
#[allow(deprecated, reason = "the command line still asks so")]
async fn enhanced(
    frontend: &Frontend,
    namespace: &NamespaceId,
    request: api::DescribeTaskQueueRequest,
) -> ServiceResult<api::DescribeTaskQueueResponse> {
    if request.task_queue.as_ref().is_some_and(|queue| queue.kind() == TaskQueueKind::Sticky) {
        return invalid(
            "Enhanced DescribeTaskQueue is not valid for a sticky queue, use api_mode=UNSPECIFIED or a normal queue.",
        );
    }
    let mut types: Vec<_> = request.task_queue_types().collect();
    if types.is_empty() {
        types = vec![TaskQueueType::Workflow, TaskQueueType::Activity];
    }
    let mut info = TaskQueueVersionInfo::default();
    for queue_type in types {
        let of_type = api::DescribeTaskQueueRequest {
            task_queue: request.task_queue.clone(),
            task_queue_type: queue_type as i32,
            report_stats: request.report_stats,
            ..Default::default()
        };
        let described = frontend.matching.describe_task_queue(namespace, of_type).await?;
        let pollers = if request.report_pollers { described.pollers } else { Vec::new() };
        info.types_info.insert(queue_type as i32, TaskQueueTypeInfo { pollers, stats: described.stats });
    }
    let versions_info = [(UNVERSIONED.to_owned(), info)].into();
    Ok(api::DescribeTaskQueueResponse { versions_info, ..Default::default() })
}
