//! grpc.health.v1: a node that answers is serving.
use crate::Frontend;
use std::sync::Arc;
use tempest_api::services::health::health_server::{Health, HealthServer};
use tempest_api::{HealthCheckRequest, HealthCheckResponse, ServingStatus};
use tonic::{Request, Response, Status};

/// Services that a client may ask after; the empty name means the whole server.
const SERVICES: [&str; 3] =
    ["", "temporal.api.workflowservice.v1.WorkflowService", "temporal.api.operatorservice.v1.OperatorService"];

struct Service;

#[tonic::async_trait]
impl Health for Service {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !SERVICES.contains(&service.as_str()) {
            return Err(Status::not_found(format!("there is no service {service:?} here")));
        }
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving as i32 }))
    }
}

pub fn health_service(_: Arc<Frontend>) -> HealthServer<impl Health> {
    HealthServer::new(Service).accept_compressed(tonic::codec::CompressionEncoding::Gzip)
}
