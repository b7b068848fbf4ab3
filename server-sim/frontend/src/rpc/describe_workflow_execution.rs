//! DescribeWorkflowExecution.
use crate::{Frontend, validation};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceResult, Target};

/// # Errors
/// `InvalidArgument`, and history's `NotFound`.
pub async fn describe(
    frontend: &Frontend,
    request: api::DescribeWorkflowExecutionRequest,
) -> ServiceResult<api::DescribeWorkflowExecutionResponse> {
    let namespace = frontend.namespace(&request.namespace).await?;
    let execution = validation::execution(request.execution.as_ref())?;
    let described = frontend.history.describe(Target::named(&namespace.id, Some(execution))).await?;
    Ok(*described)
}
