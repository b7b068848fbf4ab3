//! WorkflowService: each RPC is found in its own file; here they are only wired.
use crate::caller::Caller;
use crate::message_size::SizeErrors;
use crate::{Frontend, cluster, namespace, task_queue, worker, workflow};
use std::sync::Arc;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_server::{WorkflowService, WorkflowServiceServer};
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};

/// Requests up to this size are read: gRPC's own default, which Temporal's frontend leaves as it is. A completion that
/// passes here would otherwise end its run in production, where the worker fails the task with GrpcMessageTooLarge. Calls
/// between nodes have a larger limit of their own.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(crate) struct Service(pub(crate) Arc<Frontend>);

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

    async fn start_workflow_execution(
        &self,
        request: Request<api::StartWorkflowExecutionRequest>,
    ) -> Answer<api::StartWorkflowExecutionResponse> {
        answer(workflow::start::start(&self.0, request.into_inner()).await)
    }

    async fn signal_workflow_execution(
        &self,
        request: Request<api::SignalWorkflowExecutionRequest>,
    ) -> Answer<api::SignalWorkflowExecutionResponse> {
        answer(workflow::signal::signal(&self.0, request.into_inner()).await)
    }

    async fn signal_with_start_workflow_execution(
        &self,
        request: Request<api::SignalWithStartWorkflowExecutionRequest>,
    ) -> Answer<api::SignalWithStartWorkflowExecutionResponse> {
        answer(workflow::signal_with_start::signal_with_start(&self.0, request.into_inner()).await)
    }

    async fn request_cancel_workflow_execution(
        &self,
        request: Request<api::RequestCancelWorkflowExecutionRequest>,
    ) -> Answer<api::RequestCancelWorkflowExecutionResponse> {
        answer(workflow::request_cancel::request_cancel(&self.0, request.into_inner()).await)
    }

    async fn terminate_workflow_execution(
        &self,
        request: Request<api::TerminateWorkflowExecutionRequest>,
    ) -> Answer<api::TerminateWorkflowExecutionResponse> {
        answer(workflow::terminate::terminate(&self.0, request.into_inner()).await)
    }

    async fn describe_workflow_execution(
        &self,
        request: Request<api::DescribeWorkflowExecutionRequest>,
    ) -> Answer<api::DescribeWorkflowExecutionResponse> {
        answer(workflow::describe::describe(&self.0, request.into_inner()).await)
    }

    async fn get_workflow_execution_history(
        &self,
        request: Request<api::GetWorkflowExecutionHistoryRequest>,
    ) -> Answer<api::GetWorkflowExecutionHistoryResponse> {
        let (caller, request) = (Caller::of(request.metadata()), request.into_inner());
        answer(workflow::get_history::get_history(&self.0, request, &caller).await)
    }

    async fn get_workflow_execution_history_reverse(
        &self,
        request: Request<api::GetWorkflowExecutionHistoryReverseRequest>,
    ) -> Answer<api::GetWorkflowExecutionHistoryReverseResponse> {
        answer(workflow::get_history_reverse::get_history_reverse(&self.0, request.into_inner()).await)
    }

    async fn poll_workflow_task_queue(
        &self,
        request: Request<api::PollWorkflowTaskQueueRequest>,
    ) -> Answer<api::PollWorkflowTaskQueueResponse> {
        let (caller, request) = (Caller::of(request.metadata()), request.into_inner());
        answer(worker::poll_workflow_task::poll(&self.0, request, &caller).await)
    }

    async fn poll_activity_task_queue(
        &self,
        request: Request<api::PollActivityTaskQueueRequest>,
    ) -> Answer<api::PollActivityTaskQueueResponse> {
        let (caller, request) = (Caller::of(request.metadata()), request.into_inner());
        answer(worker::poll_activity_task::poll(&self.0, request, &caller).await)
    }

    async fn respond_workflow_task_completed(
        &self,
        request: Request<api::RespondWorkflowTaskCompletedRequest>,
    ) -> Answer<api::RespondWorkflowTaskCompletedResponse> {
        answer(worker::complete_workflow_task::complete(&self.0, request.into_inner()).await)
    }

    async fn respond_workflow_task_failed(
        &self,
        request: Request<api::RespondWorkflowTaskFailedRequest>,
    ) -> Answer<api::RespondWorkflowTaskFailedResponse> {
        answer(worker::fail_workflow_task::fail(&self.0, request.into_inner()).await)
    }

    async fn record_activity_task_heartbeat(
        &self,
        request: Request<api::RecordActivityTaskHeartbeatRequest>,
    ) -> Answer<api::RecordActivityTaskHeartbeatResponse> {
        answer(worker::heartbeat_activity::heartbeat(&self.0, request.into_inner()).await)
    }

    async fn record_activity_task_heartbeat_by_id(
        &self,
        request: Request<api::RecordActivityTaskHeartbeatByIdRequest>,
    ) -> Answer<api::RecordActivityTaskHeartbeatByIdResponse> {
        answer(worker::heartbeat_activity::heartbeat_by_id(&self.0, request.into_inner()).await)
    }

    async fn respond_activity_task_completed(
        &self,
        request: Request<api::RespondActivityTaskCompletedRequest>,
    ) -> Answer<api::RespondActivityTaskCompletedResponse> {
        answer(worker::complete_activity::complete(&self.0, request.into_inner()).await)
    }

    async fn respond_activity_task_completed_by_id(
        &self,
        request: Request<api::RespondActivityTaskCompletedByIdRequest>,
    ) -> Answer<api::RespondActivityTaskCompletedByIdResponse> {
        answer(worker::complete_activity::complete_by_id(&self.0, request.into_inner()).await)
    }

    async fn respond_activity_task_failed(
        &self,
        request: Request<api::RespondActivityTaskFailedRequest>,
    ) -> Answer<api::RespondActivityTaskFailedResponse> {
        answer(worker::fail_activity::fail(&self.0, request.into_inner()).await)
    }

    async fn respond_activity_task_failed_by_id(
        &self,
        request: Request<api::RespondActivityTaskFailedByIdRequest>,
    ) -> Answer<api::RespondActivityTaskFailedByIdResponse> {
        answer(worker::fail_activity::fail_by_id(&self.0, request.into_inner()).await)
    }

    async fn respond_activity_task_canceled(
        &self,
        request: Request<api::RespondActivityTaskCanceledRequest>,
    ) -> Answer<api::RespondActivityTaskCanceledResponse> {
        answer(worker::cancel_activity::cancel(&self.0, request.into_inner()).await)
    }

    async fn respond_activity_task_canceled_by_id(
        &self,
        request: Request<api::RespondActivityTaskCanceledByIdRequest>,
    ) -> Answer<api::RespondActivityTaskCanceledByIdResponse> {
        answer(worker::cancel_activity::cancel_by_id(&self.0, request.into_inner()).await)
    }

    async fn describe_task_queue(
        &self,
        request: Request<api::DescribeTaskQueueRequest>,
    ) -> Answer<api::DescribeTaskQueueResponse> {
        answer(task_queue::describe::describe(&self.0, request.into_inner()).await)
    }

    async fn reset_sticky_task_queue(
        &self,
        request: Request<api::ResetStickyTaskQueueRequest>,
    ) -> Answer<api::ResetStickyTaskQueueResponse> {
        answer(worker::reset_sticky::reset(&self.0, request.into_inner()).await)
    }

    async fn shutdown_worker(
        &self,
        request: Request<api::ShutdownWorkerRequest>,
    ) -> Answer<api::ShutdownWorkerResponse> {
        answer(worker::shutdown::shutdown(&self.0, request.into_inner()).await)
    }

    async fn record_worker_heartbeat(
        &self,
        request: Request<api::RecordWorkerHeartbeatRequest>,
    ) -> Answer<api::RecordWorkerHeartbeatResponse> {
        answer(worker::heartbeat::record(&self.0, request.into_inner()).await)
    }
}

pub fn workflow_service(frontend: Arc<Frontend>) -> SizeErrors<WorkflowServiceServer<impl WorkflowService>> {
    let service = WorkflowServiceServer::new(Service(frontend))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .accept_compressed(CompressionEncoding::Gzip);
    SizeErrors(service)
}
