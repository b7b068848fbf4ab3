//! What runs on the hosts: a server node, SDK workers, clients, and the two that look at the result: the verifier reads
//! everything back through the API, the inspector opens what a last power cut has left on the disk.
use super::{Ambiguities, LockstepNetwork, Program, RecordingStore};
use crate::check::{CommitFeed, OperationLog};
use crate::explore::Decisions;
use crate::scenario::Workload;
use crate::worker::{Caller, Client, NAMESPACE, PORT, Waiting, WorkerSettings, call, connect, run_worker};
use futures::FutureExt;
use prost::Message;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::RunKey;
use tempest_disk::SimDisk;
use tempest_rt::net::Network;
use tempest_server::{Node, NodeConfig};
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::{BranchId, RunRecord, Store};
use tokio::sync::watch;
use tonic::Status;
use tonic::transport::Channel;

/// Where a server keeps its database on its disk.
const DATABASE: &str = "/data/tempest.redb";
/// Rows read at once when everything is read.
const PAGE: usize = 1000;

/// Virtual time since the run began.
pub(crate) fn now_ns() -> u64 {
    tempest_lockstep::now_ns().unwrap_or(0)
}

/// What hosts leave behind for whoever looks. It belongs to no host and survives all crashes.
#[derive(Clone)]
pub(crate) struct Shared {
    pub operations: OperationLog,
    pub commits: CommitFeed,
    pub waiting: Waiting,
    pub ambiguities: Ambiguities,
    complaints: Arc<Mutex<Vec<String>>>,
    clients_done: Arc<AtomicBool>,
    inspection: Arc<Mutex<Inspection>>,
}

impl Shared {
    pub fn new(decisions: Decisions) -> Shared {
        Shared {
            operations: OperationLog::default(),
            commits: CommitFeed::default(),
            waiting: Waiting::default(),
            ambiguities: Ambiguities::new(decisions),
            complaints: Arc::default(),
            clients_done: Arc::default(),
            inspection: Arc::default(),
        }
    }

    pub fn complain(&self, what: String) {
        self.complaints.lock().expect("nobody panics holding this").push(what);
    }

    pub fn complaints(&self) -> Vec<String> {
        self.complaints.lock().expect("nobody panics holding this").clone()
    }

    pub fn clients_done(&self) -> bool {
        self.clients_done.load(Ordering::SeqCst)
    }

    pub fn inspection(&self) -> Inspection {
        self.inspection.lock().expect("nobody panics holding this").clone()
    }

    fn inspect(&self, add: impl FnOnce(&mut Inspection)) {
        add(&mut self.inspection.lock().expect("nobody panics holding this"));
    }

    fn caller(&self, name: &str) -> Caller {
        let (log, ambiguities) = (self.operations.clone(), self.ambiguities.clone());
        Caller { name: name.to_owned(), log, ambiguities, now_ns }
    }
}

/// What was read back after a run.
#[derive(Clone, Default)]
pub(crate) struct Inspection {
    /// Through the API, by run id.
    pub served: std::collections::BTreeMap<String, Vec<HistoryEvent>>,
    /// From the disk: the run, its events, whether it is current.
    pub stored: Vec<(RunKey, RunRecord, Vec<HistoryEvent>, bool)>,
    pub served_done: bool,
    pub stored_done: bool,
}

fn network() -> Arc<dyn Network> {
    Arc::new(LockstepNetwork)
}

fn address() -> String {
    format!("server:{PORT}")
}

/// A server node with all roles on a simulated disk.
pub(crate) fn server(shared: Shared, disk: SimDisk, configure: Arc<dyn Fn() -> NodeConfig + Send + Sync>) -> Program {
    Arc::new(move |stop| {
        let (shared, disk, config) = (shared.clone(), disk.clone(), configure());
        async move {
            let refused = disk.statistics().refused_for_room;
            if let Err(error) = serve(&shared, &disk, config, stop).await
                // A program whose power is gone may say what it likes.
                && disk.is_powered()
                // One that found its disk full may give up: it is started again until there is room.
                && disk.statistics().refused_for_room == refused
            {
                shared.complain(format!("the server ended at {}: {error:#}", crate::check::seconds(now_ns())));
            }
        }
        .boxed_local()
    })
}

async fn serve(
    shared: &Shared,
    disk: &SimDisk,
    config: NodeConfig,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let store = Arc::new(RedbStore::open(Arc::new(disk.clone()), DATABASE, RedbConfig::default()).await?);
    let failed = store.failed();
    let incarnation = tempest_lockstep::incarnation().unwrap_or(0);
    let recording = RecordingStore::new(store.clone(), shared.commits.clone(), incarnation, now_ns);
    let node = Node::start(config, Arc::new(recording), network()).await?;
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => {}
        reason = failed => anyhow::bail!("the store failed: {reason}"),
    }
    node.stop().await;
    store.close().await;
    Ok(())
}

