//! grpc.health.v1: a node that answers is serving, unless it is about to stop.
use crate::Frontend;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tempest_api::services::health::health_server::{Health, HealthServer};
use tempest_api::{HealthCheckRequest, HealthCheckResponse, ServingStatus};
use tonic::{Request, Response, Status};

/// Services that a client may ask after; the empty name means the whole server.
const SERVICES: [&str; 3] =
    ["", "temporal.api.workflowservice.v1.WorkflowService", "temporal.api.operatorservice.v1.OperatorService"];

struct Service(Arc<Frontend>);

#[tonic::async_trait]
impl Health for Service {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !SERVICES.contains(&service.as_str()) {
            return Err(Status::not_found(format!("there is no service {service:?} here")));
        }
        let serving = self.0.serving.load(Relaxed);
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        Ok(Response::new(HealthCheckResponse { status: status as i32 }))
    }
}

pub fn health_service(frontend: Arc<Frontend>) -> HealthServer<impl Health> {
    HealthServer::new(Service(frontend)).accept_compressed(tonic::codec::CompressionEncoding::Gzip)
}
