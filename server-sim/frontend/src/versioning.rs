//! Workers that poll for one version of a deployment only.
use crate::validation::invalid;
use tempest_api::proto::deployment::v1::WorkerDeploymentOptions;
use tempest_api::proto::enums::v1::WorkerVersioningMode;
use tempest_api::{ServiceError, ServiceResult};

/// Worker versioning is not there yet. A worker that asks for it counts on getting none of the tasks of other versions,
/// so it is told instead of being served: with the words of a Temporal in which versioning is switched off.
///
/// # Errors
/// `PermissionDenied` if the worker is versioned, `InvalidArgument` if it does not say which version it is.
pub fn unversioned(use_versioning: bool, deployment: Option<&WorkerDeploymentOptions>) -> ServiceResult<()> {
    let denied = |text: &str| Err(ServiceError::PermissionDenied(text.to_owned()));
    if use_versioning {
        return denied("Worker versioning in workflow progress APIs is disabled on this namespace.");
    }
    match deployment {
        Some(options) if options.worker_versioning_mode() == WorkerVersioningMode::Versioned => {
            if options.deployment_name.is_empty() || options.build_id.is_empty() {
                return invalid("Both deployment name and build id must be set when versioning is enabled.");
            }
            denied("Worker Deployment Versions are disabled on this namespace.")
        }
        _ => Ok(()),
    }
}
