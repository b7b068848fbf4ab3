//! Bad requests to a whole node: each is told what Temporal tells it, and none breaks anything.
#![allow(clippy::unwrap_used)]
use prost::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempest_api::proto::common::v1::{
    Callback, Memo, Payload, Payloads, Priority, RetryPolicy, SearchAttributes, TimeSkippingConfig, WorkflowExecution,
    WorkflowType,
};
use tempest_api::proto::enums::v1::{
    ArchivalState, NamespaceState, ReplicationState, WorkflowIdConflictPolicy, WorkflowIdReusePolicy,
};
use tempest_api::proto::namespace::v1::{BadBinaries, BadBinaryInfo, NamespaceConfig, UpdateNamespaceInfo};
use tempest_api::proto::replication::v1::{ClusterReplicationConfig, NamespaceReplicationConfig};
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflow::v1::VersioningOverride;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_client::WorkflowServiceClient;
use tempest_api::{HistoryPageToken, RpcStatus, encode_token};
use tempest_core::{ActivityTaskToken, WorkflowTaskToken};
use tempest_rt::net::Tcp;
use tempest_server::{Node, NodeConfig};
use tempest_store::redb::{RedbConfig, RedbStore};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

const NOBODY: &str = "6f1d6c2e-6b1f-4d3f-9d57-0f6d9b7a1c11";

type Wire = prost_wkt_types::Duration;

struct World {
    node: Node,
    client: WorkflowServiceClient<Channel>,
}

async fn world() -> World {
    let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.unwrap());
    let node = Node::start(NodeConfig::new("127.0.0.1:0", 2), store, Arc::new(Tcp)).await.unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", node.address().unwrap())).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let client = WorkflowServiceClient::new(channel).max_encoding_message_size(64 << 20);
    World { node, client }
}

/// Code, text, and the type of the first detail without its package.
fn said<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> (Code, String, String) {
    let status = answer.expect_err("it is refused");
    let rpc = RpcStatus::decode(status.details()).expect("details are a google.rpc.Status");
    let detail = rpc.details.first().map(|any| any.type_url.rsplit('.').next().unwrap().to_owned());
    (status.code(), status.message().to_owned(), detail.unwrap_or_default())
}

fn invalid(text: &str) -> (Code, String, String) {
    (Code::InvalidArgument, text.to_owned(), String::new())
}

fn not_found(text: &str, detail: &str) -> (Code, String, String) {
    (Code::NotFound, text.to_owned(), detail.to_owned())
}

fn long() -> String {
    "x".repeat(1001)
}

fn seconds(seconds: i64) -> Option<Wire> {
    Some(Wire { seconds, nanos: 0 })
}

fn queue(name: impl Into<String>) -> Option<TaskQueue> {
    Some(TaskQueue { name: name.into(), ..Default::default() })
}

fn named(name: impl Into<String>) -> Option<WorkflowType> {
    Some(WorkflowType { name: name.into() })
}

fn execution(workflow_id: impl Into<String>, run_id: impl Into<String>) -> Option<WorkflowExecution> {
    Some(WorkflowExecution { workflow_id: workflow_id.into(), run_id: run_id.into() })
}

fn payload(bytes: usize) -> Payload {
    Payload { data: vec![7; bytes], ..Default::default() }
}

fn oversized() -> Option<Payloads> {
    Some(Payloads { payloads: vec![payload((2 << 20) + 1)] })
}

fn attributes(count: usize, bytes: usize) -> Option<SearchAttributes> {
    let indexed_fields = (0..count).map(|number| (format!("Field{number:03}"), payload(bytes))).collect();
    Some(SearchAttributes { indexed_fields })
}

/// A policy that is in order.
fn policy() -> RetryPolicy {
    RetryPolicy {
        initial_interval: seconds(1),
        backoff_coefficient: 2.0,
        maximum_interval: seconds(10),
        ..Default::default()
    }
}

fn start() -> api::StartWorkflowExecutionRequest {
    api::StartWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_id: "w".into(),
        workflow_type: named("t"),
        task_queue: queue("q"),
        ..Default::default()
    }
}

type Start = api::StartWorkflowExecutionRequest;

