//! Bad input: each has a clear message, or the status and details that Temporal gives; nothing panics.
#![allow(clippy::unwrap_used)]
mod server;

use prost::Message;
use server::{Server, refused, run};
use std::time::Duration;
use tempest_api::proto::common::v1::{Payload, Payloads, WorkflowExecution, WorkflowType};
use tempest_api::proto::history::v1::history_event::Attributes;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_client::WorkflowServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

const USAGE: i32 = 2;

fn start(workflow_id: &str) -> api::StartWorkflowExecutionRequest {
    api::StartWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_id: workflow_id.into(),
        workflow_type: Some(WorkflowType { name: "t".into() }),
        task_queue: Some(TaskQueue { name: "q".into(), ..Default::default() }),
        ..Default::default()
    }
}

fn execution(workflow_id: &str) -> Option<WorkflowExecution> {
    Some(WorkflowExecution { workflow_id: workflow_id.into(), run_id: String::new() })
}

/// Code and text, and the type of the first detail without its package.
fn said(status: &Status) -> (Code, String, String) {
    let rpc = tempest_api::RpcStatus::decode(status.details()).expect("details are a google.rpc.Status");
    let detail = rpc.details.first().map(|any| any.type_url.rsplit('.').next().unwrap().to_owned());
    (status.code(), status.message().to_owned(), detail.unwrap_or_default())
}

fn expect(code: Code, text: &str, detail: &str) -> (Code, String, String) {
    (code, text.to_owned(), detail.to_owned())
}

#[test]
fn a_taken_port_is_named() {
    let server = Server::start(&[]);
    let port = server.address.rsplit(':').next().unwrap();
    let (code, text) = refused(&["--port", port]);
    assert_eq!(code, USAGE);
    assert!(text.contains(&format!("port {port} is taken")), "{text}");
}

#[test]
fn a_file_that_is_no_database_or_damaged_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tempest.db");
    let file = path.to_str().unwrap();
    let garbage = [7; 50_000];
    std::fs::write(&path, garbage).unwrap();
    let (code, text) = refused(&["--port", "0", "--db-filename", file]);
    assert_eq!(code, USAGE);
    assert!(text.contains(file) && text.contains("choose another file"), "{text}");
    assert_eq!(std::fs::read(&path).unwrap(), garbage);

    std::fs::remove_file(&path).unwrap();
    assert!(Server::start(&["--db-filename", file]).terminate().success());
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 3]).unwrap();
    let (code, text) = refused(&["--port", "0", "--db-filename", file]);
    assert_eq!(code, USAGE);
    assert!(text.contains(file), "{text}");
}

#[test]
fn a_database_of_another_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tempest.db");
    let file = path.to_str().unwrap();
    assert!(Server::start(&["--db-filename", file]).terminate().success());
    // Of an older build, and of a newer one.
    for version in [2_u32, 99] {
        {
            let database = redb::Database::open(&path).unwrap();
            let write = database.begin_write().unwrap();
            let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
            write.open_table(meta).unwrap().insert("schema", version.to_be_bytes().as_slice()).unwrap();
            write.commit().unwrap();
        }
        let (code, text) = refused(&["--port", "0", "--db-filename", file]);
        assert_eq!(code, USAGE);
        assert!(text.contains(&format!("schema version {version}, this tempest reads version")), "{text}");
        assert!(text.contains(file) && text.contains("open it with the tempest that wrote it"), "{text}");
    }
}

#[test]
fn a_database_in_use_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tempest.db");
    let file = path.to_str().unwrap();
    let _server = Server::start(&["--db-filename", file]);
    let (code, text) = refused(&["--port", "0", "--db-filename", file]);
    assert_eq!(code, USAGE);
    assert!(text.contains("is in use by another process"), "{text}");
}

#[test]
fn wrong_usage_is_explained() {
    for (arguments, hint) in [
        (&["--ip", "not-an-address"][..], "not-an-address"),
        (&["--search-attribute", "nonsense"], "KEY=VALUE"),
        (&["--port", "70000"], "70000"),
        (&["--no-such-flag"], "--no-such-flag"),
    ] {
        let (code, text) = refused(arguments);
        assert_eq!(code, USAGE, "{text}");
        assert!(text.contains(hint), "{text}");
    }
    assert_eq!(run(&["no-such-command"]).status.code(), Some(USAGE));
    assert!(run(&["--version"]).status.success());
}

