//! Clients and workers at protocol level: a client starts the next workflow when one has ended, workers poll and
//! answer.

use crate::Workload;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tempest_api::proto::command::v1 as commands;
use tempest_api::proto::common::v1::{ActivityType, WorkflowExecution, WorkflowType};
use tempest_api::proto::enums::v1::{CommandType, HistoryEventFilterType};
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::services::workflow::workflow_service_client::WorkflowServiceClient;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

const NAMESPACE: &str = "default";
const IDENTITY: &str = "bench";
/// Servers refuse long polls without a deadline.
const LONG_POLL: Duration = Duration::from_secs(70);
/// Before a call that failed is made again.
const RETRY_PAUSE: Duration = Duration::from_millis(5);
/// An HTTP/2 connection carries so many calls at a time here; a server's bound is 200.
const CALLS_PER_CONNECTION: usize = 100;
/// Polls of each kind that wait at each task queue, so that tasks find one and need no backlog.
const POLLERS_MIN: usize = 8;
const POLLERS_MAX: usize = 256;

type Client = WorkflowServiceClient<Channel>;

/// A workflow that has ended: when, and how long after its start.
pub type Ended = (Instant, Duration);

/// What clients and workers share.
pub struct Load {
    workload: Workload,
    addresses: Vec<String>,
    task_queues: u32,
    failed_calls: AtomicU64,
    /// Numbers workflows and connections.
    next: AtomicU64,
    stop: AtomicBool,
}

/// Clients that run until [`Clients::stop`].
pub struct Clients {
    load: Arc<Load>,
    tasks: Vec<JoinHandle<Vec<Ended>>>,
}

impl Load {
    pub fn new(workload: Workload, addresses: Vec<String>, task_queues: u32) -> Arc<Self> {
        let (failed_calls, next, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { workload, addresses, task_queues, failed_calls, next, stop })
    }

    pub fn failed_calls(&self) -> u64 {
        self.failed_calls.load(Relaxed)
    }

    /// Workers for so many workflows at a time; they end with their tasks.
    pub fn workers(self: &Arc<Self>, clients: u32) -> Vec<JoinHandle<()>> {
        let queues = self.task_queues as usize;
        let pollers = (clients as usize).div_ceil(queues).clamp(POLLERS_MIN, POLLERS_MAX);
        let mut tasks = Vec::new();
        for queue in 0..self.task_queues {
            let connections = self.connections(2 * pollers);
            for poller in 0..pollers {
                let client = |offset: usize| connections[(2 * poller + offset) % connections.len()].clone();
                tasks.push(tokio::spawn(self.clone().poll_workflow_tasks(client(0), queue)));
                if self.workload.activities > 0 {
                    tasks.push(tokio::spawn(self.clone().poll_activity_tasks(client(1), queue)));
                }
            }
        }
        tasks
    }

    pub fn clients(self: &Arc<Self>, number: u32) -> Clients {
        self.stop.store(false, Relaxed);
        // Each has one call under way.
        let connections = self.connections(number as usize);
        let client = |index: u32| connections[index as usize % connections.len()].clone();
        let tasks = (0..number).map(|index| tokio::spawn(self.clone().run_workflows(client(index)))).collect();
        Clients { load: self.clone(), tasks }
    }

    /// Connections for so many calls at a time, over all nodes in turn.
    fn connections(&self, calls: usize) -> Vec<Client> {
        let number = calls.div_ceil(CALLS_PER_CONNECTION).max(self.addresses.len());
        let connect = |index: usize| {
            let address = &self.addresses[index % self.addresses.len()];
            let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("the server listens there");
            WorkflowServiceClient::new(endpoint.tcp_nodelay(true).connect_lazy())
        };
        (0..number).map(connect).collect()
    }

    async fn run_workflows(self: Arc<Self>, mut client: Client) -> Vec<Ended> {
        let mut ended = Vec::new();
        while !self.stop.load(Relaxed) {
            let number = self.next.fetch_add(1, Relaxed);
            let queue = u32::try_from(number % u64::from(self.task_queues)).unwrap_or(0);
            let began = Instant::now();
            if self.run_workflow(&mut client, format!("bench-{number}"), queue).await.is_some() {
                ended.push((Instant::now(), began.elapsed()));
            }
        }
        ended
    }

