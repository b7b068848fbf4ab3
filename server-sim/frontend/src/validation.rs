//! Checks that several requests share, with Temporal's texts.
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::rules;

/// Ids, names, types and identities, in bytes.
const ID_BYTES_MAX: usize = 1000;

pub fn invalid<T>(text: impl Into<String>) -> ServiceResult<T> {
    Err(ServiceError::InvalidArgument(text.into()))
}

/// There is one, and it is no longer than the name of a namespace can be. Checked before it is looked up, since a
/// caller that does not find it repeats it.
pub fn namespace_name(name: &str) -> ServiceResult<()> {
    if name.is_empty() {
        return invalid("Namespace not set on request.");
    }
    within_limit(name, "Namespace")
}

/// A run that a request names; the run id may be empty.
pub fn execution(execution: Option<&WorkflowExecution>) -> ServiceResult<&WorkflowExecution> {
    let Some(execution) = execution else { return invalid("Execution is not set on request.") };
    workflow_id(&execution.workflow_id)?;
    run_id(&execution.run_id)?;
    Ok(execution)
}

/// Longer than an id can be, it names nothing. Temporal looks it up all the same and says that it is not found.
pub fn workflow_id(workflow_id: &str) -> ServiceResult<()> {
    if workflow_id.is_empty() {
        return invalid("WorkflowId is not set on request.");
    }
    within_limit(workflow_id, "WorkflowId")
}

/// Empty, or a UUID.
pub fn run_id(run_id: &str) -> ServiceResult<()> {
    if !run_id.is_empty() && uuid::Uuid::try_parse(run_id).is_err() {
        return invalid("Invalid RunId.");
    }
    Ok(())
}

/// `name` is how the error calls it.
pub fn within_limit(value: &str, name: &str) -> ServiceResult<()> {
    if value.len() > ID_BYTES_MAX {
        return invalid(format!("{name} length exceeds limit."));
    }
    Ok(())
}

/// Fills in the queue's kind.
pub fn task_queue(queue: Option<&mut TaskQueue>) -> ServiceResult<()> {
    rules::task_queue::normalize(queue, None, None, ID_BYTES_MAX).map_err(ServiceError::InvalidArgument)
}

/// What a start asks for and would not get. Refused rather than forgotten: the caller counts on it.
pub fn offered(callbacks: bool, versioning_override: bool, time_skipping: bool) -> ServiceResult<()> {
    if callbacks {
        return invalid("Completion callbacks are not supported yet.");
    }
    if versioning_override {
        return invalid("Versioning overrides are not supported yet.");
    }
    if time_skipping {
        let text = "The Time-Skipping feature is not enabled for namespace.";
        return Err(ServiceError::Unimplemented(text.into()));
    }
    Ok(())
}
