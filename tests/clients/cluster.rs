//! Three processes over one PostgreSQL, with a worker of the official Rust SDK: nodes die of SIGKILL, the database is
//! restarted, and every workflow ends and can be read back from any node.
//!
//! Skipped with a message where no PostgreSQL is installed, unless `TEMPEST_REQUIRE_POSTGRES=1`.
#![allow(clippy::unwrap_used)]
mod hello;
mod server;

use hello::{Hello, connect, with_worker};
use server::Server;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::enums::v1::{EventType, HistoryEventFilterType};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_store_postgres::testing::TestPostgres;
use temporalio_client::{Client, WorkflowGetResultOptions, WorkflowSignalOptions, WorkflowStartOptions};

const WORKFLOWS: usize = 30;

/// What a caller does who is told that something is unavailable, again and again for up to this long.
const TRIES_MAX: u32 = 120;
const PAUSE: Duration = Duration::from_millis(500);

/// A node's file. Its ports are drawn by the system.
fn file(directory: &Path, node: &str, database: &str) -> PathBuf {
    let path = directory.join(format!("{node}.toml"));
    let text = format!(
        "address = '127.0.0.1:0'\ndatabase = '{database}'\nshards = 12\nlog_level = 'error'\n\
         [cluster]\nnode = '{node}'\naddress = '127.0.0.1:0'\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

async fn start(client: &Client, number: usize) {
    let start = WorkflowStartOptions::new("hello", format!("hello-{number}")).build();
    client.start_workflow(Hello::run, format!("Ada {number}"), start).await.unwrap();
}

async fn signal(client: &Client, number: usize) {
    let handle = client.get_workflow_handle::<Hello>(format!("hello-{number}"));
    for _ in 0..TRIES_MAX {
        // Twice is as good as once for this signal.
        match handle.signal(Hello::surname, "Lovelace".to_owned(), WorkflowSignalOptions::default()).await {
            Ok(()) => return,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    panic!("hello-{number} could not be signalled");
}

async fn events(server: &Server, number: usize) -> Vec<EventType> {
    let request = api::GetWorkflowExecutionHistoryRequest {
        namespace: "default".into(),
        execution: Some(WorkflowExecution { workflow_id: format!("hello-{number}"), ..Default::default() }),
        ..Default::default()
    };
    let mut client = server.client().await;
    for _ in 0..TRIES_MAX {
        match client.get_workflow_execution_history(request.clone()).await {
            Ok(answer) => {
                let history = answer.into_inner().history.unwrap();
                return history.events.iter().map(|event| event.event_type()).collect();
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    panic!("the history of hello-{number} cannot be read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_loses_nodes_and_its_database_and_nothing_else() {
    let Some(mut postgres) = TestPostgres::start(&[]).await else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = |node: &str| file(directory.path(), node, &postgres.url());
    let (of_a, of_b, of_c) = (file("a"), file("b"), file("c"));
    let (a, b, c) = (Server::start_node(&of_a), Server::start_node(&of_b), Server::start_node(&of_c));
    let cluster = a.client().await.get_cluster_info(api::GetClusterInfoRequest {}).await.unwrap().into_inner();
    assert_eq!(cluster.persistence_store, "postgresql");
    let (_, peers) = a.says("Node:").split_once(" at ").map(|(name, at)| (name.to_owned(), at.to_owned())).unwrap();
    let mut tries = 0;
    let described = loop {
        let output = server::run(&["cluster", "describe", "--address", &peers]);
        let text = String::from_utf8(output.stdout).unwrap();
        if text.lines().nth(4) == Some("all 12 shards have an owner") {
            break text;
        }
        tries += 1;
        assert!(tries < TRIES_MAX, "{text}");
        tokio::time::sleep(PAUSE).await;
    };
    for (line, node) in described.lines().skip(1).zip(["a", "b", "c"]) {
        assert!(line.starts_with(node), "{described}");
    }
    let output = server::run(&["cluster", "describe", "--address", &peers, "--json"]);
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["shards"].as_array().unwrap().len(), 12, "{object}");
    assert_eq!(object["nodes"][2]["description"]["name"], "c", "{object}");
    let (by_a, by_b) = (connect(&a).await, connect(&b).await);
    let said = with_worker(&by_b, 10, async {
        for number in 0..WORKFLOWS {
            start(&by_a, number).await;
        }
        a.kill();
        for number in 0..WORKFLOWS / 3 {
            signal(&by_b, number).await;
        }
        postgres.kill();
        postgres.start_again().await;
        let a = Server::start_node(&of_a);
        for number in WORKFLOWS / 3..2 * WORKFLOWS / 3 {
            signal(&by_b, number).await;
        }
        c.kill();
        for number in 2 * WORKFLOWS / 3..WORKFLOWS {
            signal(&by_b, number).await;
        }
        let mut said = Vec::new();
        for number in 0..WORKFLOWS {
            let handle = by_b.get_workflow_handle::<Hello>(format!("hello-{number}"));
            let mut tries = 0;
            said.push(loop {
                match handle.get_result(WorkflowGetResultOptions::default()).await {
                    Ok(said) => break said,
                    Err(error) if tries == TRIES_MAX => panic!("hello-{number}: {error}"),
                    Err(_) => tries += 1,
                }
                tokio::time::sleep(PAUSE).await;
            });
        }
        for number in 0..WORKFLOWS {
            let events = events(&a, number).await;
            let times = |kind| events.iter().filter(|event| **event == kind).count();
            assert_eq!(events.last(), Some(&EventType::WorkflowExecutionCompleted), "hello-{number}");
            assert_eq!(times(EventType::ActivityTaskCompleted), 1, "hello-{number}");
        }
        assert!(a.terminate().success(), "SIGTERM ends a node cleanly");
        said
    })
    .await;
    for (number, said) in said.iter().enumerate() {
        assert!(said.starts_with(&format!("hello Ada {number} (")) && said.ends_with(" Lovelace"), "{said}");
    }
}

/// As an SDK does that waits for a result, but for its retries: any error is the end.
async fn close_event(server: &Server, number: usize) -> EventType {
    let mut client = server.client().await;
    let mut next_page_token = Vec::new();
    loop {
        let request = api::GetWorkflowExecutionHistoryRequest {
            namespace: "default".into(),
            execution: Some(WorkflowExecution { workflow_id: format!("hello-{number}"), ..Default::default() }),
            wait_new_event: true,
            history_event_filter_type: HistoryEventFilterType::CloseEvent as i32,
            next_page_token,
            ..Default::default()
        };
        let answer = client.get_workflow_execution_history(request).await;
        let answer = answer.unwrap_or_else(|status| panic!("hello-{number}: {status}")).into_inner();
        if let Some(event) = answer.history.unwrap().events.first() {
            return event.event_type();
        }
        next_page_token = answer.next_page_token;
        assert!(!next_page_token.is_empty(), "hello-{number} is open");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_a_result_does_not_notice_that_nodes_go() {
    let Some(postgres) = TestPostgres::start(&[]).await else { return };
    let directory = tempfile::tempdir().unwrap();
    let start_node = |node: &str| Server::start_node(&file(directory.path(), node, &postgres.url()));
    let (a, b, c) = (start_node("a"), start_node("b"), start_node("c"));
    let by_b = connect(&b).await;
    with_worker(&by_b, 10, async {
        for number in 0..WORKFLOWS {
            start(&by_b, number).await;
        }
        let waiting = futures::future::join_all((0..WORKFLOWS).map(|number| close_event(&b, number)));
        let ending = async {
            // Every run has begun to wait for its signal when it has greeted.
            for number in 0..WORKFLOWS {
                while !events(&b, number).await.contains(&EventType::TimerFired) {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            assert!(a.terminate().success());
            c.kill();
            for number in 0..WORKFLOWS {
                signal(&by_b, number).await;
            }
        };
        let (ends, ()) = tokio::join!(waiting, ending);
        assert_eq!(ends, vec![EventType::WorkflowExecutionCompleted; WORKFLOWS]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_the_cluster_is_refused_by_name() {
    let Some(postgres) = TestPostgres::start(&[]).await else { return };
    let directory = tempfile::tempdir().unwrap();
    let of_a = file(directory.path(), "a", &postgres.url());
    let a = Server::start_node(&of_a);
    let changed = |from: &str, to: &str| {
        let path = directory.path().join("changed.toml");
        std::fs::write(&path, std::fs::read_to_string(&of_a).unwrap().replace(from, to)).unwrap();
        server::run(&["server", "start", "--config", path.to_str().unwrap()])
    };
    for (from, to, said) in [
        ("shards = 12", "shards = 13", "the database was created with 12 shards, and the configuration asks for 13"),
        ("postgres://tempest:", "postgres://nobody:", "nobody"),
        ("node = 'a'", "node = ''", "[cluster]: the node's name is \"\""),
        ("node = 'a'", "node = 'a'", "the name \"a\" is taken: a node with that name is alive at 127.0.0.1:"),
        (
            "[cluster]\nnode = 'a'\naddress = '127.0.0.1:0'\n",
            "",
            "the database is a running cluster's (a): add a [cluster] part",
        ),
    ] {
        let output = changed(from, to);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(said), "{errors}");
    }
    assert!(a.terminate().success());
}
