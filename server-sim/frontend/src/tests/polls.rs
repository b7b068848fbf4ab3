//! Workers poll, and say good-bye.
use super::*;
use tempest_api::proto::common::v1::WorkerVersionCapabilities;
use tempest_api::proto::deployment::v1::WorkerDeploymentOptions;
use tempest_api::proto::enums::v1::{DescribeTaskQueueMode, TaskQueueKind, TaskQueueType, WorkerVersioningMode};
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_server::WorkflowService;

fn poll() -> api::PollWorkflowTaskQueueRequest {
    api::PollWorkflowTaskQueueRequest {
        namespace: "default".into(),
        task_queue: Some(TaskQueue { name: "q".into(), ..Default::default() }),
        ..Default::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_ends_before_its_caller_does() {
    let w = world().await;
    for (patience, expect) in [(70, 60), (30, 29), (2, 1)] {
        ok(w.service.poll_workflow_task_queue(within(Duration::from_secs(patience), poll())).await);
        assert_eq!(w.matching.timeouts.lock().unwrap().pop(), Some(Duration::from_secs(expect)));
    }
    assert_eq!(w.matching.polled.lock().unwrap()[0].task_queue.as_ref().unwrap().kind, TaskQueueKind::Normal as i32);
}

#[tokio::test]
async fn a_poll_needs_patience_and_a_queue() {
    let w = world().await;
    let answer = w.service.poll_workflow_task_queue(Request::new(poll())).await;
    assert_eq!(refused(answer), invalid("Context timeout is not set."));
    let answer = w.service.poll_workflow_task_queue(within(Duration::from_millis(1500), poll())).await;
    assert_eq!(refused(answer), (Code::FailedPrecondition, "Context timeout is too short.".to_owned()));
    let nameless = api::PollWorkflowTaskQueueRequest { task_queue: None, ..poll() };
    let answer = w.service.poll_workflow_task_queue(within(Duration::from_secs(70), nameless)).await;
    assert_eq!(refused(answer), invalid("taskQueue is not set"));
}

#[tokio::test]
#[allow(deprecated, reason = "older SDKs still send it")]
async fn versioned_workers_are_told_that_they_get_no_tasks() {
    let w = world().await;
    let patience = Duration::from_secs(70);
    let deployment = |mode: WorkerVersioningMode, name: &str| {
        Some(WorkerDeploymentOptions {
            deployment_name: name.into(),
            build_id: "1.0".into(),
            worker_versioning_mode: mode as i32,
        })
    };
    let check = async |options: Option<WorkerDeploymentOptions>, use_versioning, expect: Option<(Code, &str)>| {
        let capabilities = Some(WorkerVersionCapabilities { use_versioning, ..Default::default() });
        let workflow = api::PollWorkflowTaskQueueRequest {
            worker_version_capabilities: capabilities.clone(),
            deployment_options: options.clone(),
            ..poll()
        };
        let activity = api::PollActivityTaskQueueRequest {
            namespace: "default".into(),
            task_queue: poll().task_queue,
            worker_version_capabilities: capabilities,
            deployment_options: options,
            ..Default::default()
        };
        let workflow = w.service.poll_workflow_task_queue(within(patience, workflow)).await.map(drop);
        let activity = w.service.poll_activity_task_queue(within(patience, activity)).await.map(drop);
        for answer in [workflow, activity] {
            let refused = answer.err().map(|status| (status.code(), status.message().to_owned()));
            assert_eq!(refused, expect.map(|(code, text)| (code, text.to_owned())));
        }
    };
    let disabled = "Worker Deployment Versions are disabled on this namespace.";
    check(deployment(WorkerVersioningMode::Versioned, "shop"), false, Some((Code::PermissionDenied, disabled))).await;
    let incomplete = "Both deployment name and build id must be set when versioning is enabled.";
    check(deployment(WorkerVersioningMode::Versioned, ""), false, Some((Code::InvalidArgument, incomplete))).await;
    let old = "Worker versioning in workflow progress APIs is disabled on this namespace.";
    check(None, true, Some((Code::PermissionDenied, old))).await;
    check(deployment(WorkerVersioningMode::Unversioned, ""), false, None).await;
    check(None, false, None).await;
}

#[tokio::test]
async fn an_activity_task_carries_the_name_of_its_namespace() {
    let w = world().await;
    let poll = api::PollActivityTaskQueueRequest {
        namespace: "default".into(),
        task_queue: Some(TaskQueue { name: "q".into(), ..Default::default() }),
        ..Default::default()
    };
    let task = ok(w.service.poll_activity_task_queue(within(Duration::from_secs(70), poll)).await);
    assert_eq!(task.workflow_namespace, "default");
}

#[tokio::test]
async fn a_worker_that_goes_down_has_its_sticky_queue_unloaded() {
    let w = world().await;
    let request = api::ShutdownWorkerRequest {
        namespace: "default".into(),
        sticky_task_queue: "sticky".into(),
        ..Default::default()
    };
    ok(w.service.shutdown_worker(Request::new(request.clone())).await);
    assert_eq!(*w.matching.unloaded.lock().unwrap(), ["sticky"]);
    assert!(w.matching.polls_ended.lock().unwrap().is_empty(), "which polls are its own it does not say");
    let request = api::ShutdownWorkerRequest {
        task_queue: "q".into(),
        worker_instance_key: "instance".into(),
        identity: "worker".into(),
        ..request
    };
    *w.matching.ending_fails.lock().unwrap() = Some(tempest_api::ServiceError::Unavailable("no node".into()));
    ok(w.service.shutdown_worker(Request::new(request)).await);
    let worker = tempest_api::WorkerInstance { key: "instance".into(), identity: "worker".into() };
    let ended = [("q".to_owned(), worker.clone()), ("sticky".to_owned(), worker)];
    assert_eq!(*w.matching.polls_ended.lock().unwrap(), ended);
    assert_eq!(*w.matching.unloaded.lock().unwrap(), ["sticky", "sticky"]);
    let heartbeat = api::RecordWorkerHeartbeatRequest { namespace: "default".into(), ..Default::default() };
    ok(w.service.record_worker_heartbeat(Request::new(heartbeat)).await);
    let describe = api::DescribeTaskQueueRequest {
        namespace: "default".into(),
        task_queue: Some(TaskQueue { name: "q".into(), ..Default::default() }),
        ..Default::default()
    };
    ok(w.service.describe_task_queue(Request::new(describe)).await);
}

#[tokio::test]
async fn a_worker_that_evicts_a_run_from_its_cache_gets_no_sticky_tasks_of_it() {
    let w = world().await;
    let reset = |execution| api::ResetStickyTaskQueueRequest { namespace: "default".into(), execution };
    ok(w.service.reset_sticky_task_queue(Request::new(reset(execution("")))).await);
    ok(w.service.reset_sticky_task_queue(Request::new(reset(execution(RUN)))).await);
    let of_run = format!("reset stickiness of \"w\" {RUN:?}");
    assert_eq!(w.history.calls(), ["reset stickiness of \"w\" \"\"", &of_run]);
    let answer = w.service.reset_sticky_task_queue(Request::new(reset(None))).await;
    assert_eq!(refused(answer), invalid("Execution is not set on request."));
    let answer = w.service.reset_sticky_task_queue(Request::new(reset(execution("no-uuid")))).await;
    assert_eq!(refused(answer), invalid("Invalid RunId."));
}

#[tokio::test]
#[allow(deprecated, reason = "the command line still asks so")]
async fn the_command_line_describes_both_types_of_a_queue_at_once() {
    let w = world().await;
    let describe = |kind: TaskQueueKind| api::DescribeTaskQueueRequest {
        namespace: "default".into(),
        task_queue: Some(TaskQueue { name: "q".into(), kind: kind as i32, ..Default::default() }),
        api_mode: DescribeTaskQueueMode::Enhanced as i32,
        report_stats: true,
        report_pollers: true,
        ..Default::default()
    };
    let described = ok(w.service.describe_task_queue(Request::new(describe(TaskQueueKind::Normal))).await);
    let version = &described.versions_info[""];
    for queue_type in [TaskQueueType::Workflow, TaskQueueType::Activity] {
        let info = &version.types_info[&(queue_type as i32)];
        assert_eq!(info.stats.as_ref().unwrap().approximate_backlog_count, i64::from(queue_type as i32));
        assert_eq!(info.pollers[0].identity, "worker");
    }
    let text =
        "Enhanced DescribeTaskQueue is not valid for a sticky queue, use api_mode=UNSPECIFIED or a normal queue.";
    let sticky = w.service.describe_task_queue(Request::new(describe(TaskQueueKind::Sticky))).await;
    assert_eq!(refused(sticky), invalid(text));
}