/// An SDK worker under a supervisor.
pub(crate) fn worker(shared: Shared, name: String, workload: Arc<dyn Workload>, settings: WorkerSettings) -> Program {
    Arc::new(move |stop| {
        let (shared, name, workload) = (shared.clone(), name.clone(), workload.clone());
        async move {
            let channel = connect(network(), &address());
            let result = run_worker(shared.caller(&name), channel, workload.register(), settings, stop).await;
            if let Err(error) = result {
                tempest_lockstep::trace::record_text("worker-ended", &format!("{error:#}"));
            }
        }
        .boxed_local()
    })
}

/// The scenario's clients.
pub(crate) fn clients(shared: Shared, workload: Arc<dyn Workload>, decisions: Decisions) -> Program {
    Arc::new(move |_stop| {
        let (shared, workload, decisions) = (shared.clone(), workload.clone(), decisions.clone());
        async move {
            let channel = connect(network(), &address());
            let waiting = shared.waiting.clone();
            let client = Client::connect(shared.caller("client"), channel, decisions, waiting).await;
            if let Err(error) = workload.clients(client).await {
                shared.complain(format!("the clients gave up at {}: {error:#}", crate::check::seconds(now_ns())));
            }
            shared.clients_done.store(true, Ordering::SeqCst);
            tempest_lockstep::request_stop();
            // The host stays up, as a machine would.
            std::future::pending::<()>().await;
        }
        .boxed_local()
    })
}

/// Reads the history of each run through the API.
pub(crate) fn verifier(shared: Shared, runs: Arc<dyn Fn() -> Vec<RunKey> + Send + Sync>) -> Program {
    Arc::new(move |_stop| {
        let (shared, runs) = (shared.clone(), runs());
        async move {
            let channel = connect(network(), &address());
            let caller = shared.caller("verifier");
            for run in runs {
                match read_back(&caller, &channel, &run).await {
                    Ok(events) => shared.inspect(|found| {
                        found.served.insert(run.run_id.0.clone(), events);
                    }),
                    // A start in doubt may not have been applied: the disk tells.
                    Err(status) if status.code() == tonic::Code::NotFound => {}
                    Err(status) => shared.complain(format!(
                        "the history of {} / {} could not be read back: {status}",
                        run.workflow_id, run.run_id
                    )),
                }
            }
            shared.inspect(|found| found.served_done = true);
            tempest_lockstep::request_stop();
        }
        .boxed_local()
    })
}

async fn read_back(caller: &Caller, channel: &Channel, run: &RunKey) -> Result<Vec<HistoryEvent>, Status> {
    let (mut events, mut next_page_token) = (Vec::new(), Vec::new());
    loop {
        let execution = WorkflowExecution { workflow_id: run.workflow_id.0.clone(), run_id: run.run_id.0.clone() };
        let request = api::GetWorkflowExecutionHistoryRequest {
            namespace: NAMESPACE.to_owned(),
            execution: Some(execution),
            next_page_token,
            ..Default::default()
        };
        let answer = call(caller, channel, "GetWorkflowExecutionHistory", request.encode_to_vec().into()).await?;
        let response = api::GetWorkflowExecutionHistoryResponse::decode(answer.as_ref())
            .map_err(|error| Status::data_loss(error.to_string()))?;
        events.extend(response.history.into_iter().flat_map(|history| history.events));
        next_page_token = response.next_page_token;
        if next_page_token.is_empty() {
            return Ok(events);
        }
    }
}

/// Opens the server's database, recovering it if need be, and reads everything.
pub(crate) fn inspector(shared: Shared, disk: SimDisk) -> Program {
    Arc::new(move |_stop| {
        let (shared, disk) = (shared.clone(), disk.clone());
        async move {
            if let Err(error) = inspect(&shared, &disk).await {
                shared.complain(format!("the disk could not be read after the last power cut: {error:#}"));
            }
            shared.inspect(|found| found.stored_done = true);
            tempest_lockstep::request_stop();
        }
        .boxed_local()
    })
}

async fn inspect(shared: &Shared, disk: &SimDisk) -> anyhow::Result<()> {
    let store = RedbStore::open(Arc::new(disk.clone()), DATABASE, RedbConfig::default()).await?;
    let mut after: Option<RunKey> = None;
    loop {
        let page = store.runs(after.take(), PAGE).await?;
        let full = page.len() == PAGE;
        after = page.last().map(|(key, _)| key.clone());
        for (key, record) in page {
            let branch = tempest_history::decode_state(&record.state)?.branch();
            let branch = BranchId { tree: branch.tree, branch: branch.branch };
            let events = history(&store, &branch).await?;
            let current = store.current_run(&key.namespace_id, &key.workflow_id).await?;
            let is_current = current.as_ref() == Some(&key.run_id);
            shared.inspect(|found| found.stored.push((key, record, events, is_current)));
        }
        if !full {
            return Ok(());
        }
    }
}

async fn history(store: &RedbStore, branch: &BranchId) -> anyhow::Result<Vec<HistoryEvent>> {
    let (mut events, mut from) = (Vec::new(), 1);
    loop {
        let nodes = store.history(branch, from, i64::MAX, PAGE).await?;
        let full = nodes.len() == PAGE;
        for node in nodes {
            from = node.node + 1;
            events.extend(tempest_api::proto::history::v1::History::decode(node.events.as_ref())?.events);
        }
        if !full {
            return Ok(events);
        }
    }
}
