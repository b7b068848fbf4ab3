//! What is answered within is what clients hear; what may have been performed is never asked for again in their stead.
use super::activities::{activity_token, workflow_token};
use super::unknown_outcome_store::UnknownOutcomeStore;
use super::*;
use std::sync::atomic::Ordering::Relaxed;
use tempest_api::proto::common::v1::WorkflowType;
use tempest_api::proto::enums::v1::NamespaceState;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_server::WorkflowService;
use tempest_api::{ResourceExhaustedCause, ServiceError};
use tempest_store::{RangeId, StoreError};

fn every_error() -> Vec<ServiceError> {
    let text = || "why".to_owned();
    vec![
        ServiceError::InvalidArgument(text()),
        ServiceError::NotFound(text()),
        ServiceError::NamespaceNotFound(text()),
        ServiceError::NamespaceAlreadyExists(text()),
        ServiceError::NamespaceInvalidState { namespace: text(), state: NamespaceState::Deleted },
        ServiceError::WorkflowExecutionAlreadyStarted {
            message: text(),
            start_request_id: text(),
            run_id: text(),
            first_execution_run_id: text(),
        },
        ServiceError::FailedPrecondition(text()),
        ServiceError::PermissionDenied(text()),
        ServiceError::Unimplemented(text()),
        ServiceError::ResourceExhausted { cause: ResourceExhaustedCause::BusyWorkflow, message: text() },
        ServiceError::Unavailable(text()),
        ServiceError::OtherVersion { speaks: 1, why: text() },
        ServiceError::OutcomeUnknown(text()),
        ServiceError::DeadlineExceeded(text()),
        ServiceError::Canceled(text()),
        ServiceError::ShardOwnershipLost { owner_host: text() },
        ServiceError::TaskAlreadyStarted,
        ServiceError::ObsoleteMatchingTask,
        ServiceError::StickyWorkerUnavailable,
        ServiceError::Internal(text()),
        ServiceError::DataLoss(text()),
    ]
}

/// Whether it says that the request was looked at and is not done. A new error is to be put on one side, and into the
/// list above.
fn is_a_refusal(error: &ServiceError) -> bool {
    match error {
        ServiceError::InvalidArgument(_)
        | ServiceError::NotFound(_)
        | ServiceError::NamespaceNotFound(_)
        | ServiceError::NamespaceAlreadyExists(_)
        | ServiceError::NamespaceInvalidState { .. }
        | ServiceError::WorkflowExecutionAlreadyStarted { .. }
        | ServiceError::FailedPrecondition(_)
        | ServiceError::PermissionDenied(_)
        | ServiceError::Unimplemented(_)
        | ServiceError::TaskAlreadyStarted
        | ServiceError::ObsoleteMatchingTask => true,
        // It was not done, but clients are only told to try again.
        ServiceError::ResourceExhausted { .. }
        | ServiceError::Unavailable(_)
        | ServiceError::OtherVersion { .. }
        | ServiceError::StickyWorkerUnavailable
        | ServiceError::ShardOwnershipLost { .. } => false,
        ServiceError::OutcomeUnknown(_)
        | ServiceError::DeadlineExceeded(_)
        | ServiceError::Canceled(_)
        | ServiceError::Internal(_)
        | ServiceError::DataLoss(_) => false,
    }
}

/// What a client takes for certainly not done: it goes on as if it had never asked.
fn reads_as_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated
    )
}

