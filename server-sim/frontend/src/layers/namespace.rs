//! Finds what a request is about: the namespace that it names, in a state in which it takes the request, and for the
//! reports of workers the task.
use crate::validation::{self, invalid};
use crate::worker::{OneActivity, OneWorkflowTask};
use crate::{Frontend, namespace::Namespace};
use std::sync::Arc;
use tempest_api::proto::enums::v1::NamespaceState;
use tempest_api::{ServiceError, ServiceResult, Target, TokenError, decode_activity_token, decode_workflow_token};
use tempest_core::{ActivityRef, NamespaceId};

/// # Errors
/// `InvalidArgument` if the request names none, `NamespaceNotFound` if there is no such namespace, `NamespaceInvalidState`
/// if it was deleted.
pub async fn open(frontend: &Frontend, name: &str) -> ServiceResult<Arc<Namespace>> {
    in_state(frontend, name, &[NamespaceState::Registered, NamespaceState::Deprecated]).await
}

/// The same for requests that open runs: a deprecated namespace takes none.
pub async fn to_start_in(frontend: &Frontend, name: &str) -> ServiceResult<Arc<Namespace>> {
    in_state(frontend, name, &[NamespaceState::Registered]).await
}

/// The workflow task of a token.
///
/// # Errors
/// `InvalidArgument` for a token that is none of ours or of another namespace than the request names, and those of
/// [`open`].
pub async fn of_workflow_token(frontend: &Frontend, name: &str, token: &[u8]) -> ServiceResult<OneWorkflowTask> {
    let token = decoded(token, decode_workflow_token)?;
    let namespace = of_token(frontend, name, &token.namespace_id).await?;
    Ok(OneWorkflowTask { namespace, token })
}

/// The activity of a token.
///
/// # Errors
/// As [`of_workflow_token`].
pub async fn of_activity_token(frontend: &Frontend, name: &str, token: &[u8]) -> ServiceResult<OneActivity> {
    let token = decoded(token, decode_activity_token)?;
    let namespace = of_token(frontend, name, &token.namespace_id).await?;
    let of = Target::new(namespace.id.clone(), token.workflow_id.clone(), token.run_id.clone());
    Ok(OneActivity { of, named: ActivityRef::Token(token) })
}

/// The activity that a workflow gave this id; without a run id, of its current run.
///
/// # Errors
/// `InvalidArgument`, and those of [`open`].
pub async fn of_activity_id(
    frontend: &Frontend,
    name: &str,
    (workflow_id, run_id): (&str, &str),
    activity_id: &str,
) -> ServiceResult<OneActivity> {
    let namespace = open(frontend, name).await?;
    if activity_id.is_empty() {
        return invalid("ActivityId is not set on request.");
    }
    validation::workflow_id(workflow_id)?;
    validation::run_id(run_id)?;
    let of = Target::new(namespace.id.clone(), workflow_id, run_id);
    Ok(OneActivity { of, named: ActivityRef::Id(activity_id.to_owned()) })
}

fn decoded<T>(token: &[u8], decode: fn(&[u8]) -> Result<T, TokenError>) -> ServiceResult<T> {
    if token.is_empty() {
        return invalid("Task token not set on request.");
    }
    decode(token).map_err(|error| ServiceError::InvalidArgument(error.to_string()))
}

/// The namespace of a token, in whatever state it is: its tasks are ended there. A request that names another one is
/// refused.
async fn of_token(frontend: &Frontend, name: &str, id: &NamespaceId) -> ServiceResult<Arc<Namespace>> {
    if id.as_str().is_empty() {
        return invalid("Namespace not set on request.");
    }
    let of_token = frontend.namespace_by_id(id.as_str()).await?;
    if !name.is_empty() && of_token.name != name {
        open(frontend, name).await?;
        return invalid("Operation requested with a token from a different namespace.");
    }
    Ok(of_token)
}

async fn in_state(frontend: &Frontend, name: &str, allowed: &[NamespaceState]) -> ServiceResult<Arc<Namespace>> {
    validation::namespace_name(name)?;
    let namespace = frontend.namespace_by_name(name).await?;
    match namespace.state() {
        state if allowed.contains(&state) => Ok(namespace),
        state => Err(ServiceError::NamespaceInvalidState { namespace: name.to_owned(), state }),
    }
}
