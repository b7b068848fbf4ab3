//! Real throughput of `tempest server start-dev`: start a workflow, run one activity, complete, over TCP and with every
//! acknowledged byte fsynced. A worker is as thin as can be, raw polls and answers, so that what is measured is the
//! server: workflows per second, latency from start to close, the server's processor time per workflow and its peak
//! memory, with few and with many workflows under way, in memory and on a file.
//!
//! Not criterion: the subject is another process. `WORKFLOWS=10000 cargo bench --bench start_dev`.
//!
//! Two builds are compared in one run, in turns, because what else a machine does changes from minute to minute:
//! `COMPARE=path/to/another/tempest` is measured beside this build, or beside the one that `TEMPEST_BINARY` names.
//! `ROUNDS` says how often (5), `ONLY=file:200` that one row is enough.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by a panic")]

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tempest_api::{
    proto::{
        command::v1 as commands, common::v1::ActivityType, common::v1::WorkflowType, enums::v1::CommandType,
        taskqueue::v1::TaskQueue, workflowservice::v1 as api,
    },
    services::workflow::workflow_service_client::WorkflowServiceClient,
};
use tokio::sync::Semaphore;
use tonic::transport::{Channel, Endpoint};

const NAMESPACE: &str = "default";
const QUEUE: &str = "bench";
/// Polls of each kind that wait at a time.
const POLLERS: usize = 16;

type Client = WorkflowServiceClient<Channel>;

fn main() {
    // `cargo test --benches` runs benches without this flag, only to see that they work.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let asked: Option<u64> = std::env::var("WORKFLOWS").ok().and_then(|number| number.parse().ok());
    let workflows = asked.unwrap_or(if measured { 2000 } else { 20 });
    // A poller that panics must not leave the bench waiting forever.
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        say(panic);
        std::process::exit(101);
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("start, one activity, complete; {workflows} workflows each\n");
    let only = std::env::var("ONLY").ok();
    let this = std::env::var("TEMPEST_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_tempest").to_owned());
    let subjects: Vec<String> = [this].into_iter().chain(std::env::var("COMPARE").ok()).collect();
    println!("{HEAD}");
    for database in ["memory", "file"] {
        for under_way in [1, 20, 200] {
            if only.as_ref().is_some_and(|only| *only != format!("{database}:{under_way}")) {
                continue;
            }
            // One at a time says how long a workflow takes, not how many: a tenth of them is enough.
            let workflows = if under_way == 1 { workflows.div_ceil(10) } else { workflows };
            let row = Row { database, under_way, workflows };
            match &subjects[..] {
                [one] => println!("{row}   {}", runtime.block_on(row.measure(one))),
                both => compare(&runtime, &row, both),
            }
        }
    }
}

const HEAD: &str = "database  under way   per second   p50 ms   p99 ms   server ms/workflow   peak MiB";

struct Row {
    database: &'static str,
    under_way: usize,
    workflows: u64,
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:<8}  {:>9}", self.database, self.under_way)
    }
}

impl Row {
    async fn measure(&self, binary: &str) -> Measure {
        let directory = tempfile::tempdir().unwrap();
        let file = (self.database == "file").then(|| directory.path().join("tempest.db"));
        let mut server = Server::start(binary, file.as_deref());
        measure(&mut server, self.workflows, self.under_way).await
    }
}

