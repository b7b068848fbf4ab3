//! OperatorService. What is not here yet answers `Unimplemented`.
use crate::Frontend;
use std::sync::Arc;
use tempest_api::services::operator::operator_service_server::{OperatorService, OperatorServiceServer};

struct Service;

#[tonic::async_trait]
impl OperatorService for Service {}

pub fn operator_service(_: Arc<Frontend>) -> OperatorServiceServer<impl OperatorService> {
    OperatorServiceServer::new(Service).accept_compressed(tonic::codec::CompressionEncoding::Gzip)
}
