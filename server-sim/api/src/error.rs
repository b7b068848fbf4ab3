//! Errors between roles and to clients, grouped by what the caller can do; and their gRPC status.
use prost::Message;
use serde::{Deserialize, Serialize};
use temporalio_protos::google::rpc::Status as RpcStatus;
use temporalio_protos::temporal::api::{
    enums::v1::{NamespaceState, ResourceExhaustedScope},
    errordetails::v1 as details,
};
use tonic::{Code, Status};

pub use temporalio_protos::temporal::api::enums::v1::ResourceExhaustedCause;

/// Result of a call between roles.
pub type ServiceResult<T> = Result<T, ServiceError>;

/// What a role answers when it does not answer with a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum ServiceError {
    // Fix the request.
    #[error("{0}")]
    InvalidArgument(String),
    #[error("{0}")]
    NotFound(String),
    #[error("Namespace {0} is not found.")]
    NamespaceNotFound(String),
    #[error("{0}")]
    NamespaceAlreadyExists(String),
    /// The namespace exists but does not take this call in its state.
    #[error("Namespace {namespace} has an invalid state: {state:?}.")]
    NamespaceInvalidState {
        namespace: String,
        #[serde(with = "tempest_core::wire::number")]
        state: NamespaceState,
    },
    #[error("{message}")]
    WorkflowExecutionAlreadyStarted {
        message: String,
        start_request_id: String,
        run_id: String,
        first_execution_run_id: String,
    },
    #[error("{0}")]
    FailedPrecondition(String),
    #[error("{0}")]
    PermissionDenied(String),
    #[error("{0}")]
    Unimplemented(String),

    // Retry.
    #[error("{message}")]
    ResourceExhausted {
        #[serde(with = "tempest_core::wire::number")]
        cause: ResourceExhaustedCause,
        message: String,
    },
    /// Certainly not done.
    #[error("{0}")]
    Unavailable(String),
    /// The other node is of another build and certainly did nothing.
    #[error(
        "the other node speaks version {speaks} of the protocol between nodes, and not all that it was asked: {why}"
    )]
    OtherVersion { speaks: u8, why: String },
    /// Perhaps done: a caller that retries must be ready to find it done. On the wire it is Unavailable, as Temporal's
    /// is.
    #[error("{0}")]
    OutcomeUnknown(String),
    #[error("{0}")]
    DeadlineExceeded(String),
    #[error("{0}")]
    Canceled(String),

    // Re-route.
    #[error("Shard is owned by:{owner_host} but not by this host")]
    ShardOwnershipLost { owner_host: String },

    // Between history and matching: drop the task.
    #[error("Task already started.")]
    TaskAlreadyStarted,
    #[error("matching task is obsolete")]
    ObsoleteMatchingTask,
    /// No worker polls the sticky queue: use the normal one.
    #[error("sticky worker unavailable, please use original task queue.")]
    StickyWorkerUnavailable,

    // Call an operator.
    #[error("{0}")]
    Internal(String),
    #[error("{0}")]
    DataLoss(String),
}