#[tokio::test]
async fn bad_starts_are_refused_with_temporals_words() {
    let World { node, mut client } = world().await;
    let retried = |change: fn(&mut RetryPolicy)| {
        let mut policy = policy();
        change(&mut policy);
        Start { retry_policy: Some(policy), ..start() }
    };
    let ids = |reuse: WorkflowIdReusePolicy, conflict: WorkflowIdConflictPolicy| Start {
        workflow_id_reuse_policy: reuse as i32,
        workflow_id_conflict_policy: conflict as i32,
        ..start()
    };
    let memo = Memo { fields: [("k".to_owned(), payload((2 << 20) + 1))].into_iter().collect() };
    for (request, text) in [
        (Start { namespace: String::new(), ..start() }, "Namespace not set on request."),
        (Start { namespace: long(), ..start() }, "Namespace length exceeds limit."),
        (Start { workflow_id: String::new(), ..start() }, "WorkflowId is not set on request."),
        (Start { workflow_id: long(), ..start() }, "WorkflowId exceeds maximum allowed length (1001/1000)"),
        (Start { workflow_type: None, ..start() }, "WorkflowType is not set on request."),
        (Start { workflow_type: named(""), ..start() }, "WorkflowType is not set on request."),
        (Start { workflow_type: named(long()), ..start() }, "WorkflowType length exceeds limit."),
        (Start { task_queue: None, ..start() }, "taskQueue is not set"),
        (Start { task_queue: queue(""), ..start() }, "missing task queue name"),
        (Start { task_queue: queue(long()), ..start() }, "taskQueue length exceeds limit"),
        (
            Start { task_queue: queue("/_sys/q/1"), ..start() },
            "task queue name cannot start with reserved prefix /_sys/",
        ),
        (
            Start { task_queue: queue("temporal-sys-per-ns-tq"), ..start() },
            "cannot use internal per-namespace task queue:temporal-sys-per-ns-tq",
        ),
        (Start { request_id: long(), ..start() }, "RequestId length exceeds limit."),
        (Start { identity: long(), ..start() }, "Identity length exceeds limit."),
        (
            Start { workflow_execution_timeout: seconds(-1), ..start() },
            "An invalid WorkflowExecutionTimeoutSeconds is set on request. cause: negative duration",
        ),
        (
            Start { workflow_run_timeout: Some(Wire { seconds: 0, nanos: -1 }), ..start() },
            "An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration",
        ),
        (
            Start { workflow_task_timeout: Some(Wire { seconds: 1, nanos: -1 }), ..start() },
            "An invalid WorkflowTaskTimeoutSeconds is set on request. \
             cause: duration has seconds and nanos with different signs",
        ),
        (
            Start { workflow_start_delay: seconds(i64::MIN), ..start() },
            "An invalid WorkflowStartDelaySeconds is set on request. cause: negative duration",
        ),
        (
            Start { workflow_start_delay: seconds(1), cron_schedule: "* * * * *".into(), ..start() },
            "CronSchedule and WorkflowStartDelay may not be used together.",
        ),
        (
            retried(|policy| policy.initial_interval = seconds(-1)),
            "invalid InitialInterval set on retry policy: negative duration",
        ),
        (
            retried(|policy| policy.backoff_coefficient = 0.5),
            "BackoffCoefficient cannot be less than 1 on retry policy.",
        ),
        (
            retried(|policy| policy.backoff_coefficient = f64::NAN),
            "BackoffCoefficient cannot be less than 1 on retry policy.",
        ),
        (
            retried(|policy| policy.maximum_interval = seconds(-1)),
            "invalid MaximumInterval set on retry policy: negative duration",
        ),
        (
            retried(|policy| policy.initial_interval = seconds(11)),
            "MaximumInterval cannot be less than InitialInterval on retry policy.",
        ),
        (retried(|policy| policy.maximum_attempts = -1), "MaximumAttempts cannot be negative on retry policy."),
        (
            retried(|policy| policy.non_retryable_error_types = vec!["TemporalTimeout:Later".into()]),
            "Invalid timeout type value: Later.",
        ),
        (Start { cron_schedule: "* * * * *".into(), ..start() }, "Cron schedules are not supported yet."),
        (
            Start { completion_callbacks: vec![Callback::default()], ..start() },
            "Completion callbacks are not supported yet.",
        ),
        (
            Start { versioning_override: Some(VersioningOverride::default()), ..start() },
            "Versioning overrides are not supported yet.",
        ),
        (Start { input: oversized(), ..start() }, "Blob data size exceeds limit."),
        (Start { memo: Some(memo), ..start() }, "Memo size exceeds limit."),
        (
            Start { search_attributes: attributes(101, 1), ..start() },
            "number of search attributes 101 exceeds limit 100",
        ),
        (
            Start { search_attributes: attributes(2, 2049), ..start() },
            "search attribute Field000 value size 2049 exceeds size limit 2048",
        ),
        (
            Start { search_attributes: attributes(20, 2048), ..start() },
            "total size of search attributes 41340 exceeds size limit 40960",
        ),
        (
            Start { priority: Some(Priority { priority_key: -1, ..Default::default() }), ..start() },
            "priority key can't be negative",
        ),
        (
            ids(WorkflowIdReusePolicy::RejectDuplicate, WorkflowIdConflictPolicy::TerminateExisting),
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with \
             WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING",
        ),
    ] {
        assert_eq!(said(client.start_workflow_execution(request).await), invalid(text));
    }
    let request = Start { namespace: "nowhere".into(), ..start() };
    let expect = not_found("Namespace nowhere is not found.", "NamespaceNotFoundFailure");
    assert_eq!(said(client.start_workflow_execution(request).await), expect);
    let request = Start { time_skipping_config: Some(TimeSkippingConfig::default()), ..start() };
    let status = client.start_workflow_execution(request).await.expect_err("it is not there");
    assert_eq!(status.code(), Code::Unimplemented);

    // The largest and the oddest that is allowed.
    let request = Start {
        workflow_id: "x".repeat(1000),
        workflow_execution_timeout: seconds(i64::MAX),
        workflow_run_timeout: seconds(i64::MAX),
        workflow_task_timeout: seconds(i64::MAX),
        workflow_start_delay: seconds(i64::MAX),
        retry_policy: Some(RetryPolicy { maximum_attempts: 1, backoff_coefficient: -1.0, ..Default::default() }),
        workflow_id_reuse_policy: 99,
        search_attributes: attributes(100, 1),
        ..start()
    };
    client.start_workflow_execution(request).await.expect("it is in order");
    node.stop().await;
}

