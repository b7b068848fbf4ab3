//! Workers report: workflow tasks and activities, by token and by id.
use super::*;
use tempest_api::encode_token;
use tempest_api::proto::deployment::v1::WorkerDeploymentOptions;
use tempest_api::proto::enums::v1::{VersioningBehavior, WorkerVersioningMode};
use tempest_api::proto::failure::v1::{
    ApplicationFailureInfo, Failure, ServerFailureInfo, TimeoutFailureInfo, failure::FailureInfo,
};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_server::WorkflowService;
use tempest_core::{ActivityRef, ActivityTaskToken, NamespaceId, WorkflowTaskToken};

pub(super) fn activity_token(w: &World) -> Vec<u8> {
    encode_token(&ActivityTaskToken {
        namespace_id: NamespaceId(w.namespace_id.clone()),
        workflow_id: "w".into(),
        run_id: RUN.into(),
        scheduled_event_id: 5,
        attempt: 1,
        ..Default::default()
    })
}

pub(super) fn workflow_token(w: &World) -> Vec<u8> {
    encode_token(&WorkflowTaskToken {
        namespace_id: NamespaceId(w.namespace_id.clone()),
        workflow_id: "w".into(),
        run_id: RUN.into(),
        scheduled_event_id: 2,
        ..Default::default()
    })
}

fn application_failure(message: String) -> Option<Failure> {
    let failure_info = Some(FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo::default()));
    Some(Failure { message, failure_info, ..Default::default() })
}

#[tokio::test]
async fn reports_by_token_reach_the_run_of_the_token() {
    let w = world().await;
    let token = activity_token(&w);
    let completed = api::RespondActivityTaskCompletedRequest { task_token: token.clone(), ..Default::default() };
    ok(w.service.respond_activity_task_completed(Request::new(completed)).await);
    let failed = api::RespondActivityTaskFailedRequest {
        task_token: token.clone(),
        failure: application_failure("no".into()),
        ..Default::default()
    };
    assert!(ok(w.service.respond_activity_task_failed(Request::new(failed)).await).failures.is_empty());
    let canceled = api::RespondActivityTaskCanceledRequest { task_token: token.clone(), ..Default::default() };
    ok(w.service.respond_activity_task_canceled(Request::new(canceled)).await);
    let heartbeat = api::RecordActivityTaskHeartbeatRequest { task_token: token, ..Default::default() };
    ok(w.service.record_activity_task_heartbeat(Request::new(heartbeat)).await);
    assert_eq!(w.history.calls(), ["complete activity", "fail activity", "cancel activity", "heartbeat"]);
    assert!(w.history.activities.lock().unwrap().iter().all(|(of, _)| of.run_id.as_str() == RUN));

    let completed = api::RespondWorkflowTaskCompletedRequest { task_token: workflow_token(&w), ..Default::default() };
    ok(w.service.respond_workflow_task_completed(Request::new(completed)).await);
    let failed = api::RespondWorkflowTaskFailedRequest { task_token: workflow_token(&w), ..Default::default() };
    ok(w.service.respond_workflow_task_failed(Request::new(failed)).await);
    assert_eq!(w.history.calls(), ["complete workflow task 2", "fail workflow task 2: "]);
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let w = world().await;
    let nonsense = || b"nonsense".to_vec();
    let expect = || invalid("Error deserializing task token.");
    let completed = api::RespondActivityTaskCompletedRequest { task_token: nonsense(), ..Default::default() };
    assert_eq!(refused(w.service.respond_activity_task_completed(Request::new(completed)).await), expect());
    let completed = api::RespondWorkflowTaskCompletedRequest { task_token: nonsense(), ..Default::default() };
    assert_eq!(refused(w.service.respond_workflow_task_completed(Request::new(completed)).await), expect());
    // One kind is not taken for the other.
    let completed = api::RespondWorkflowTaskCompletedRequest { task_token: activity_token(&w), ..Default::default() };
    assert_eq!(refused(w.service.respond_workflow_task_completed(Request::new(completed)).await), expect());
    let failed = api::RespondWorkflowTaskFailedRequest { task_token: Vec::new(), ..Default::default() };
    let answer = w.service.respond_workflow_task_failed(Request::new(failed)).await;
    assert_eq!(refused(answer), invalid("Task token not set on request."));
}

#[tokio::test]
async fn a_token_of_another_namespace_is_refused() {
    let w = world().await;
    ok(w.service.register_namespace(Request::new(register("other"))).await);
    let completed = |namespace: &str| {
        let task_token = activity_token(&w);
        Request::new(api::RespondActivityTaskCompletedRequest {
            namespace: namespace.into(),
            task_token,
            ..Default::default()
        })
    };
    let answer = w.service.respond_activity_task_completed(completed("other")).await;
    assert_eq!(refused(answer), invalid("Operation requested with a token from a different namespace."));
    ok(w.service.respond_activity_task_completed(completed("default")).await);
}