    /// Starts a workflow and waits for its close, as `execute_workflow` of an SDK does. Nothing if the bench ends
    /// first.
    async fn run_workflow(&self, client: &mut Client, workflow_id: String, queue: u32) -> Option<()> {
        let start = api::StartWorkflowExecutionRequest {
            namespace: NAMESPACE.into(),
            request_id: workflow_id.clone(),
            workflow_id: workflow_id.clone(),
            workflow_type: Some(WorkflowType { name: "Bench".into() }),
            task_queue: Some(task_queue(queue)),
            ..Default::default()
        };
        let run_id = loop {
            match client.start_workflow_execution(start.clone()).await {
                Ok(started) => break started.into_inner().run_id,
                Err(_) => self.failed().await?,
            }
        };
        let result = api::GetWorkflowExecutionHistoryRequest {
            namespace: NAMESPACE.into(),
            execution: Some(WorkflowExecution { workflow_id, run_id }),
            wait_new_event: true,
            history_event_filter_type: HistoryEventFilterType::CloseEvent.into(),
            ..Default::default()
        };
        loop {
            match client.get_workflow_execution_history(long_poll(result.clone())).await {
                Ok(closed) if closed.get_ref().history.as_ref().is_some_and(|history| !history.events.is_empty()) => {
                    return Some(());
                }
                Ok(_) => {}
                Err(_) => self.failed().await?,
            }
        }
    }

    async fn poll_workflow_tasks(self: Arc<Self>, mut client: Client, queue: u32) {
        loop {
            let polled = client.poll_workflow_task_queue(long_poll(api::PollWorkflowTaskQueueRequest {
                namespace: NAMESPACE.into(),
                task_queue: Some(task_queue(queue)),
                identity: IDENTITY.into(),
                ..Default::default()
            }));
            let task = match polled.await {
                Ok(task) => task.into_inner(),
                Err(_) => {
                    let _ = self.failed().await;
                    continue;
                }
            };
            if task.task_token.is_empty() {
                continue;
            }
            // Three events to begin with, and six for each activity and the task behind it.
            let activities_done = task.started_event_id / 6;
            let command = match u32::try_from(activities_done).unwrap_or(u32::MAX) {
                done if done < self.workload.activities => schedule(done, queue),
                _ => complete(),
            };
            let completed = client.respond_workflow_task_completed(api::RespondWorkflowTaskCompletedRequest {
                namespace: NAMESPACE.into(),
                task_token: task.task_token,
                commands: vec![command],
                identity: IDENTITY.into(),
                ..Default::default()
            });
            if completed.await.is_err() {
                // The task comes again when it times out.
                let _ = self.failed().await;
            }
        }
    }

    async fn poll_activity_tasks(self: Arc<Self>, mut client: Client, queue: u32) {
        loop {
            let polled = client.poll_activity_task_queue(long_poll(api::PollActivityTaskQueueRequest {
                namespace: NAMESPACE.into(),
                task_queue: Some(task_queue(queue)),
                identity: IDENTITY.into(),
                ..Default::default()
            }));
            let task = match polled.await {
                Ok(task) => task.into_inner(),
                Err(_) => {
                    let _ = self.failed().await;
                    continue;
                }
            };
            if task.task_token.is_empty() {
                continue;
            }
            let completed = client.respond_activity_task_completed(api::RespondActivityTaskCompletedRequest {
                namespace: NAMESPACE.into(),
                task_token: task.task_token,
                identity: IDENTITY.into(),
                ..Default::default()
            });
            if completed.await.is_err() {
                let _ = self.failed().await;
            }
        }
    }

    /// Counts a call that failed. Nothing if the bench ends, and it need not be made again.
    async fn failed(&self) -> Option<()> {
        if self.stop.load(Relaxed) {
            return None;
        }
        self.failed_calls.fetch_add(1, Relaxed);
        tokio::time::sleep(RETRY_PAUSE).await;
        Some(())
    }
}

impl Clients {
    /// Lets the workflows under way end; returns all that have ended.
    pub async fn stop(self) -> Vec<Ended> {
        self.load.stop.store(true, Relaxed);
        let mut ended = Vec::new();
        for task in self.tasks {
            ended.extend(task.await.unwrap_or_default());
        }
        ended
    }
}

fn long_poll<T>(request: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(request);
    request.set_timeout(LONG_POLL);
    request
}

fn task_queue(number: u32) -> TaskQueue {
    TaskQueue { name: format!("bench-{number}"), ..TaskQueue::default() }
}

fn schedule(number: u32, queue: u32) -> commands::Command {
    let attributes = commands::ScheduleActivityTaskCommandAttributes {
        activity_id: format!("activity-{number}"),
        activity_type: Some(ActivityType { name: "Charge".into() }),
        task_queue: Some(task_queue(queue)),
        start_to_close_timeout: Some(prost_wkt_types::Duration { seconds: 10, nanos: 0 }),
        ..Default::default()
    };
    command(
        CommandType::ScheduleActivityTask,
        commands::command::Attributes::ScheduleActivityTaskCommandAttributes(attributes),
    )
}

fn complete() -> commands::Command {
    command(
        CommandType::CompleteWorkflowExecution,
        commands::command::Attributes::CompleteWorkflowExecutionCommandAttributes(Default::default()),
    )
}

fn command(kind: CommandType, attributes: commands::command::Attributes) -> commands::Command {
    commands::Command { command_type: kind.into(), attributes: Some(attributes), ..Default::default() }
}
