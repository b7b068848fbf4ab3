//! What the RPCs of workers share.
use crate::caller::Caller;
use crate::routes::Wait;
use crate::validation::invalid;
use crate::{Frontend, namespace::Namespace};
use std::sync::Arc;
use std::time::Duration;
use tempest_api::{ServiceError, ServiceResult, Target};
use tempest_core::{ActivityRef, WorkflowTaskToken};

/// Callers that wait for less than this poll in vain.
const POLL_DEADLINE_MIN: Duration = Duration::from_secs(2);

/// How long a poll may wait for a task.
pub fn poll_timeout(frontend: &Frontend, caller: &Caller) -> ServiceResult<Duration> {
    let Some(remaining) = caller.remaining() else { return invalid("Context timeout is not set.") };
    if remaining < POLL_DEADLINE_MIN {
        return Err(ServiceError::FailedPrecondition("Context timeout is too short.".into()));
    }
    Ok(Wait::TaskPoll.patience(frontend, caller))
}

/// Which activity of which run a worker means.
#[derive(Clone)]
pub struct OneActivity {
    pub of: Target,
    pub named: ActivityRef,
}

/// Which workflow task a worker means.
pub struct OneWorkflowTask {
    pub namespace: Arc<Namespace>,
    pub token: WorkflowTaskToken,
}
