//! Requests of clients.
use super::*;
use tempest_api::proto::common::v1::link::workflow_event::{EventReference, Reference, RequestIdReference};
use tempest_api::proto::common::v1::link::{Variant, WorkflowEvent};
use tempest_api::proto::common::v1::{Link, Memo, Payload, SearchAttributes, WorkflowExecution, WorkflowType};
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_server::WorkflowService;

fn start() -> api::StartWorkflowExecutionRequest {
    api::StartWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_id: "w".into(),
        workflow_type: Some(WorkflowType { name: "t".into() }),
        task_queue: Some(TaskQueue { name: "q".into(), ..Default::default() }),
        ..Default::default()
    }
}

fn signal_with_start() -> api::SignalWithStartWorkflowExecutionRequest {
    api::SignalWithStartWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_id: "w".into(),
        workflow_type: Some(WorkflowType { name: "t".into() }),
        task_queue: Some(TaskQueue { name: "q".into(), ..Default::default() }),
        signal_name: "go".into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_start_reaches_history_with_its_defaults() {
    let w = world().await;
    let answer = ok(w.service.start_workflow_execution(Request::new(start())).await);
    assert!(answer.started);
    let started = w.history.started.lock().unwrap();
    assert!(!started[0].request_id.is_empty());
    assert_ne!(started[0].workflow_id_reuse_policy, 0, "policies are spelled out");
}

#[tokio::test]
async fn answers_link_to_what_became_of_the_request() {
    let w = world().await;
    let of_run = |reference| {
        let event = WorkflowEvent {
            namespace: "default".into(),
            workflow_id: "w".into(),
            run_id: RUN.into(),
            reference: Some(reference),
        };
        Some(Link { variant: Some(Variant::WorkflowEvent(event)) })
    };
    let answer = ok(w.service.start_workflow_execution(Request::new(start())).await);
    let first = EventReference { event_id: 1, event_type: EventType::WorkflowExecutionStarted as i32 };
    assert_eq!(answer.link, of_run(Reference::EventRef(first)));
    let request = api::SignalWithStartWorkflowExecutionRequest { request_id: "r".into(), ..signal_with_start() };
    let answer = ok(w.service.signal_with_start_workflow_execution(Request::new(request)).await);
    let event_type = EventType::WorkflowExecutionSignaled as i32;
    let signal = RequestIdReference { request_id: "r".into(), event_type };
    assert_eq!(answer.signal_link, of_run(Reference::RequestIdRef(signal.clone())));
    let request = api::SignalWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: Some(WorkflowExecution { workflow_id: "w".into(), run_id: String::new() }),
        signal_name: "go".into(),
        request_id: "r".into(),
        ..Default::default()
    };
    let answer = ok(w.service.signal_workflow_execution(Request::new(request)).await);
    assert_eq!(answer.link, of_run(Reference::RequestIdRef(signal)));
    *w.history.attaches.lock().unwrap() = true;
    let request = api::StartWorkflowExecutionRequest { request_id: "s".into(), ..start() };
    let answer = ok(w.service.start_workflow_execution(Request::new(request)).await);
    let event_type = EventType::WorkflowExecutionOptionsUpdated as i32;
    let attached = RequestIdReference { request_id: "s".into(), event_type };
    assert_eq!((answer.started, answer.link), (false, of_run(Reference::RequestIdRef(attached))));
}

#[tokio::test]
async fn a_malformed_start_is_refused_with_temporals_words() {
    let w = world().await;
    for (request, expect) in [
        (
            api::StartWorkflowExecutionRequest { workflow_id: String::new(), ..start() },
            "WorkflowId is not set on request.",
        ),
        (api::StartWorkflowExecutionRequest { workflow_type: None, ..start() }, "WorkflowType is not set on request."),
        (api::StartWorkflowExecutionRequest { task_queue: None, ..start() }, "taskQueue is not set"),
        (api::StartWorkflowExecutionRequest { input: oversized(), ..start() }, "Blob data size exceeds limit."),
        (
            api::StartWorkflowExecutionRequest {
                memo: Some(Memo {
                    fields: [("k".to_owned(), oversized().unwrap().payloads.remove(0))].into_iter().collect(),
                }),
                ..start()
            },
            "Memo size exceeds limit.",
        ),
        (
            api::StartWorkflowExecutionRequest { identity: "i".repeat(1001), ..start() },
            "Identity length exceeds limit.",
        ),
        (api::StartWorkflowExecutionRequest { namespace: String::new(), ..start() }, "Namespace not set on request."),
    ] {
        assert_eq!(refused(w.service.start_workflow_execution(Request::new(request)).await), invalid(expect));
    }
    assert!(w.history.calls().is_empty(), "history never heard of them");
}