#[tokio::test]
async fn reports_by_id_name_run_and_activity() {
    let w = world().await;
    let completed = |workflow: &str, run: &str, activity: &str| {
        Request::new(api::RespondActivityTaskCompletedByIdRequest {
            namespace: "default".into(),
            workflow_id: workflow.into(),
            run_id: run.into(),
            activity_id: activity.into(),
            ..Default::default()
        })
    };
    ok(w.service.respond_activity_task_completed_by_id(completed("w", "", "a")).await);
    let (of, named) = w.history.activities.lock().unwrap().pop().unwrap();
    assert_eq!((of.run_id.as_str(), named), ("", ActivityRef::Id("a".into())));
    for (request, expect) in [
        (completed("w", "", ""), "ActivityId is not set on request."),
        (completed("", "", "a"), "WorkflowId is not set on request."),
        (completed("w", "x", "a"), "Invalid RunId."),
    ] {
        assert_eq!(refused(w.service.respond_activity_task_completed_by_id(request).await), invalid(expect));
    }
    let by_id = api::RecordActivityTaskHeartbeatByIdRequest {
        namespace: "default".into(),
        workflow_id: "w".into(),
        activity_id: "a".into(),
        ..Default::default()
    };
    ok(w.service.record_activity_task_heartbeat_by_id(Request::new(by_id)).await);
    let by_id = api::RespondActivityTaskFailedByIdRequest {
        namespace: "default".into(),
        workflow_id: "w".into(),
        activity_id: "a".into(),
        ..Default::default()
    };
    ok(w.service.respond_activity_task_failed_by_id(Request::new(by_id)).await);
    let by_id = api::RespondActivityTaskCanceledByIdRequest {
        namespace: "default".into(),
        workflow_id: "w".into(),
        activity_id: "a".into(),
        ..Default::default()
    };
    ok(w.service.respond_activity_task_canceled_by_id(Request::new(by_id)).await);
    assert_eq!(w.history.calls(), ["complete activity", "heartbeat", "fail activity", "cancel activity"]);
}

#[tokio::test]
async fn what_is_too_large_fails_the_activity_for_good() {
    let w = world().await;
    let heartbeat = api::RecordActivityTaskHeartbeatRequest {
        task_token: activity_token(&w),
        details: oversized(),
        ..Default::default()
    };
    assert!(ok(w.service.record_activity_task_heartbeat(Request::new(heartbeat)).await).cancel_requested);
    let completed = api::RespondActivityTaskCompletedRequest {
        task_token: activity_token(&w),
        result: oversized(),
        ..Default::default()
    };
    ok(w.service.respond_activity_task_completed(Request::new(completed)).await);
    let canceled = api::RespondActivityTaskCanceledRequest {
        task_token: activity_token(&w),
        details: oversized(),
        ..Default::default()
    };
    ok(w.service.respond_activity_task_canceled(Request::new(canceled)).await);
    let failed = api::RespondActivityTaskFailedRequest {
        task_token: activity_token(&w),
        failure: application_failure("x".repeat(2 * 1024 * 1024 + 1)),
        last_heartbeat_details: oversized(),
        ..Default::default()
    };
    assert_eq!(ok(w.service.respond_activity_task_failed(Request::new(failed)).await).failures.len(), 2);
    let reported = std::mem::take(&mut *w.history.failed_activities.lock().unwrap());
    let messages: Vec<_> = reported.iter().map(|r| r.failure.clone().unwrap()).collect();
    for failure in &messages {
        let for_good = FailureInfo::ServerFailureInfo(ServerFailureInfo { non_retryable: true });
        assert_eq!(failure.failure_info, Some(for_good));
    }
    let kept: Vec<_> = messages.iter().map(|failure| failure.encoded_len() >> 10).collect();
    assert_eq!(kept, [0, 0, 0, 512], "of a failure the head is kept");
    let texts: Vec<_> = messages.into_iter().map(|failure| failure.message).collect();
    assert_eq!(
        texts,
        [
            "Heartbeat details exceed size limit.",
            "Complete result exceeds size limit.",
            "Cancel details exceed size limit.",
            "Failure exceeds size limit."
        ]
    );
}

