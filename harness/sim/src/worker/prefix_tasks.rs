//! A worker that is given workflow tasks one after another, made up from histories, and what it answers. No server and no
//! simulation: the SDK is served by the functions here.
use super::NAMESPACE;
use super::registrations::Registrations;
use futures::future::FutureExt;
use prost::Message;
use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempest_api::proto::command::v1::Command;
use tempest_api::proto::workflowservice::v1 as api;
use temporalio_client::callback_based::{CallbackBasedGrpcService, GrpcRequest, GrpcSuccessResponse};
use temporalio_client::{Client, ClientOptions, ConnectionOptions};
use temporalio_common::worker::WorkerDeploymentOptions;
use temporalio_sdk::runtime::{PollerBehavior, RuntimeOptions};
use temporalio_sdk::{Runtime, Worker};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// How long a worker may think about one task, in real time: far longer than it ever takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a worker may take to end, in real time.
const FAREWELL: Duration = Duration::from_secs(10);

/// What a worker made of a task.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Completed(Vec<Command>),
    /// And why.
    Failed(String),
}

/// The answers to the tasks, in their order, up to the first that gets none.
///
/// # Errors
/// There is no such worker, or it ended.
pub(crate) async fn answers(
    registrations: Registrations,
    tasks: Vec<api::PollWorkflowTaskQueueResponse>,
) -> anyhow::Result<Vec<Answer>> {
    let count = tasks.len();
    let service = Arc::new(Service::new(tasks));
    let options = RuntimeOptions::builder().heartbeat_interval(None).build().map_err(anyhow::Error::msg)?;
    let runtime = Runtime::from_current_tokio(options)?;
    let options = registrations
        .worker_options()?
        .deployment_options(WorkerDeploymentOptions::from_build_id("storm".to_owned()))
        // Each task comes with its whole history, and nothing is remembered from the one before.
        .max_cached_workflows(0_usize)
        .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(1))
        .build();
    let mut worker = Worker::new(&runtime, client(service.clone()).await?, options)?;
    let shut_down = worker.shutdown_handle();
    let mut running = std::pin::pin!(worker.run());
    tokio::select! {
        biased;
        () = service.answered(count) => {}
        ended = &mut running => {
            ended?;
            anyhow::bail!("the worker ended early");
        }
    }
    shut_down();
    service.closed.cancel();
    // A worker that did not answer may not end either: it has had its time.
    let _ = tokio::time::timeout(FAREWELL, running).await;
    Ok(service.answers())
}

async fn client(service: Arc<Service>) -> anyhow::Result<Client> {
    let callback = move |request: GrpcRequest| {
        let service = service.clone();
        async move {
            let proto = service.call(&request).await?;
            Ok(GrpcSuccessResponse { headers: http::HeaderMap::new(), proto })
        }
        .boxed()
    };
    let nowhere = "http://histories".parse::<url::Url>().expect("a URL");
    let options = ConnectionOptions::new(nowhere)
        .identity("frontier")
        .service_override(CallbackBasedGrpcService { callback: Arc::new(callback) })
        .dns_load_balancing(None)
        .build();
    let connection = tempest_connect::connect(options).await?;
    Ok(Client::new(connection, ClientOptions::new(NAMESPACE).build())?)
}

/// All of Temporal that a worker needs here.
struct Service {
    state: Mutex<State>,
    /// One task at a time: two may be of one run, of which a worker knows one history only.
    turn: Semaphore,
    answered: Notify,
    /// Polls wait for tasks until then.
    closed: CancellationToken,
}

struct State {
    waiting: VecDeque<api::PollWorkflowTaskQueueResponse>,
    /// Token of the task that the worker has.
    given: Option<Vec<u8>>,
    answers: Vec<Answer>,
}

impl Service {
    fn new(tasks: Vec<api::PollWorkflowTaskQueueResponse>) -> Service {
        let state = State { waiting: tasks.into(), given: None, answers: Vec::new() };
        let (turn, closed) = (Semaphore::new(1), CancellationToken::new());
        Service { state: Mutex::new(state), turn, answered: Notify::new(), closed }
    }

    fn with<T>(&self, body: impl FnOnce(&mut State) -> T) -> T {
        body(&mut self.state.lock().expect("no holder of this lock panics"))
    }

    async fn call(&self, request: &GrpcRequest) -> Result<Vec<u8>, Status> {
        let malformed = |error: prost::DecodeError| Status::invalid_argument(error.to_string());
        let proto = request.proto.as_ref();
        match request.rpc.as_str() {
            "PollWorkflowTaskQueue" => {
                let next = self.closed.run_until_cancelled(self.next()).await;
                return Ok(next.unwrap_or_default().encode_to_vec());
            }
            "RespondWorkflowTaskCompleted" => {
                let request = api::RespondWorkflowTaskCompletedRequest::decode(proto).map_err(malformed)?;
                self.answer(&request.task_token, Answer::Completed(request.commands));
            }
            "RespondWorkflowTaskFailed" => {
                let request = api::RespondWorkflowTaskFailedRequest::decode(proto).map_err(malformed)?;
                let message = request.failure.as_ref().map_or("", |failure| failure.message.as_str());
                let why = format!("{}: {message}", request.cause().as_str_name());
                self.answer(&request.task_token, Answer::Failed(why));
            }
            // There are no other tasks.
            rpc if rpc.starts_with("Poll") => self.closed.cancelled().await,
            _ => {}
        }
        // An answer of any kind that says nothing.
        Ok(Vec::new())
    }

    async fn next(&self) -> api::PollWorkflowTaskQueueResponse {
        self.turn.acquire().await.expect("it is never closed").forget();
        let next = self.with(|state| {
            let task = state.waiting.pop_front();
            state.given = task.as_ref().map(|task| task.task_token.clone());
            task
        });
        match next {
            Some(task) => task,
            None => pending().await,
        }
    }

    /// The first answer to a task counts.
    fn answer(&self, token: &[u8], answer: Answer) {
        let counts = self.with(|state| {
            let counts = state.given.take_if(|given| given.as_slice() == token).is_some();
            if counts {
                state.answers.push(answer);
            }
            counts
        });
        if counts {
            self.turn.add_permits(1);
            self.answered.notify_one();
        }
    }

    fn answers(&self) -> Vec<Answer> {
        self.with(|state| state.answers.clone())
    }

    /// Until there are so many answers, or the next one takes too long.
    async fn answered(&self, count: usize) {
        while self.with(|state| state.answers.len()) < count {
            if tokio::time::timeout(PATIENCE, self.answered.notified()).await.is_err() {
                return;
            }
        }
    }
}