#[tokio::test]
async fn a_message_over_the_limit_for_messages_is_refused_as_workers_expect() {
    let World { node, mut client } = world().await;
    let with_input = |bytes: usize| Start { input: Some(Payloads { payloads: vec![payload(bytes)] }), ..start() };
    let limit = 4 << 20;
    for bytes in [limit, 5 << 20, 20 << 20] {
        let request = with_input(bytes);
        let size = request.encoded_len();
        let status = client.start_workflow_execution(request).await.expect_err("it is too large");
        assert_eq!(status.code(), Code::ResourceExhausted);
        let expect = format!("grpc: received message larger than max ({size} vs. {limit})");
        assert_eq!(status.message(), expect);
    }
    // Below it the payload is found too large, in the words for that.
    let answer = client.start_workflow_execution(with_input(limit - 1000)).await;
    assert_eq!(said(answer), invalid("Blob data size exceeds limit."));
    node.stop().await;
}

#[tokio::test]
async fn bad_requests_to_a_run_are_refused_with_temporals_words() {
    let World { node, mut client } = world().await;
    client.start_workflow_execution(start()).await.unwrap();
    let bad = || {
        BTreeMap::from([
            ("Execution is not set on request.", None),
            ("WorkflowId is not set on request.", execution("", "")),
            ("WorkflowId length exceeds limit.", execution(long(), "")),
            ("Invalid RunId.", execution("w", "no-uuid")),
        ])
    };
    let namespace = || "default".to_owned();
    for (text, workflow_execution) in bad() {
        let expect = invalid(text);
        let request = api::SignalWorkflowExecutionRequest {
            namespace: namespace(),
            workflow_execution: workflow_execution.clone(),
            signal_name: "s".into(),
            ..Default::default()
        };
        assert_eq!(said(client.signal_workflow_execution(request).await), expect);
        let request = api::RequestCancelWorkflowExecutionRequest {
            namespace: namespace(),
            workflow_execution: workflow_execution.clone(),
            ..Default::default()
        };
        assert_eq!(said(client.request_cancel_workflow_execution(request).await), expect);
        let request = api::TerminateWorkflowExecutionRequest {
            namespace: namespace(),
            workflow_execution: workflow_execution.clone(),
            ..Default::default()
        };
        assert_eq!(said(client.terminate_workflow_execution(request).await), expect);
        let execution = workflow_execution;
        let request = api::DescribeWorkflowExecutionRequest { namespace: namespace(), execution: execution.clone() };
        assert_eq!(said(client.describe_workflow_execution(request).await), expect);
        let request = api::GetWorkflowExecutionHistoryRequest {
            namespace: namespace(),
            execution: execution.clone(),
            ..Default::default()
        };
        assert_eq!(said(client.get_workflow_execution_history(request).await), expect);
        let request =
            api::GetWorkflowExecutionHistoryReverseRequest { namespace: namespace(), execution, ..Default::default() };
        assert_eq!(said(client.get_workflow_execution_history_reverse(request).await), expect);
    }
    let signal = |name: &str| api::SignalWorkflowExecutionRequest {
        namespace: namespace(),
        workflow_execution: execution("w", ""),
        signal_name: name.into(),
        ..Default::default()
    };
    for (request, text) in [
        (signal(""), "SignalName is not set on request."),
        (signal(&long()), "SignalName length exceeds limit."),
        (api::SignalWorkflowExecutionRequest { request_id: long(), ..signal("s") }, "RequestId length exceeds limit."),
        (api::SignalWorkflowExecutionRequest { input: oversized(), ..signal("s") }, "Blob data size exceeds limit."),
        (
            api::SignalWorkflowExecutionRequest { namespace: String::new(), ..signal("s") },
            "Namespace not set on request.",
        ),
    ] {
        assert_eq!(said(client.signal_workflow_execution(request).await), invalid(text));
    }
    let request = api::SignalWorkflowExecutionRequest { workflow_execution: execution("w", NOBODY), ..signal("s") };
    let (code, _, detail) = said(client.signal_workflow_execution(request).await);
    assert_eq!((code, detail.as_str()), (Code::NotFound, "NotFoundFailure"));

    type SignalWithStart = api::SignalWithStartWorkflowExecutionRequest;
    let signal_with_start = || SignalWithStart {
        namespace: namespace(),
        workflow_id: "w".into(),
        workflow_type: named("t"),
        task_queue: queue("q"),
        signal_name: "s".into(),
        ..Default::default()
    };
    for (request, text) in [
        (SignalWithStart { workflow_id: String::new(), ..signal_with_start() }, "WorkflowId is not set on request."),
        (SignalWithStart { signal_name: String::new(), ..signal_with_start() }, "signal not set"),
        (SignalWithStart { workflow_type: None, ..signal_with_start() }, "workflow type not set"),
        (SignalWithStart { task_queue: None, ..signal_with_start() }, "taskQueue is not set"),
        (
            SignalWithStart { cron_schedule: "* * * * *".into(), ..signal_with_start() },
            "Cron schedules are not supported yet.",
        ),
        (SignalWithStart { signal_input: oversized(), ..signal_with_start() }, "Blob data size exceeds limit."),
        (
            SignalWithStart { search_attributes: attributes(101, 1), ..signal_with_start() },
            "number of search attributes 101 exceeds limit 100",
        ),
    ] {
        assert_eq!(said(client.signal_with_start_workflow_execution(request).await), invalid(text));
    }
    node.stop().await;
}

