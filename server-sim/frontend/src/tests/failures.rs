//! What history answers is what clients hear, and a call that may have been performed is never made again in their stead.
use super::activities::{activity_token, workflow_token};
use super::*;
use tempest_api::ServiceError;
use tempest_api::proto::common::v1::WorkflowType;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_server::WorkflowService;

fn every_kind_of_failure() -> [ServiceError; 6] {
    [
        ServiceError::OutcomeUnknown("the connection was lost".into()),
        ServiceError::Unavailable("the shard is moving".into()),
        ServiceError::DeadlineExceeded("too late".into()),
        ServiceError::NotFound("no such run".into()),
        ServiceError::FailedPrecondition("not now".into()),
        ServiceError::DataLoss("what was there is gone".into()),
    ]
}

/// Makes each call that changes something; the status of each.
async fn change_everything(w: &World) -> Vec<Status> {
    let (namespace, run) = (|| "default".to_owned(), || execution(RUN));
    let (activity, task) = (|| activity_token(w), || workflow_token(w));
    let (workflow_type, task_queue) =
        (|| Some(WorkflowType { name: "t".into() }), || Some(TaskQueue { name: "q".into(), ..Default::default() }));
    let mut statuses = Vec::new();
    macro_rules! call {
        ($rpc:ident, $request:ident { $($field:ident: $value:expr),* }) => {
            let request = api::$request { $($field: $value,)* ..Default::default() };
            statuses.push(w.service.$rpc(Request::new(request)).await.expect_err("history fails"));
        };
    }
    call!(
        start_workflow_execution,
        StartWorkflowExecutionRequest {
            namespace: namespace(),
            workflow_id: "w".into(),
            workflow_type: workflow_type(),
            task_queue: task_queue()
        }
    );
    call!(
        signal_with_start_workflow_execution,
        SignalWithStartWorkflowExecutionRequest {
            namespace: namespace(),
            workflow_id: "w".into(),
            workflow_type: workflow_type(),
            task_queue: task_queue(),
            signal_name: "go".into()
        }
    );
    call!(
        signal_workflow_execution,
        SignalWorkflowExecutionRequest { namespace: namespace(), workflow_execution: run(), signal_name: "go".into() }
    );
    call!(
        request_cancel_workflow_execution,
        RequestCancelWorkflowExecutionRequest { namespace: namespace(), workflow_execution: run() }
    );
    call!(
        terminate_workflow_execution,
        TerminateWorkflowExecutionRequest { namespace: namespace(), workflow_execution: run() }
    );
    call!(respond_workflow_task_completed, RespondWorkflowTaskCompletedRequest { task_token: task() });
    call!(respond_workflow_task_failed, RespondWorkflowTaskFailedRequest { task_token: task() });
    call!(respond_activity_task_completed, RespondActivityTaskCompletedRequest { task_token: activity() });
    call!(respond_activity_task_failed, RespondActivityTaskFailedRequest { task_token: activity() });
    call!(respond_activity_task_canceled, RespondActivityTaskCanceledRequest { task_token: activity() });
    call!(record_activity_task_heartbeat, RecordActivityTaskHeartbeatRequest { task_token: activity() });
    statuses
}

#[tokio::test]
async fn whatever_befalls_a_call_its_client_hears_and_nobody_repeats_it() {
    let w = world().await;
    for failure in every_kind_of_failure() {
        w.history.fail_with(failure.clone());
        let expect = Status::from(failure);
        let statuses = change_everything(&w).await;
        for status in &statuses {
            assert_eq!((status.code(), status.message()), (expect.code(), expect.message()));
        }
        assert_eq!(w.history.calls().len(), statuses.len(), "once each: {expect:?}");
    }
}
