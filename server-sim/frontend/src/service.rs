//! The gRPC faces of the role. Each RPC of the descriptor is a method, and each method is its row in [`crate::routes`].
use crate::Frontend;
use crate::layers::{self, SizeErrors};
use std::sync::Arc;
use tempest_api::rpcs::{self, Rpc};
use tempest_api::services::operator::operator_service_server::{OperatorService, OperatorServiceServer};
use tempest_api::services::workflow::workflow_service_server::{WorkflowService, WorkflowServiceServer};
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};

/// Requests up to this size are read: gRPC's own default, which Temporal's frontend leaves as it is. A completion that
/// passes here would otherwise end its run in production, where the worker fails the task with GrpcMessageTooLarge. Calls
/// between nodes have a larger limit of their own.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(crate) struct Service(pub(crate) Arc<Frontend>);

macro_rules! workflow_service {
    ($($rpc:ident $method:ident;)+) => {
        #[tonic::async_trait]
        impl WorkflowService for Service {
            $(async fn $method(
                &self,
                request: Request<<rpcs::workflow_service::$rpc as Rpc>::Request>,
            ) -> Result<Response<<rpcs::workflow_service::$rpc as Rpc>::Response>, Status> {
                layers::serve::<rpcs::workflow_service::$rpc>(&self.0, request).await
            })+
        }
    };
}
tempest_api::workflow_service_methods!(workflow_service);

macro_rules! operator_service {
    ($($rpc:ident $method:ident;)+) => {
        #[tonic::async_trait]
        impl OperatorService for Service {
            $(async fn $method(
                &self,
                request: Request<<rpcs::operator_service::$rpc as Rpc>::Request>,
            ) -> Result<Response<<rpcs::operator_service::$rpc as Rpc>::Response>, Status> {
                layers::serve::<rpcs::operator_service::$rpc>(&self.0, request).await
            })+
        }
    };
}
tempest_api::operator_service_methods!(operator_service);

pub fn workflow_service(frontend: Arc<Frontend>) -> SizeErrors<WorkflowServiceServer<impl WorkflowService>> {
    let service = WorkflowServiceServer::new(Service(frontend))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .accept_compressed(CompressionEncoding::Gzip);
    SizeErrors(service)
}

pub fn operator_service(frontend: Arc<Frontend>) -> OperatorServiceServer<impl OperatorService> {
    OperatorServiceServer::new(Service(frontend)).accept_compressed(CompressionEncoding::Gzip)
}