#[tokio::test]
async fn bad_polls_and_reports_are_refused_with_temporals_words() {
    let World { node, mut client } = world().await;
    let poll = |task_queue: Option<TaskQueue>, patience: Option<u64>| {
        let mut poll = Request::new(api::PollWorkflowTaskQueueRequest {
            namespace: "default".into(),
            task_queue,
            ..Default::default()
        });
        if let Some(seconds) = patience {
            poll.set_timeout(Duration::from_secs(seconds));
        }
        poll
    };
    for (request, expect) in [
        (poll(queue("q"), None), invalid("Context timeout is not set.")),
        (poll(queue("q"), Some(1)), (Code::FailedPrecondition, "Context timeout is too short.".into(), String::new())),
        (poll(None, Some(70)), invalid("taskQueue is not set")),
        (poll(queue(""), Some(70)), invalid("missing task queue name")),
        (poll(queue(long()), Some(70)), invalid("taskQueue length exceeds limit")),
    ] {
        assert_eq!(said(client.poll_workflow_task_queue(request).await), expect);
    }

    for (token, text) in [
        (Vec::new(), "Task token not set on request."),
        (b"nonsense".to_vec(), "Error deserializing task token."),
        (vec![1], "Error deserializing task token."),
        (encode_token(&WorkflowTaskToken::default()), "Namespace not set on request."),
    ] {
        let request = api::RespondWorkflowTaskCompletedRequest { task_token: token.clone(), ..Default::default() };
        assert_eq!(said(client.respond_workflow_task_completed(request).await), invalid(text));
        let request = api::RespondWorkflowTaskFailedRequest { task_token: token, ..Default::default() };
        assert_eq!(said(client.respond_workflow_task_failed(request).await), invalid(text));
    }
    for (token, text) in [
        (Vec::new(), "Task token not set on request."),
        (b"nonsense".to_vec(), "Error deserializing task token."),
        (encode_token(&WorkflowTaskToken::default()), "Error deserializing task token."),
        (encode_token(&ActivityTaskToken::default()), "Namespace not set on request."),
    ] {
        let expect = invalid(text);
        let request = api::RespondActivityTaskCompletedRequest { task_token: token.clone(), ..Default::default() };
        assert_eq!(said(client.respond_activity_task_completed(request).await), expect);
        let request = api::RespondActivityTaskFailedRequest { task_token: token.clone(), ..Default::default() };
        assert_eq!(said(client.respond_activity_task_failed(request).await), expect);
        let request = api::RespondActivityTaskCanceledRequest { task_token: token.clone(), ..Default::default() };
        assert_eq!(said(client.respond_activity_task_canceled(request).await), expect);
        let request = api::RecordActivityTaskHeartbeatRequest { task_token: token, ..Default::default() };
        assert_eq!(said(client.record_activity_task_heartbeat(request).await), expect);
    }
    let stray = WorkflowTaskToken { namespace_id: NOBODY.into(), ..Default::default() };
    let request = api::RespondWorkflowTaskCompletedRequest { task_token: encode_token(&stray), ..Default::default() };
    let (code, _, detail) = said(client.respond_workflow_task_completed(request).await);
    assert_eq!((code, detail.as_str()), (Code::NotFound, "NamespaceNotFoundFailure"));

    let by_id = |workflow_id: &str, run_id: &str, activity_id: &str| api::RespondActivityTaskCompletedByIdRequest {
        namespace: "default".into(),
        workflow_id: workflow_id.into(),
        run_id: run_id.into(),
        activity_id: activity_id.into(),
        ..Default::default()
    };
    for (request, text) in [
        (by_id("w", "", ""), "ActivityId is not set on request."),
        (by_id("", "", "a"), "WorkflowId is not set on request."),
        (by_id("w", "no-uuid", "a"), "Invalid RunId."),
    ] {
        assert_eq!(said(client.respond_activity_task_completed_by_id(request).await), invalid(text));
    }
    let request = api::DescribeTaskQueueRequest { namespace: "default".into(), ..Default::default() };
    assert_eq!(said(client.describe_task_queue(request).await), invalid("taskQueue is not set"));
    node.stop().await;
}

