//! WorkflowService: each RPC is found in its own file; here they are only wired.
use crate::{Frontend, cluster, namespace};
use std::sync::Arc;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_server::{WorkflowService, WorkflowServiceServer};
use tonic::{Request, Response, Status};

/// Messages up to this size are read, so that an oversized payload is refused with the error that names it.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

struct Service(Arc<Frontend>);

type Answer<T> = Result<Response<T>, Status>;

fn answer<T>(result: tempest_api::ServiceResult<T>) -> Answer<T> {
    result.map(Response::new).map_err(Status::from)
}

#[tonic::async_trait]
impl WorkflowService for Service {
    async fn get_system_info(&self, _: Request<api::GetSystemInfoRequest>) -> Answer<api::GetSystemInfoResponse> {
        Ok(Response::new(cluster::system_info(&self.0)))
    }

    async fn get_cluster_info(&self, _: Request<api::GetClusterInfoRequest>) -> Answer<api::GetClusterInfoResponse> {
        Ok(Response::new(cluster::cluster_info(&self.0)))
    }

    async fn register_namespace(
        &self,
        request: Request<api::RegisterNamespaceRequest>,
    ) -> Answer<api::RegisterNamespaceResponse> {
        answer(namespace::register::register(&self.0, request.into_inner()).await)
    }

    async fn describe_namespace(
        &self,
        request: Request<api::DescribeNamespaceRequest>,
    ) -> Answer<api::DescribeNamespaceResponse> {
        answer(namespace::describe::describe(&self.0, request.into_inner()).await)
    }

    async fn list_namespaces(
        &self,
        request: Request<api::ListNamespacesRequest>,
    ) -> Answer<api::ListNamespacesResponse> {
        answer(namespace::list::list(&self.0, request.into_inner()).await)
    }

    async fn update_namespace(
        &self,
        request: Request<api::UpdateNamespaceRequest>,
    ) -> Answer<api::UpdateNamespaceResponse> {
        answer(namespace::update::update(&self.0, request.into_inner()).await)
    }
}

pub fn workflow_service(frontend: Arc<Frontend>) -> WorkflowServiceServer<impl WorkflowService> {
    WorkflowServiceServer::new(Service(frontend)).max_decoding_message_size(MESSAGE_BYTES_MAX)
}
