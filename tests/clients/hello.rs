//! What the tests of the official Rust SDK run: a workflow with a retried activity, a timer and a signal, and its worker.
#![allow(clippy::unwrap_used)]
use crate::server::Server;
use std::str::FromStr;
use std::time::Duration;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions, Url};
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

pub async fn connect(server: &Server) -> Client {
    let options = ConnectionOptions::new(Url::from_str(&server.url()).unwrap()).identity("hello").build();
    let connection = Connection::connect(options).await.expect("the server answers");
    Client::new(connection, ClientOptions::new("default").build()).expect("the namespace is there")
}

/// Runs a worker that caches so many workflows beside `story` until that has ended.
pub async fn with_worker<T>(client: &Client, cached_workflows: usize, story: impl Future<Output = T>) -> T {
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
