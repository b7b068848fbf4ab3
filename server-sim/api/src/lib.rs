//! The languages tempest speaks: Temporal's public gRPC services, and the traits by which its own roles call each other.
//!
//! [`services`] is generated; [`HistoryService`] and [`MatchingService`] are what the roles offer one another, in
//! process today and over the wire when a cluster has several nodes; [`ServiceError`] is the one place where an error
//! becomes a gRPC status with the details that SDKs look for. No runtime, no transport.
#![forbid(unsafe_code)]

mod error;
mod history;
mod matching;
mod page_token;
mod protocol;
mod remote;
mod task_token;

/// Generated server traits and clients.
pub mod services {
    #[allow(clippy::all, clippy::pedantic, unused_qualifications, missing_docs)]
    pub mod workflow {
        include!(concat!(env!("OUT_DIR"), "/temporal.api.workflowservice.v1.rs"));
    }
    #[allow(clippy::all, clippy::pedantic, unused_qualifications, missing_docs)]
    pub mod operator {
        include!(concat!(env!("OUT_DIR"), "/temporal.api.operatorservice.v1.rs"));
    }
    #[allow(clippy::all, clippy::pedantic, unused_qualifications, missing_docs)]
    pub mod health {
        include!(concat!(env!("OUT_DIR"), "/grpc.health.v1.rs"));
    }
}

/// Temporal's RPCs, generated from the descriptor: what a table of them must be complete against.
pub mod rpcs {
    /// One RPC by its types.
    pub trait Rpc {
        const NAME: &'static str;
        type Request: Send + 'static;
        type Response: Send + 'static;
    }
    include!(concat!(env!("OUT_DIR"), "/rpcs.rs"));
}

pub use error::{ResourceExhaustedCause, ServiceError, ServiceResult};
pub use history::*;
pub use matching::*;
pub use page_token::{HistoryPageToken, PageTokenError};
pub use protocol::PROTOCOL_VERSION;
pub use remote::{
    Caller, Duplicate, RemoteHistory, RemoteMatching, Route, RoutedHistory, RoutedMatching, answer_history,
    answer_matching,
};
pub use task_token::{TokenError, decode_activity_token, decode_workflow_token, encode_token};
/// What a status carries in its details.
pub use temporalio_protos::google::rpc::Status as RpcStatus;
pub use temporalio_protos::grpc::health::v1::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
};
pub use temporalio_protos::temporal::api as proto;