#[test]
fn an_address_without_a_port_is_named_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let (config, database) = (directory.path().join("node.toml"), directory.path().join("tempest.db"));
    std::fs::write(&config, format!("address = 'localhost'\ndatabase = '{}'\n", database.display())).unwrap();
    let output = run(&["server", "start", "--config", config.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(USAGE), "{text}");
    assert!(text.contains("address is \"localhost\", which has no port: write HOST:PORT"), "{text}");
    let (code, text) = refused(&["--namespace", "", "--db-filename", database.to_str().unwrap()]);
    assert_eq!(code, USAGE, "{text}");
    assert!(!database.exists(), "a mistake leaves no database behind");
}

#[test]
fn a_cluster_is_described_from_where_nodes_listen_only() {
    let server = Server::start(&[]);
    for (address, hint) in [
        (server.address.as_str(), "it is likely where clients call. --address is for where a running node listens"),
        ("127.0.0.1:1", "no server can be reached at 127.0.0.1:1: Connection refused"),
        ("localhost", "--address is \"localhost\", which has no port: write HOST:PORT"),
    ] {
        let output = run(&["cluster", "describe", "--address", address]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(USAGE), "{text}");
        assert!(text.contains(hint), "{text}");
    }
}

#[tokio::test]
async fn a_missing_namespace_is_named_in_text_and_detail() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let request = api::StartWorkflowExecutionRequest { namespace: "nowhere".into(), ..start("w") };
    let status = client.start_workflow_execution(request).await.unwrap_err();
    let detail = "NamespaceNotFoundFailure";
    assert_eq!(said(&status), expect(Code::NotFound, "Namespace nowhere is not found.", detail));
}

#[tokio::test]
async fn an_oversized_payload_is_refused_and_the_largest_allowed_taken() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let of = |bytes: usize| Some(Payloads { payloads: vec![Payload { data: vec![7; bytes], ..Default::default() }] });
    let request = api::StartWorkflowExecutionRequest { input: of(2 << 20), ..start("large") };
    let status = client.start_workflow_execution(request).await.unwrap_err();
    assert_eq!(said(&status), expect(Code::InvalidArgument, "Blob data size exceeds limit.", ""));
    let request = api::StartWorkflowExecutionRequest { input: of((2 << 20) - 64), ..start("large") };
    client.start_workflow_execution(request).await.expect("it is just small enough");
}

#[tokio::test]
async fn an_invalid_token_is_refused() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let request = api::RespondWorkflowTaskCompletedRequest { task_token: b"nonsense".to_vec(), ..Default::default() };
    let status = client.respond_workflow_task_completed(request).await.unwrap_err();
    assert_eq!(said(&status), expect(Code::InvalidArgument, "Error deserializing task token.", ""));
    let request = api::GetWorkflowExecutionHistoryRequest {
        namespace: "default".into(),
        execution: execution("w"),
        next_page_token: b"nonsense".to_vec(),
        ..Default::default()
    };
    let status = client.get_workflow_execution_history(request).await.unwrap_err();
    assert_eq!(said(&status), expect(Code::InvalidArgument, "Invalid NextPageToken.", ""));
}

#[tokio::test]
async fn a_second_start_says_who_was_first() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let first = client.start_workflow_execution(start("w")).await.unwrap().into_inner();
    let status = client.start_workflow_execution(start("w")).await.unwrap_err();
    let (code, text, detail) = said(&status);
    assert_eq!((code, detail.as_str()), (Code::AlreadyExists, "WorkflowExecutionAlreadyStartedFailure"));
    assert!(text.contains(&first.run_id), "{text}");
}

#[tokio::test]
async fn the_completion_of_a_closed_run_is_not_found() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    client.start_workflow_execution(start("w")).await.unwrap();
    let mut poll = Request::new(api::PollWorkflowTaskQueueRequest {
        namespace: "default".into(),
        task_queue: Some(TaskQueue { name: "q".into(), ..Default::default() }),
        identity: "worker".into(),
        ..Default::default()
    });
    poll.set_timeout(Duration::from_secs(30));
    let task = client.poll_workflow_task_queue(poll).await.unwrap().into_inner();
    assert!(!task.task_token.is_empty(), "there is a workflow task");
    let terminate = || api::TerminateWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: execution("w"),
        ..Default::default()
    };
    client.terminate_workflow_execution(terminate()).await.unwrap();
    let complete = api::RespondWorkflowTaskCompletedRequest { task_token: task.task_token, ..Default::default() };
    let status = client.respond_workflow_task_completed(complete).await.unwrap_err();
    let (code, _, detail) = said(&status);
    assert_eq!((code, detail.as_str()), (Code::NotFound, "NotFoundFailure"));
    let status = client.terminate_workflow_execution(terminate()).await.unwrap_err();
    let expected = expect(Code::NotFound, "workflow execution already completed", "NotFoundFailure");
    assert_eq!(said(&status), expected);
    let signal = api::SignalWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: execution("w"),
        signal_name: "s".into(),
        ..Default::default()
    };
    assert_eq!(client.signal_workflow_execution(signal).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_run_that_is_not_there_is_not_found() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let request = api::DescribeWorkflowExecutionRequest { namespace: "default".into(), execution: execution("nobody") };
    let status = client.describe_workflow_execution(request).await.unwrap_err();
    let expected = expect(Code::NotFound, "workflow not found for ID: nobody", "NotFoundFailure");
    assert_eq!(said(&status), expected);
}