/// Measures all binaries in turns, and prints the medians and how the first stands to the last.
fn compare(runtime: &tokio::runtime::Runtime, row: &Row, binaries: &[String]) {
    let rounds: usize = std::env::var("ROUNDS").ok().and_then(|number| number.parse().ok()).unwrap_or(5);
    let mut measures: Vec<Vec<Measure>> = binaries.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        // Every other round the other way round: the first may pay for what the second finds warm.
        let order: Vec<usize> = (0..binaries.len()).collect();
        let turned: Vec<usize> = if round % 2 == 0 { order } else { order.into_iter().rev().collect() };
        for subject in turned {
            measures[subject].push(runtime.block_on(row.measure(&binaries[subject])));
        }
    }
    let medians: Vec<Measure> = measures.iter().map(|measures| Measure::median(measures)).collect();
    for (binary, median) in binaries.iter().zip(&medians) {
        println!("{row}   {median}   {binary}");
    }
    let (first, last) = (&medians[0], &medians[medians.len() - 1]);
    println!("{row}   {}   first / last", first.over(last));
}

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(binary: &str, file: Option<&Path>) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(binary);
        command.args(["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", &port.to_string()]);
        if let Some(file) = file {
            command.arg("--db-filename").arg(file);
        }
        let process = command.stdout(Stdio::null()).spawn().unwrap();
        Self { process, address: format!("http://127.0.0.1:{port}") }
    }

    async fn connect(&mut self) -> Client {
        let endpoint = Endpoint::from_shared(self.address.clone()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match endpoint.connect().await {
                Ok(channel) => return WorkflowServiceClient::new(channel),
                Err(error) => assert!(Instant::now() < deadline, "the server does not answer: {error}"),
            }
            assert!(self.process.try_wait().unwrap().is_none(), "the server ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Processor time used so far, in user and system mode.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        // The command's name may hold anything but ends with the last parenthesis; ticks are hundredths of a second.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    fn peak_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that has ended already needs no end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Measure {
    per_second: f64,
    p50: Duration,
    p99: Duration,
    server_per_workflow: Duration,
    peak_memory_kib: u64,
}

impl Measure {
    /// Of each number by itself.
    fn median(all: &[Measure]) -> Measure {
        fn middle<T: PartialOrd + Copy>(all: &[Measure], of: impl Fn(&Measure) -> T) -> T {
            let mut values: Vec<T> = all.iter().map(of).collect();
            values.sort_by(|a, b| a.partial_cmp(b).unwrap());
            values[values.len() / 2]
        }
        Measure {
            per_second: middle(all, |measure| measure.per_second),
            p50: middle(all, |measure| measure.p50),
            p99: middle(all, |measure| measure.p99),
            server_per_workflow: middle(all, |measure| measure.server_per_workflow),
            peak_memory_kib: middle(all, |measure| measure.peak_memory_kib),
        }
    }

    /// Each number as a share of the other's.
    fn over(&self, other: &Measure) -> String {
        let share = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
        format!(
            "{:>10.2}   {:>6.2}   {:>6.2}   {:>18.3}   {:>8.2}",
            self.per_second / other.per_second,
            share(self.p50, other.p50),
            share(self.p99, other.p99),
            share(self.server_per_workflow, other.server_per_workflow),
            self.peak_memory_kib as f64 / other.peak_memory_kib as f64
        )
    }
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        write!(
            f,
            "{:>10.1}   {:>6.1}   {:>6.1}   {:>18.3}   {:>8.1}",
            self.per_second,
            ms(self.p50),
            ms(self.p99),
            ms(self.server_per_workflow),
            self.peak_memory_kib as f64 / 1024.0
        )
    }
}

async fn measure(server: &mut Server, workflows: u64, under_way: usize) -> Measure {
    let client = server.connect().await;
    let closed = Arc::new(AtomicU64::new(0));
    let mut pollers = Vec::new();
    for _ in 0..POLLERS {
        pollers.push(tokio::spawn(poll_workflow_tasks(client.clone(), closed.clone())));
        pollers.push(tokio::spawn(poll_activity_tasks(client.clone())));
    }
    // One for the road: namespaces cached, partitions leased.
    run_one(client.clone(), "warm-up".into()).await;

    let (began, used_before) = (Instant::now(), server.processor_time());
    let permits = Arc::new(Semaphore::new(under_way));
    let mut runs = Vec::new();
    for number in 0..workflows {
        let permit = permits.clone().acquire_owned().await.unwrap();
        let client = client.clone();
        runs.push(tokio::spawn(async move {
            let began = Instant::now();
            run_one(client, format!("bench-{number}")).await;
            drop(permit);
            began.elapsed()
        }));
    }
    let mut latencies = Vec::new();
    for run in runs {
        latencies.push(run.await.unwrap());
    }
    let (took, used) = (began.elapsed(), server.processor_time() - used_before);
    pollers.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(closed.load(Ordering::Relaxed), workflows + 1, "each workflow was completed once");
    latencies.sort();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    Measure {
        per_second: workflows as f64 / took.as_secs_f64(),
        p50: at(0.5),
        p99: at(0.99),
        server_per_workflow: used / u32::try_from(workflows).unwrap(),
        peak_memory_kib: server.peak_memory_kib(),
    }
}

/// Starts a workflow and waits for its close, as `execute_workflow` of an SDK does.
async fn run_one(mut client: Client, workflow_id: String) {
    let started = client.start_workflow_execution(api::StartWorkflowExecutionRequest {
        namespace: NAMESPACE.into(),
        request_id: workflow_id.clone(),
        workflow_id: workflow_id.clone(),
        workflow_type: Some(WorkflowType { name: "Bench".into() }),
        task_queue: Some(queue()),
        ..Default::default()
    });
    let run_id = started.await.unwrap().into_inner().run_id;
    loop {
        let closed = client.get_workflow_execution_history(long_poll(api::GetWorkflowExecutionHistoryRequest {
            namespace: NAMESPACE.into(),
            execution: Some(tempest_api::proto::common::v1::WorkflowExecution {
                workflow_id: workflow_id.clone(),
                run_id: run_id.clone(),
            }),
            wait_new_event: true,
            history_event_filter_type: 2,
            ..Default::default()
        }));
        if closed.await.unwrap().into_inner().history.is_some_and(|history| !history.events.is_empty()) {
            return;
        }
    }
}

async fn poll_workflow_tasks(mut client: Client, closed: Arc<AtomicU64>) {
    loop {
        let polled = client.poll_workflow_task_queue(long_poll(api::PollWorkflowTaskQueueRequest {
            namespace: NAMESPACE.into(),
            task_queue: Some(queue()),
            identity: "bench".into(),
            ..Default::default()
        }));
        let task = polled.await.unwrap().into_inner();
        if task.task_token.is_empty() {
            continue;
        }
        let first = task.previous_started_event_id == 0;
        let completed = client.respond_workflow_task_completed(api::RespondWorkflowTaskCompletedRequest {
            namespace: NAMESPACE.into(),
            task_token: task.task_token,
            commands: vec![if first { schedule() } else { complete() }],
            identity: "bench".into(),
            ..Default::default()
        });
        completed.await.unwrap();
        if !first {
            closed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn poll_activity_tasks(mut client: Client) {
    loop {
        let polled = client.poll_activity_task_queue(long_poll(api::PollActivityTaskQueueRequest {
            namespace: NAMESPACE.into(),
            task_queue: Some(queue()),
            identity: "bench".into(),
            ..Default::default()
        }));
        let task = polled.await.unwrap().into_inner();
        if task.task_token.is_empty() {
            continue;
        }
        let completed = client.respond_activity_task_completed(api::RespondActivityTaskCompletedRequest {
            namespace: NAMESPACE.into(),
            task_token: task.task_token,
            identity: "bench".into(),
            ..Default::default()
        });
        completed.await.unwrap();
    }
}

/// Servers refuse long polls without a deadline.
fn long_poll<T>(request: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(request);
    request.set_timeout(Duration::from_secs(70));
    request
}

fn queue() -> TaskQueue {
    TaskQueue { name: QUEUE.into(), ..TaskQueue::default() }
}

fn schedule() -> commands::Command {
    let attributes = commands::ScheduleActivityTaskCommandAttributes {
        activity_id: "charge".into(),
        activity_type: Some(ActivityType { name: "Charge".into() }),
        task_queue: Some(queue()),
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