type Register = api::RegisterNamespaceRequest;

fn register(name: &str) -> Register {
    Register { namespace: name.into(), workflow_execution_retention_period: seconds(3600), ..Default::default() }
}

fn clusters(names: &[&str]) -> Vec<ClusterReplicationConfig> {
    let named = |name: &&str| ClusterReplicationConfig { cluster_name: (*name).into(), ..Default::default() };
    names.iter().map(named).collect()
}

#[tokio::test]
async fn a_namespace_may_have_any_name() {
    let World { node, mut client } = world().await;
    let names = ["a b", "-x", "_x", "(x), y:z/w", "Größe", "a\u{0}b", "\"quoted\"", &"x".repeat(1000)];
    for name in names {
        client.register_namespace(register(name)).await.expect(name);
        let request = api::DescribeNamespaceRequest { namespace: name.into(), ..Default::default() };
        let described = client.describe_namespace(request).await.unwrap().into_inner();
        assert_eq!(described.namespace_info.unwrap().name, name);
        client.start_workflow_execution(Start { namespace: name.into(), ..start() }).await.expect(name);
    }
    node.stop().await;
}

/// As `temporal operator namespace create` and `update` send it where they are told nothing.
#[tokio::test]
async fn what_the_command_line_sends_by_default_is_taken() {
    let World { node, mut client } = world().await;
    let create = Register {
        clusters: clusters(&["active"]),
        active_cluster_name: "active".into(),
        history_archival_state: ArchivalState::Disabled as i32,
        visibility_archival_state: ArchivalState::Disabled as i32,
        ..register("by-command-line")
    };
    client.register_namespace(create).await.expect("it asks for nothing");
    let update = api::UpdateNamespaceRequest {
        namespace: "by-command-line".into(),
        update_info: Some(UpdateNamespaceInfo { description: "d".into(), ..Default::default() }),
        config: Some(NamespaceConfig {
            workflow_execution_retention_ttl: seconds(7200),
            bad_binaries: Some(BadBinaries::default()),
            ..Default::default()
        }),
        replication_config: Some(NamespaceReplicationConfig::default()),
        ..Default::default()
    };
    let updated = client.update_namespace(update).await.expect("it asks for nothing else").into_inner();
    assert_eq!(updated.config.unwrap().workflow_execution_retention_ttl, seconds(7200));
    node.stop().await;
}