/// Makes each call by which history changes something; how each ended.
async fn change_everything(w: &World) -> Vec<(&'static str, Result<(), Status>)> {
    let (namespace, run) = (|| "default".to_owned(), || execution(RUN));
    let (activity, task) = (|| activity_token(w), || workflow_token(w));
    let (workflow_type, task_queue) =
        (|| Some(WorkflowType { name: "t".into() }), || Some(TaskQueue { name: "q".into(), ..Default::default() }));
    let by_id = || ("w".to_owned(), RUN.to_owned(), "a".to_owned());
    let mut ends = Vec::new();
    macro_rules! call {
        ($rpc:ident, $request:ident { $($field:ident: $value:expr),* }) => {
            let request = api::$request { $($field: $value,)* ..Default::default() };
            ends.push((stringify!($rpc), w.service.$rpc(Request::new(request)).await.map(drop)));
        };
    }
    macro_rules! call_by_id {
        ($rpc:ident, $request:ident { $($field:ident: $value:expr),* }) => {
            let (workflow_id, run_id, activity_id) = by_id();
            let request = api::$request {
                namespace: namespace(),
                workflow_id,
                run_id,
                activity_id,
                $($field: $value,)*
                ..Default::default()
            };
            ends.push((stringify!($rpc), w.service.$rpc(Request::new(request)).await.map(drop)));
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
    call_by_id!(respond_activity_task_completed_by_id, RespondActivityTaskCompletedByIdRequest {});
    call_by_id!(respond_activity_task_failed_by_id, RespondActivityTaskFailedByIdRequest {});
    call_by_id!(respond_activity_task_canceled_by_id, RespondActivityTaskCanceledByIdRequest {});
    call_by_id!(record_activity_task_heartbeat_by_id, RecordActivityTaskHeartbeatByIdRequest {});
    // What is too large to be kept fails the activity, which is a write as any other.
    call!(
        respond_activity_task_completed,
        RespondActivityTaskCompletedRequest { task_token: activity(), result: oversized() }
    );
    call!(
        respond_activity_task_canceled,
        RespondActivityTaskCanceledRequest { task_token: activity(), details: oversized() }
    );
    call!(
        record_activity_task_heartbeat,
        RecordActivityTaskHeartbeatRequest { task_token: activity(), details: oversized() }
    );
    call_by_id!(respond_activity_task_completed_by_id, RespondActivityTaskCompletedByIdRequest { result: oversized() });
    ends
}

#[tokio::test]
async fn whatever_becomes_of_a_call_its_client_hears_and_nobody_repeats_it() {
    let w = world().await;
    for failure in every_error() {
        w.history.fail_with(failure.clone());
        let expect = Status::from(failure);
        let ends = change_everything(&w).await;
        for (rpc, end) in &ends {
            let status = end.as_ref().expect_err("history fails");
            assert_eq!((status.code(), status.message()), (expect.code(), expect.message()), "{rpc}");
            assert_eq!(status.details(), expect.details(), "{rpc}");
        }
        assert_eq!(w.history.calls().len(), ends.len(), "once each: {expect:?}");
    }
    w.history.succeed();
    let ends = change_everything(&w).await;
    assert!(ends.iter().all(|(_, end)| end.is_ok()), "{ends:?}");
    assert_eq!(w.history.calls().len(), ends.len(), "once each");
}

#[tokio::test]
async fn a_client_takes_for_not_done_only_what_history_refused() {
    let w = world().await;
    for failure in every_error() {
        w.history.fail_with(failure.clone());
        for (rpc, end) in change_everything(&w).await {
            let code = end.expect_err("history fails").code();
            assert_eq!(reads_as_refusal(code), is_a_refusal(&failure), "{rpc}: {failure:?}");
        }
    }
}

/// Registers or changes a namespace on a store that ends this write so, performed or not; then again, when all is well.
async fn write_namespace(update: bool, end: StoreError, performed: bool) -> (Code, Result<(), Code>) {
    let store = Arc::new(UnknownOutcomeStore::new().await);
    let w = world_over(store.clone());
    let write = async || {
        let name = "orders".to_owned();
        let ended = if update {
            let request = api::UpdateNamespaceRequest { namespace: name, ..Default::default() };
            w.service.update_namespace(Request::new(request)).await.map(drop)
        } else {
            let request = register(&name);
            w.service.register_namespace(Request::new(request)).await.map(drop)
        };
        ended.map_err(|status| status.code())
    };
    if update {
        let request = register("orders");
        ok(w.service.register_namespace(Request::new(request)).await);
    }
    store.end_next_write(end, performed);
    (write().await.expect_err("the store fails"), write().await)
}

#[tokio::test]
async fn whether_a_namespace_was_written_is_not_guessed() {
    for performed in [false, true] {
        let unknown = || StoreError::OutcomeUnknown("the connection was lost".into());
        let found = if performed { Err(Code::AlreadyExists) } else { Ok(()) };
        assert_eq!(write_namespace(false, unknown(), performed).await, (Code::Unavailable, found));
        assert_eq!(write_namespace(true, unknown(), performed).await, (Code::Unavailable, Ok(())));
    }
    for refusal in [
        StoreError::Unavailable("it is full".into()),
        StoreError::OwnershipLost { current: RangeId(1) },
        StoreError::Corrupt("it makes no sense".into()),
    ] {
        let (code, again) = write_namespace(false, refusal.clone(), false).await;
        assert!(!reads_as_refusal(code), "a try before may have done it: {refusal}");
        assert_eq!(again, Ok(()));
    }
    let conflict = || StoreError::Conflict("somebody was faster".into());
    assert_eq!(write_namespace(false, conflict(), false).await, (Code::AlreadyExists, Ok(())));
    assert_eq!(write_namespace(true, conflict(), false).await, (Code::Unavailable, Ok(())));
}

#[tokio::test]
async fn what_waits_for_a_namespace_of_unknown_outcome_is_not_begun() {
    for performed in [false, true] {
        let store = Arc::new(UnknownOutcomeStore::new().await);
        store.end_next_write(StoreError::OutcomeUnknown("the connection was lost".into()), performed);
        let w = world_over(store);
        let start = || {
            Request::new(api::StartWorkflowExecutionRequest {
                namespace: "default".into(),
                workflow_id: "w".into(),
                workflow_type: Some(WorkflowType { name: "t".into() }),
                task_queue: Some(TaskQueue { name: "q".into(), ..Default::default() }),
                ..Default::default()
            })
        };
        w.service.0.ensure_namespace("default").await.expect_err("nobody knows whether it is there");
        assert!(w.history.calls().is_empty());
        ok(w.service.start_workflow_execution(start()).await);
        assert_eq!(w.history.calls(), ["start"], "now it is there, whoever wrote it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_a_deadline_waits_as_long_as_the_row_says() {
    let w = world().await;
    w.history.silent.store(true, Relaxed);
    let signal = || api::SignalWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: execution(RUN),
        signal_name: "go".into(),
        ..Default::default()
    };
    let begun = tempest_rt::time::Instant::now();
    let status = w.service.signal_workflow_execution(Request::new(signal())).await.expect_err("history is silent");
    assert_eq!((status.code(), status.message()), (Code::DeadlineExceeded, "context deadline exceeded"));
    assert_eq!(begun.elapsed().as_secs(), 30);
    // One that says how long it waits is not cut short.
    let patient = w.service.signal_workflow_execution(within(Duration::from_secs(90), signal()));
    assert!(tempest_rt::time::timeout(Duration::from_secs(80), patient).await.is_err(), "it still waits");
}
