//! RespondWorkflowTaskCompleted.
use crate::validation::{self, invalid};
use crate::worker::OneWorkflowTask;
use crate::{Frontend, layers};
use tempest_api::proto::command::v1::{Command, command::Attributes};
use tempest_api::proto::deployment::v1::WorkerDeploymentOptions;
use tempest_api::proto::enums::v1::{VersioningBehavior, WorkerVersioningMode::Versioned};
use tempest_api::proto::failure::v1::Failure;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::rules::failure;

/// # Errors
/// `InvalidArgument`, `NamespaceNotFound` for a command that names a namespace which is not there, and history's.
pub async fn complete(
    frontend: &Frontend,
    OneWorkflowTask { namespace, token }: OneWorkflowTask,
    mut request: api::RespondWorkflowTaskCompletedRequest,
) -> ServiceResult<api::RespondWorkflowTaskCompletedResponse> {
    for other in request.commands.iter().filter_map(namespace_of) {
        layers::namespace::open(frontend, other).await?;
    }
    request.namespace.clone_from(&namespace.name);
    if request.intermediate_page || request.page_number > 0 {
        return Err(ServiceError::FailedPrecondition(format!(
            "workflow task completion pagination is disabled for this namespace {}",
            namespace.name
        )));
    }
    let versioned = |options: &WorkerDeploymentOptions| options.worker_versioning_mode() == Versioned;
    #[allow(deprecated, reason = "older SDKs still send it")]
    let is_versioned = request.deployment.is_some() || request.deployment_options.as_ref().is_some_and(versioned);
    if request.versioning_behavior() != VersioningBehavior::Unspecified && !is_versioned {
        return invalid(
            "versioning behavior cannot be specified without deployment options being set with versioned mode",
        );
    }
    validation::within_limit(&request.identity, "Identity")?;
    request.commands.iter_mut().filter_map(failure_of).for_each(failure::cut_causes);
    frontend.history.complete_workflow_task(token, request).await
}

/// The namespace that a command names, if it names one.
#[allow(deprecated, reason = "the namespace is deprecated, and still sent")]
fn namespace_of(command: &Command) -> Option<&str> {
    let namespace = match command.attributes.as_ref()? {
        Attributes::StartChildWorkflowExecutionCommandAttributes(child) => &child.namespace,
        Attributes::SignalExternalWorkflowExecutionCommandAttributes(signal) => &signal.namespace,
        Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(cancel) => &cancel.namespace,
        _ => return None,
    };
    Some(namespace.as_str()).filter(|namespace| !namespace.is_empty())
}

/// The failure that a command writes into history.
fn failure_of(command: &mut Command) -> Option<&mut Failure> {
    match command.attributes.as_mut()? {
        Attributes::FailWorkflowExecutionCommandAttributes(fail) => fail.failure.as_mut(),
        Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(next) => next.failure.as_mut(),
        Attributes::RecordMarkerCommandAttributes(marker) => marker.failure.as_mut(),
        _ => None,
    }
}