#[tokio::test]
async fn updates_of_namespaces_that_would_have_no_effect_are_refused() {
    type Update = api::UpdateNamespaceRequest;
    let World { node, mut client } = world().await;
    let update = || Update { namespace: "default".into(), ..Default::default() };
    let config = |config: NamespaceConfig| Update { config: Some(config), ..update() };
    let replication =
        |replication: NamespaceReplicationConfig| Update { replication_config: Some(replication), ..update() };
    let state = |state: NamespaceState| Update {
        update_info: Some(UpdateNamespaceInfo { state: state as i32, ..Default::default() }),
        ..update()
    };
    let bad = BadBinaries { binaries: [("1f".to_owned(), BadBinaryInfo::default())].into() };
    for (request, text) in [
        (
            Update { promote_namespace: true, ..update() },
            "global namespace is not enabled on this cluster, cannot update global namespace or promote local \
             namespace: default",
        ),
        (
            config(NamespaceConfig {
                history_archival_state: ArchivalState::Enabled as i32,
                history_archival_uri: "file:///tmp".into(),
                ..Default::default()
            }),
            "Cluster is not configured for history archival.",
        ),
        (
            config(NamespaceConfig { visibility_archival_state: ArchivalState::Enabled as i32, ..Default::default() }),
            "Cluster is not configured for visibility archival.",
        ),
        (
            config(NamespaceConfig { bad_binaries: Some(bad), ..Default::default() }),
            "Bad binaries are not supported yet.",
        ),
        (
            config(NamespaceConfig {
                custom_search_attribute_aliases: [("Keyword01".to_owned(), "Customer".to_owned())].into(),
                ..Default::default()
            }),
            "Custom search attribute aliases are not supported yet.",
        ),
        (Update { delete_bad_binary: "1f".into(), ..update() }, "Bad binary checksum 1f doesn't exists."),
        (
            replication(NamespaceReplicationConfig { active_cluster_name: "other".into(), ..Default::default() }),
            "Invalid cluster name: other",
        ),
        (
            replication(NamespaceReplicationConfig { state: ReplicationState::Handover as i32, ..Default::default() }),
            "Handover can only be set for global namespace",
        ),
        (state(NamespaceState::Deleted), "A namespace cannot be deleted by an update of its state."),
    ] {
        assert_eq!(said(client.update_namespace(request).await), invalid(text));
    }
    client.update_namespace(state(NamespaceState::Deprecated)).await.expect("it may be deprecated");
    client.update_namespace(state(NamespaceState::Deprecated)).await.expect("it is deprecated already");
    let answer = client.update_namespace(state(NamespaceState::Registered)).await;
    assert_eq!(said(answer), invalid("Invalid namespace state update."));
    node.stop().await;
}