impl ServiceError {
    /// Whether the same call may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::ResourceExhausted { .. }
                | Self::Unavailable(_)
                | Self::OtherVersion { .. }
                | Self::OutcomeUnknown(_)
                | Self::DeadlineExceeded(_)
                | Self::ShardOwnershipLost { .. }
        )
    }

    /// Whether another node may be asked the same.
    pub fn is_certainly_not_done(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::OtherVersion { .. } | Self::ShardOwnershipLost { .. })
    }

    fn code(&self) -> Code {
        match self {
            Self::InvalidArgument(_) => Code::InvalidArgument,
            Self::NotFound(_) | Self::NamespaceNotFound(_) => Code::NotFound,
            Self::NamespaceAlreadyExists(_)
            | Self::WorkflowExecutionAlreadyStarted { .. }
            | Self::TaskAlreadyStarted => Code::AlreadyExists,
            Self::NamespaceInvalidState { .. } | Self::FailedPrecondition(_) | Self::ObsoleteMatchingTask => {
                Code::FailedPrecondition
            }
            Self::PermissionDenied(_) => Code::PermissionDenied,
            Self::Unimplemented(_) => Code::Unimplemented,
            Self::ResourceExhausted { .. } => Code::ResourceExhausted,
            Self::Unavailable(_)
            | Self::OtherVersion { .. }
            | Self::OutcomeUnknown(_)
            | Self::StickyWorkerUnavailable => Code::Unavailable,
            Self::DeadlineExceeded(_) => Code::DeadlineExceeded,
            Self::Canceled(_) => Code::Cancelled,
            Self::ShardOwnershipLost { .. } => Code::Aborted,
            Self::Internal(_) => Code::Internal,
            Self::DataLoss(_) => Code::DataLoss,
        }
    }

    /// The one detail that SDKs look for (the Go SDK reads only the first).
    fn detail(&self) -> Option<prost_wkt_types::Any> {
        Some(match self {
            Self::NotFound(_) => any("NotFoundFailure", &details::NotFoundFailure::default()),
            Self::NamespaceNotFound(namespace) => {
                any("NamespaceNotFoundFailure", &details::NamespaceNotFoundFailure { namespace: namespace.clone() })
            }
            Self::NamespaceAlreadyExists(_) => {
                any("NamespaceAlreadyExistsFailure", &details::NamespaceAlreadyExistsFailure::default())
            }
            Self::NamespaceInvalidState { namespace, state } => any(
                "NamespaceInvalidStateFailure",
                &details::NamespaceInvalidStateFailure {
                    namespace: namespace.clone(),
                    state: *state as i32,
                    allowed_states: vec![NamespaceState::Registered as i32],
                },
            ),
            Self::WorkflowExecutionAlreadyStarted { start_request_id, run_id, first_execution_run_id, .. } => any(
                "WorkflowExecutionAlreadyStartedFailure",
                &details::WorkflowExecutionAlreadyStartedFailure {
                    start_request_id: start_request_id.clone(),
                    run_id: run_id.clone(),
                    first_execution_run_id: first_execution_run_id.clone(),
                },
            ),
            Self::PermissionDenied(reason) => {
                any("PermissionDeniedFailure", &details::PermissionDeniedFailure { reason: reason.clone() })
            }
            Self::ResourceExhausted { cause, .. } => any(
                "ResourceExhaustedFailure",
                &details::ResourceExhaustedFailure {
                    cause: *cause as i32,
                    scope: ResourceExhaustedScope::Namespace as i32,
                },
            ),
            _ => return None,
        })
    }
}

fn any(name: &str, message: &impl Message) -> prost_wkt_types::Any {
    prost_wkt_types::Any {
        type_url: format!("type.googleapis.com/temporal.api.errordetails.v1.{name}"),
        value: message.encode_to_vec(),
    }
}

/// Longer messages are cut: they travel in a header, which clients refuse when it is too long. Temporal's limit and mark.
const MESSAGE_BYTES_MAX: usize = 4000;
const CUT: &str = "... <truncated>";

fn bounded(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES_MAX {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX - CUT.len()));
        message.push_str(CUT);
    }
    message
}

impl From<ServiceError> for Status {
    fn from(error: ServiceError) -> Status {
        let (code, message) = (error.code(), bounded(error.to_string()));
        // A status without a known detail still carries the encoded google.rpc.Status, as Temporal's does.
        let rpc =
            RpcStatus { code: code as i32, message: message.clone(), details: error.detail().into_iter().collect() };
        Status::with_details(code, message, rpc.encode_to_vec().into())
    }
}

impl From<tempest_core::Rejection> for ServiceError {
    fn from(rejection: tempest_core::Rejection) -> ServiceError {
        use tempest_core::Rejection as R;
        let message = rejection.to_string();
        match rejection {
            R::InvalidArgument(_) => Self::InvalidArgument(message),
            R::NotFound(_) => Self::NotFound(message),
            R::AlreadyStarted { run_id, start_request_id, first_execution_run_id, .. } => {
                Self::WorkflowExecutionAlreadyStarted {
                    message,
                    start_request_id,
                    run_id: run_id.0,
                    first_execution_run_id: first_execution_run_id.0,
                }
            }
            R::FailedPrecondition(_) => Self::FailedPrecondition(message),
            R::TaskAlreadyStarted => Self::TaskAlreadyStarted,
            R::ObsoleteTask => Self::ObsoleteMatchingTask,
            R::BusyWorkflow(_) => Self::ResourceExhausted { cause: ResourceExhaustedCause::BusyWorkflow, message },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let check = |text: String, expect: usize| {
            let status = Status::from(ServiceError::InvalidArgument(text.clone()));
            assert_eq!(status.message().len(), expect);
            let kept = status.message().strip_suffix(CUT).unwrap_or(status.message());
            assert!(text.starts_with(kept));
            let rpc = RpcStatus::decode(status.details()).expect("details are a google.rpc.Status");
            assert_eq!(rpc.message, status.message());
        };
        check("x".repeat(4000), 4000);
        check("x".repeat(4001), 4000);
        check("\u{e9}".repeat(3000), 3999);
    }
}
