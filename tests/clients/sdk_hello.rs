//! The official Rust SDK says hello over real TCP to the built binary: an activity that is retried, a timer, a signal;
//! and what was begun before a SIGKILL ends after it.
#![allow(clippy::unwrap_used)]
mod server;

use server::Server;
use std::str::FromStr;
use std::time::Duration;
use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, Url, WorkflowGetResultOptions, WorkflowSignalOptions,
    WorkflowStartOptions,
};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{
    ActivityOptions, Runtime, SyncWorkflowContext, Worker, WorkerOptions, WorkflowContext, WorkflowResult,
};

#[workflow]
#[derive(Default)]
pub struct Hello {
    surname: Option<String>,
}

#[workflow_methods]
impl Hello {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, name: String) -> WorkflowResult<String> {
        let options = ActivityOptions::start_to_close_timeout(Duration::from_secs(10));
        let greeting = ctx.execute_activity(Greetings::greet, name, options).await?;
        ctx.timer(Duration::from_millis(200)).await;
        ctx.wait_condition(|state| state.surname.is_some()).await?;
        let surname = ctx.state(|state| state.surname.clone()).unwrap_or_default();
        Ok(format!("{greeting} {surname}"))
    }

    #[signal]
    pub fn surname(&mut self, _ctx: &mut SyncWorkflowContext<Self>, surname: String) {
        self.surname = Some(surname);
    }
}

pub struct Greetings;

#[activities]
impl Greetings {
    /// Greets Ada at the second attempt only.
    #[activity]
    pub async fn greet(ctx: ActivityContext, name: String) -> Result<String, ActivityError> {
        match (name.as_str(), ctx.info().attempt) {
            ("Ada", 1) => Err(anyhow::anyhow!("not yet").into()),
            (_, attempt) => Ok(format!("hello {name} ({attempt})")),
        }
    }
}

async fn connect(server: &Server) -> Client {
    let options = ConnectionOptions::new(Url::from_str(&server.url()).unwrap()).identity("hello").build();
    let connection = Connection::connect(options).await.expect("the server answers");
    Client::new(connection, ClientOptions::new("default").build()).expect("the namespace is there")
}

/// Runs a worker that caches so many workflows beside `story` until that has ended.
async fn with_worker<T>(client: &Client, cached_workflows: usize, story: impl Future<Output = T>) -> T {
    let runtime = Runtime::from_current_tokio(Default::default()).unwrap();
    let options = WorkerOptions::new("hello")
        .register_workflow::<Hello>()
        .unwrap()
        .register_activities(Greetings)
        .max_cached_workflows(cached_workflows)
        .build();
    let mut worker = Worker::new(&runtime, client.clone(), options).unwrap();
    let shut_down = worker.shutdown_handle();
    let story = async {
        let told = story.await;
        shut_down();
        told
    };
    let (worked, told) = tokio::join!(worker.run(), story);
    worked.expect("the worker ends in peace");
    told
}

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