#[tokio::test]
async fn what_the_system_says_of_a_run_cannot_be_set_by_its_starter() {
    let w = world().await;
    let system = |name: &str| format!("{name} attribute can't be set in SearchAttributes");
    let undefined = |name: &str| format!("search attribute {name} is not defined");
    let check = async |name: &str, expect: Option<String>| {
        let metadata = [("encoding".to_owned(), b"json/plain".to_vec())].into();
        let value = Payload { metadata, data: br#"["7"]"#.to_vec(), ..Default::default() };
        let search_attributes = Some(SearchAttributes { indexed_fields: [(name.to_owned(), value)].into() });
        let request = api::StartWorkflowExecutionRequest { search_attributes: search_attributes.clone(), ..start() };
        let started = w.service.start_workflow_execution(Request::new(request)).await.map(drop);
        let request = api::SignalWithStartWorkflowExecutionRequest { search_attributes, ..signal_with_start() };
        let signaled = w.service.signal_with_start_workflow_execution(Request::new(request)).await.map(drop);
        for answer in [started, signaled] {
            let said = answer.err().map(|status| (status.code(), status.message().to_owned()));
            assert_eq!(said, expect.as_deref().map(invalid), "{name}");
        }
    };
    for name in ["WorkflowId", "ExecutionStatus", "RootRunId", "TemporalWorkerDeploymentVersion"] {
        check(name, Some(system(name))).await;
    }
    for name in ["NamespaceId", "Memo", "TemporalOfMine"] {
        check(name, Some(undefined(name))).await;
    }
    for name in ["CustomerId", "workflowId", "TemporalChangeVersion", "BuildIds"] {
        check(name, None).await;
    }
    let said = "invalid value for search attribute TemporalSchedulePaused of type Bool: [7]";
    check("TemporalSchedulePaused", Some(said.to_owned())).await;
}

#[tokio::test]
async fn a_namespace_that_is_not_there_is_named_in_text_and_detail() {
    let w = world().await;
    let request = api::StartWorkflowExecutionRequest { namespace: "nowhere".into(), ..start() };
    let status = w.service.start_workflow_execution(Request::new(request)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "Namespace nowhere is not found."));
    assert!(detail_of(&status).ends_with("NamespaceNotFoundFailure"));
}

#[tokio::test]
async fn signals_are_checked_and_get_a_request_id() {
    let w = world().await;
    let signal = |name: &str, run: &str| api::SignalWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: execution(run),
        signal_name: name.into(),
        ..Default::default()
    };
    ok(w.service.signal_workflow_execution(Request::new(signal("go", ""))).await);
    assert_eq!(w.history.calls(), ["signal go"]);
    for (request, expect) in [
        (signal("", RUN), "SignalName is not set on request."),
        (signal("go", "not a uuid"), "Invalid RunId."),
        (
            api::SignalWorkflowExecutionRequest { workflow_execution: None, ..signal("go", "") },
            "Execution is not set on request.",
        ),
        (
            api::SignalWorkflowExecutionRequest { input: oversized(), ..signal("go", "") },
            "Blob data size exceeds limit.",
        ),
    ] {
        assert_eq!(refused(w.service.signal_workflow_execution(Request::new(request)).await), invalid(expect));
    }
}

#[tokio::test]
async fn signal_with_start_checks_both_inputs() {
    let w = world().await;
    ok(w.service.signal_with_start_workflow_execution(Request::new(signal_with_start())).await);
    assert_eq!(w.history.calls(), ["signal with start"]);
    let large = api::SignalWithStartWorkflowExecutionRequest { signal_input: oversized(), ..signal_with_start() };
    let answer = w.service.signal_with_start_workflow_execution(Request::new(large)).await;
    assert_eq!(refused(answer), invalid("Blob data size exceeds limit."));
}

#[tokio::test]
async fn a_termination_without_words_says_that_a_person_did_it() {
    let w = world().await;
    let request = api::TerminateWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: execution(""),
        ..Default::default()
    };
    ok(w.service.terminate_workflow_execution(Request::new(request)).await);
    assert_eq!(w.history.calls(), ["terminate by frontend-service: terminated by user via frontend"]);
}

#[tokio::test]
async fn cancel_and_describe_name_their_run() {
    let w = world().await;
    let cancel = |run: &str| api::RequestCancelWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: execution(run),
        ..Default::default()
    };
    ok(w.service.request_cancel_workflow_execution(Request::new(cancel(RUN))).await);
    assert_eq!(w.history.calls(), ["cancel"]);
    let answer = w.service.request_cancel_workflow_execution(Request::new(cancel("x"))).await;
    assert_eq!(refused(answer), invalid("Invalid RunId."));

    let describe = |workflow: &str| api::DescribeWorkflowExecutionRequest {
        namespace: "default".into(),
        execution: Some(WorkflowExecution { workflow_id: workflow.into(), run_id: String::new() }),
    };
    ok(w.service.describe_workflow_execution(Request::new(describe("w"))).await);
    let answer = w.service.describe_workflow_execution(Request::new(describe("other"))).await;
    assert_eq!(refused(answer), (Code::NotFound, "workflow not found for ID: other".to_owned()));
    let answer = w.service.describe_workflow_execution(Request::new(describe(""))).await;
    assert_eq!(refused(answer), invalid("WorkflowId is not set on request."));
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let w = world().await;
    let answer = w.service.query_workflow(Request::new(Default::default())).await;
    assert_eq!(refused(answer).0, Code::Unimplemented);
}