#[tokio::test]
async fn a_full_disk_refuses_writes_keeps_what_it_took_and_needs_no_restart() {
    let directory = tempfile::tempdir().unwrap();
    let (path, errors) = (directory.path().join("tempest.db"), directory.path().join("errors"));
    let arguments = ["--db-filename", path.to_str().unwrap()];
    assert!(Server::start(&arguments).terminate().success());
    let blocks = std::fs::metadata(&path).unwrap().len() / 512 + (40 << 11);
    let server = Server::start_with_room(blocks, &arguments, std::fs::File::create(&errors).unwrap());
    let mut client = server.client().await;
    let input = Payloads { payloads: vec![Payload { data: vec![7; 300_000], ..Default::default() }] };
    let begin = |number: usize| api::StartWorkflowExecutionRequest {
        input: Some(input.clone()),
        request_id: format!("start-{number}"),
        ..start(&format!("w-{number}"))
    };
    let mut kept: Vec<String> = Vec::new();
    let refusal = loop {
        match client.start_workflow_execution(begin(kept.len())).await {
            Ok(answer) => kept.push(answer.into_inner().run_id),
            Err(status) => break status,
        }
        assert!(kept.len() < 500, "the disk never filled");
    };
    assert!(!kept.is_empty());
    assert_eq!(refusal.code(), Code::Unavailable, "{refusal}");
    assert!(refusal.message().contains("the disk is full"), "{refusal}");
    there_or_full(&mut client, &kept).await;

    server.make_room();
    let began = std::time::Instant::now();
    let number = kept.len();
    let run_id = loop {
        match client.start_workflow_execution(begin(number)).await {
            Ok(answer) => break answer.into_inner().run_id,
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "there is room, and it is not used");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    kept.push(run_id);
    all_there(&mut client, &kept).await;
    server.kill();
    let said = std::fs::read_to_string(&errors).unwrap();
    assert!(said.contains("the disk is full") && !said.contains("panicked"), "{said}");

    // One that starts without any room serves what there is, or says why it does not.
    let full = std::fs::metadata(&path).unwrap().len() / 512;
    let server = Server::start_with_room(full, &arguments, std::fs::File::create(&errors).unwrap());
    there_or_full(&mut server.client().await, &kept).await;
    server.kill();
    let server = Server::start(&arguments);
    all_there(&mut server.client().await, &kept).await;
    assert!(!std::fs::read_to_string(&errors).unwrap().contains("panicked"));
}

/// Every run is there, with its whole input. A server that has just started or has just found room may need a moment.
async fn all_there(client: &mut WorkflowServiceClient<Channel>, run_ids: &[String]) {
    let began = std::time::Instant::now();
    while !there_or_full(client, run_ids).await {
        assert!(began.elapsed() < Duration::from_secs(60), "there is room, and the shards are not acquired");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The same, or a run cannot be asked for because the disk is full. Whether all were there.
async fn there_or_full(client: &mut WorkflowServiceClient<Channel>, run_ids: &[String]) -> bool {
    for (number, run_id) in run_ids.iter().enumerate() {
        let request = api::GetWorkflowExecutionHistoryRequest {
            namespace: "default".into(),
            execution: execution(&format!("w-{number}")),
            ..Default::default()
        };
        let history = match client.get_workflow_execution_history(request).await {
            Ok(answer) => answer.into_inner().history.unwrap(),
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status}");
                assert!(status.message().contains("the disk is full"), "{status}");
                return false;
            }
        };
        let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) = &history.events[0].attributes else {
            panic!("{:?}", history.events[0]);
        };
        assert_eq!(started.original_execution_run_id, *run_id);
        assert_eq!(started.input.as_ref().unwrap().payloads[0].data.len(), 300_000);
    }
    true
}