#[tokio::test]
async fn bad_namespaces_are_refused_with_temporals_words() {
    let World { node, mut client } = world().await;
    let retention =
        |retention: Option<Wire>| Register { workflow_execution_retention_period: retention, ..register("retained") };
    let no_retention = "A valid retention period is not set on request.";
    for (request, text) in [
        (register(""), "Namespace not set on request."),
        (register(&long()), "Namespace length exceeds limit."),
        (retention(None), no_retention),
        (retention(Some(Wire { seconds: -1, nanos: 0 })), no_retention),
        (retention(Some(Wire { seconds: 7200, nanos: -1 })), no_retention),
        (retention(Some(Wire { seconds: 3599, nanos: 0 })), no_retention),
        (Register { is_global_namespace: true, ..register("g") }, "Cannot register global namespace when not enabled"),
        (Register { active_cluster_name: "other".into(), ..register("g") }, "Invalid cluster name: other"),
        (Register { clusters: clusters(&["active", "other"]), ..register("g") }, "Invalid cluster name: other"),
        (Register { clusters: clusters(&["active", "active"]), ..register("g") }, "Invalid local namespace clusters"),
        (
            Register { history_archival_state: ArchivalState::Enabled as i32, ..register("g") },
            "Cluster is not configured for history archival.",
        ),
        (
            Register { visibility_archival_uri: "file:///tmp".into(), ..register("g") },
            "Cluster is not configured for visibility archival.",
        ),
    ] {
        assert_eq!(said(client.register_namespace(request).await), invalid(text));
    }
    client.register_namespace(retention(seconds(i64::MAX))).await.expect("forever, as it were");
    let expect = (Code::AlreadyExists, "Namespace \"default\" already exists", "NamespaceAlreadyExistsFailure");
    let (code, text, detail) = said(client.register_namespace(register("default")).await);
    assert_eq!((code, text.as_str(), detail.as_str()), expect);

    let describe = |namespace: &str, id: &str| api::DescribeNamespaceRequest {
        namespace: namespace.into(),
        id: id.into(),
        ..Default::default()
    };
    assert_eq!(said(client.describe_namespace(describe("", "")).await), invalid("Namespace not set on request."));
    let answer = client.describe_namespace(describe(&long(), "")).await;
    assert_eq!(said(answer), invalid("Namespace length exceeds limit."));
    let expect = not_found("Namespace nowhere is not found.", "NamespaceNotFoundFailure");
    assert_eq!(said(client.describe_namespace(describe("nowhere", "")).await), expect);
    let config = NamespaceConfig { workflow_execution_retention_ttl: seconds(-1), ..Default::default() };
    let request =
        api::UpdateNamespaceRequest { namespace: "default".into(), config: Some(config), ..Default::default() };
    let expect = invalid("A valid retention period is not set on request.");
    assert_eq!(said(client.update_namespace(request).await), expect);
    let request = api::ListNamespacesRequest { next_page_token: vec![0xff], ..Default::default() };
    assert_eq!(said(client.list_namespaces(request).await), invalid("Invalid NextPageToken."));
    node.stop().await;
}

/// A page token of a run's second page.
async fn page_token(client: &mut WorkflowServiceClient<Channel>) -> HistoryPageToken {
    let request = api::GetWorkflowExecutionHistoryRequest {
        namespace: "default".into(),
        execution: execution("w", ""),
        wait_new_event: true,
        ..Default::default()
    };
    let answer = client.get_workflow_execution_history(request).await.unwrap().into_inner();
    HistoryPageToken::decode(&answer.next_page_token).expect("the run is open, so there is more to come")
}

