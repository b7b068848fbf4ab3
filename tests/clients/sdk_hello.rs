//! The official Rust SDK says hello over real TCP to the built binary: an activity that is retried, a timer, a signal;
//! and what was begun before a SIGKILL ends after it.
#![allow(clippy::unwrap_used)]
mod hello;
mod server;

use hello::{Hello, connect, with_worker};
use server::Server;
use temporalio_client::{WorkflowGetResultOptions, WorkflowSignalOptions, WorkflowStartOptions};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_sdk_says_hello() {
    let server = Server::start(&["--headless", "--log-level", "warn"]);
    let client = connect(&server).await;
    let said = with_worker(&client, 100, async {
        let start = WorkflowStartOptions::new("hello", "hello-1").build();
        let handle = client.start_workflow(Hello::run, "Ada".to_owned(), start).await.unwrap();
        handle.signal(Hello::surname, "Lovelace".to_owned(), WorkflowSignalOptions::default()).await.unwrap();
        handle.get_result(WorkflowGetResultOptions::default()).await.unwrap()
    })
    .await;
    assert_eq!(said, "hello Ada (2) Lovelace");
    assert!(server.terminate().success(), "SIGTERM ends it cleanly");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_sigkill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tempest.db");
    let file = file.to_str().unwrap();
    let server = Server::start(&["--db-filename", file]);
    let client = connect(&server).await;
    let mut handles = Vec::new();
    for n in 0..10 {
        let start = WorkflowStartOptions::new("hello", format!("hello-{n}")).build();
        handles.push(client.start_workflow(Hello::run, format!("Ada {n}"), start).await.unwrap());
    }
    for handle in &handles {
        handle.signal(Hello::surname, "Lovelace".to_owned(), WorkflowSignalOptions::default()).await.unwrap();
    }
    server.kill();

    let server = Server::start(&["--db-filename", file]);
    let client = connect(&server).await;
    with_worker(&client, 100, async {
        for n in 0..10 {
            let handle = client.get_workflow_handle::<Hello>(format!("hello-{n}"));
            let said = handle.get_result(WorkflowGetResultOptions::default()).await.unwrap();
            assert_eq!(said, format!("hello Ada {n} (1) Lovelace"));
        }
    })
    .await;
}

/// Without a cache every workflow task brings the whole history; with a small one sticky queues are used and left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caches_of_any_size_finish_everything() {
    let server = Server::start(&[]);
    let client = connect(&server).await;
    for cached_workflows in [0, 1, 10] {
        with_worker(&client, cached_workflows, async {
            let mut handles = Vec::new();
            for n in 0..40 {
                let start = WorkflowStartOptions::new("hello", format!("hello-{cached_workflows}-{n}")).build();
                handles.push(client.start_workflow(Hello::run, format!("Ada {n}"), start).await.unwrap());
            }
            for handle in &handles {
                handle.signal(Hello::surname, "L.".to_owned(), WorkflowSignalOptions::default()).await.unwrap();
            }
            for (n, handle) in handles.iter().enumerate() {
                let said = handle.get_result(WorkflowGetResultOptions::default()).await.unwrap();
                assert_eq!(said, format!("hello Ada {n} (1) L."));
            }
        })
        .await;
    }
}