#[tokio::test]
async fn what_is_refused_anyway_fails_no_activity() {
    let w = world().await;
    let identity = || "x".repeat(1001);
    let completed = api::RespondActivityTaskCompletedRequest {
        task_token: activity_token(&w),
        result: oversized(),
        identity: identity(),
        ..Default::default()
    };
    let answer = w.service.respond_activity_task_completed(Request::new(completed)).await;
    assert_eq!(refused(answer), invalid("Identity length exceeds limit."));
    let failed = |identity: String, failure| api::RespondActivityTaskFailedRequest {
        task_token: activity_token(&w),
        last_heartbeat_details: oversized(),
        identity,
        failure,
        ..Default::default()
    };
    let large = Failure { message: "x".repeat(2 * 1024 * 1024 + 1), ..Default::default() };
    let answer = w.service.respond_activity_task_failed(Request::new(failed(identity(), Some(large)))).await;
    assert_eq!(refused(answer), invalid("Failure must have ApplicationFailureInfo."));
    let small = application_failure("no".into());
    let answer = w.service.respond_activity_task_failed(Request::new(failed(identity(), small))).await;
    assert_eq!(refused(answer), invalid("Identity length exceeds limit."));
    assert!(w.history.calls().is_empty(), "history never heard of it");
}

#[tokio::test]
async fn a_failure_must_come_from_the_application() {
    let w = world().await;
    let failure_info = Some(FailureInfo::TimeoutFailureInfo(TimeoutFailureInfo::default()));
    let failed = api::RespondActivityTaskFailedRequest {
        task_token: activity_token(&w),
        failure: Some(Failure { failure_info, ..Default::default() }),
        ..Default::default()
    };
    let answer = w.service.respond_activity_task_failed(Request::new(failed.clone())).await;
    assert_eq!(refused(answer), invalid("Failure must have ApplicationFailureInfo."));
    let by_id = api::RespondActivityTaskFailedByIdRequest {
        namespace: "default".into(),
        workflow_id: "w".into(),
        activity_id: "a".into(),
        failure: failed.failure,
        ..Default::default()
    };
    ok(w.service.respond_activity_task_failed_by_id(Request::new(by_id)).await);
}

#[tokio::test]
async fn the_delay_before_the_next_attempt_is_a_duration() {
    let w = world().await;
    let check = async |seconds, nanos, expect: Option<&str>| {
        let delayed = ApplicationFailureInfo {
            next_retry_delay: Some(prost_wkt_types::Duration { seconds, nanos }),
            ..Default::default()
        };
        let failure_info = Some(FailureInfo::ApplicationFailureInfo(delayed));
        let cause = Some(Box::new(Failure { failure_info, ..Default::default() }));
        let failure = application_failure("no".into()).map(|failure| Failure { cause, ..failure });
        let failed = api::RespondActivityTaskFailedRequest {
            task_token: activity_token(&w),
            failure: failure.clone(),
            ..Default::default()
        };
        let by_id = api::RespondActivityTaskFailedByIdRequest {
            namespace: "default".into(),
            workflow_id: "w".into(),
            activity_id: "a".into(),
            failure,
            ..Default::default()
        };
        let expect = expect.map(|text| invalid(&format!("NextRetryDelay is not a valid duration: {text}")));
        let answer = w.service.respond_activity_task_failed(Request::new(failed)).await.map(drop);
        assert_eq!(answer.err().map(|status| (status.code(), status.message().to_owned())), expect);
        let answer = w.service.respond_activity_task_failed_by_id(Request::new(by_id)).await.map(drop);
        assert_eq!(answer.err().map(|status| (status.code(), status.message().to_owned())), expect);
    };
    check(5, 0, None).await;
    check(-5, 0, None).await;
    check(1, -1, Some("duration has seconds and nanos with different signs")).await;
    check(0, 2_000_000_000, Some("duration has out-of-range nanos")).await;
}

#[tokio::test]
async fn a_part_of_a_completion_is_not_taken_for_the_whole() {
    let w = world().await;
    let disabled = "workflow task completion pagination is disabled for this namespace default";
    for (page_number, intermediate_page) in [(0, true), (1, true), (1, false)] {
        let part = api::RespondWorkflowTaskCompletedRequest {
            task_token: workflow_token(&w),
            page_number,
            intermediate_page,
            ..Default::default()
        };
        let answer = w.service.respond_workflow_task_completed(Request::new(part)).await;
        assert_eq!(refused(answer), (Code::FailedPrecondition, disabled.to_owned()));
    }
    assert!(w.history.calls().is_empty(), "history never heard of it");
}

#[tokio::test]
async fn a_versioning_behavior_needs_a_version() {
    let w = world().await;
    let completed = |mode: WorkerVersioningMode| api::RespondWorkflowTaskCompletedRequest {
        task_token: workflow_token(&w),
        versioning_behavior: VersioningBehavior::Pinned as i32,
        deployment_options: Some(WorkerDeploymentOptions { worker_versioning_mode: mode as i32, ..Default::default() }),
        ..Default::default()
    };
    let text = "versioning behavior cannot be specified without deployment options being set with versioned mode";
    let unversioned = completed(WorkerVersioningMode::Unversioned);
    let answer = w.service.respond_workflow_task_completed(Request::new(unversioned)).await;
    assert_eq!(refused(answer), invalid(text));
    ok(w.service.respond_workflow_task_completed(Request::new(completed(WorkerVersioningMode::Versioned))).await);
}