#[tokio::test]
async fn page_tokens_that_name_what_is_not_there_are_invalid() {
    let World { node, mut client } = world().await;
    client.start_workflow_execution(start()).await.unwrap();
    client.start_workflow_execution(Start { workflow_id: "other".into(), ..start() }).await.unwrap();
    let token = page_token(&mut client).await;
    let history = |next_page_token: Vec<u8>, run_id: &str| api::GetWorkflowExecutionHistoryRequest {
        namespace: "default".into(),
        execution: execution("w", run_id),
        next_page_token,
        ..Default::default()
    };
    let mut of_other = token.clone();
    of_other.run.workflow_id = "other".into();
    let mut of_no_branch = HistoryPageToken { from: 1, ..token.clone() };
    of_no_branch.branch.branch = "no-such-branch".into();
    let mut of_no_run = HistoryPageToken { from: 1, until: 9, ..token.clone() };
    of_no_run.run.run_id = NOBODY.into();
    for bytes in [
        b"nonsense".to_vec(),
        vec![16],
        of_other.encode(),
        of_no_branch.encode(),
        HistoryPageToken { from: 0, ..token.clone() }.encode(),
        HistoryPageToken { from: i64::MIN, until: i64::MIN, ..token.clone() }.encode(),
        HistoryPageToken { from: 1, until: i64::MAX, ..token.clone() }.encode(),
        HistoryPageToken { from: i64::MAX - 1, until: i64::MAX, ..token.clone() }.encode(),
        of_no_run.encode(),
    ] {
        let answer = client.get_workflow_execution_history(history(bytes.clone(), "")).await;
        assert_eq!(said(answer), invalid("Invalid NextPageToken."), "{:?}", HistoryPageToken::decode(&bytes));
        let reverse = api::GetWorkflowExecutionHistoryReverseRequest {
            namespace: "default".into(),
            execution: execution("w", ""),
            next_page_token: bytes.clone(),
            ..Default::default()
        };
        let answer = client.get_workflow_execution_history_reverse(reverse).await;
        assert_eq!(said(answer), invalid("Invalid NextPageToken."), "{:?}", HistoryPageToken::decode(&bytes));
    }
    let answer = client.get_workflow_execution_history(history(token.encode(), NOBODY)).await;
    assert_eq!(said(answer), invalid("RunId in the request does not match the NextPageToken."));
    client.get_workflow_execution_history(history(token.encode(), "")).await.expect("the token itself is good");
    node.stop().await;
}

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// A few bytes of `message` changed, as a caller's mistake or malice may.
    fn mutated(&mut self, message: &[u8]) -> Vec<u8> {
        let mut bytes = message.to_vec();
        for _ in 0..=self.below(3) {
            let place = self.below(bytes.len());
            let values = [0, 1, 0x7f, 0x80, 0xff, bytes[place] ^ (1 << self.below(8))];
            bytes[place] = values[self.below(values.len())];
        }
        bytes
    }
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// No answer says that the server is at fault.
fn blameless<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) {
    if let Err(status) = answer {
        let fault = matches!(status.code(), Code::Internal | Code::Unknown | Code::DataLoss | Code::Aborted);
        assert!(!fault, "{status:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutated_requests_and_tokens_break_nothing() {
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        eprintln!("{panic}");
    }));
    let World { node, mut client } = world().await;
    client.start_workflow_execution(start()).await.unwrap();
    let page = HistoryPageToken { from: 1, ..page_token(&mut client).await }.encode();
    let mut poll = Request::new(api::PollWorkflowTaskQueueRequest {
        namespace: "default".into(),
        task_queue: queue("q"),
        ..Default::default()
    });
    poll.set_timeout(Duration::from_secs(30));
    let task = client.poll_workflow_task_queue(poll).await.unwrap().into_inner();
    let rich = Start {
        retry_policy: Some(policy()),
        workflow_execution_timeout: seconds(60),
        workflow_run_timeout: seconds(30),
        workflow_task_timeout: seconds(10),
        workflow_start_delay: seconds(1),
        search_attributes: attributes(1, 1),
        memo: Some(Memo { fields: [("k".to_owned(), payload(1))].into_iter().collect() }),
        priority: Some(Priority { priority_key: 1, ..Default::default() }),
        request_id: "r".into(),
        ..start()
    }
    .encode_to_vec();
    let mut dice = Dice(2024);
    let mut decoded = 0;
    for _ in 0..1500 {
        if let Ok(request) = Start::decode(dice.mutated(&rich).as_slice()) {
            decoded += 1;
            blameless(client.start_workflow_execution(Start { namespace: "default".into(), ..request }).await);
        }
        let request = api::GetWorkflowExecutionHistoryRequest {
            namespace: "default".into(),
            execution: execution("w", ""),
            next_page_token: dice.mutated(&page),
            ..Default::default()
        };
        blameless(client.get_workflow_execution_history(request).await);
        let task_token = dice.mutated(&task.task_token);
        let request = api::RespondWorkflowTaskFailedRequest { task_token, ..Default::default() };
        blameless(client.respond_workflow_task_failed(request).await);
    }
    assert!(decoded > 200, "{decoded}");
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
    let request = api::DescribeWorkflowExecutionRequest { namespace: "default".into(), execution: execution("w", "") };
    client.describe_workflow_execution(request).await.expect("the node still serves");
    node.stop().await;
}
