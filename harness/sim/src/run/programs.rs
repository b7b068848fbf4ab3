//! What runs on the hosts: a server node, SDK workers, clients, and the two that look at the result: the verifier reads
//! everything back through the API, the inspector opens what a last power cut has left on the disk.
use crate::draw::Decisions;
use crate::observe::{DataLossReport, seconds};
use crate::scenario::Workload;
use crate::worker::{Caller, Client, NAMESPACE, PORT, WorkerSettings, call, connect, run_protocol_worker, run_worker};
use crate::world::{
    DatabaseStore, Host, Log, Program, RecordingStore, Shared, ThievingStore, inside, materialise, newest, now_ns,
};
use futures::FutureExt;
use prost::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::namespace::v1::NamespaceInfo;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_core::RunKey;
use tempest_disk::SimDisk;
use tempest_history::{DataLoss, DataLossObserver};
use tempest_rt::net::Channel;
use tempest_server::{Node, NodeConfig, NodeError};
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::{BranchId, Store, StoreCalls, StoreError};
use tokio::sync::watch;
use tonic::Status;

/// Where a server keeps its database on its disk.
const DATABASE: &str = "/data/tempest.redb";
/// Tries to read a history through the API, and the pause between them.
const READ_TRIES_MAX: u32 = 20;
const READ_RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Rows read at once when everything is read.
const PAGE: usize = 1000;

/// A connection to the servers, beginning with the `first`.
fn dial(servers: &[Host], first: usize) -> Channel {
    let addresses: Vec<String> = servers.iter().map(|server| format!("{server}:{PORT}")).collect();
    connect(inside::network(), &addresses, first)
}

/// Where a server keeps its data.
#[derive(Clone)]
pub(crate) enum Storage {
    /// In a database of its own, on its disk.
    Embedded(SimDisk),
    /// In a database that all share.
    Shared(Vec<Host>),
}

/// A server node.
pub(crate) fn server(
    shared: Shared,
    storage: Storage,
    configure: Arc<dyn Fn() -> NodeConfig + Send + Sync>,
) -> Program {
    Arc::new(move |stop| {
        let (shared, storage, config) = (shared.clone(), storage.clone(), configure());
        async move {
            let name = inside::host_name().unwrap_or_default();
            let ended = match &storage {
                Storage::Embedded(disk) => {
                    let failures = disk.statistics().failures();
                    let ended = serve_embedded(&shared, disk, config, stop).await;
                    // A program whose power is gone may say what it likes, and one whose disk is full or fails may give
                    // up: it is started again until there is room and the disk does as it is told.
                    ended.or_else(|error| {
                        let excused = !disk.is_powered() || disk.statistics().failures() != failures;
                        if excused { Ok(()) } else { Err(error) }
                    })
                }
                Storage::Shared(databases) => {
                    let store = Arc::new(DatabaseStore::new(inside::network(), databases));
                    let store = Arc::new(ThievingStore::new(store, shared.ambiguities.clone(), name.clone()));
                    // While the database cannot be reached no server starts: it is started again until it can.
                    serve(&shared, store, config, stop, std::future::pending())
                        .await
                        .or_else(|error| if is_outage(&error) { Ok(()) } else { Err(error) })
                }
            };
            if let Err(error) = ended {
                shared.report_problem(format!("{name} ended at {}: {error:#}", shared.now()));
            }
        }
        .boxed_local()
    })
}

/// Whether a node did not start because its database was not there, or may not have been.
fn is_outage(error: &anyhow::Error) -> bool {
    use tempest_api::ServiceError;
    match error.downcast_ref() {
        Some(NodeError::Store(error)) => matches!(error, StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_)),
        Some(NodeError::Namespace { error, .. }) => {
            matches!(error, ServiceError::Unavailable(_) | ServiceError::OutcomeUnknown(_))
        }
        _ => false,
    }
}

async fn serve_embedded(
    shared: &Shared,
    disk: &SimDisk,
    config: NodeConfig,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let store = Arc::new(RedbStore::open(Arc::new(disk.clone()), DATABASE, RedbConfig::default()).await?);
    serve(shared, store.clone(), config, stop, store.failed()).await?;
    store.close().await;
    Ok(())
}

async fn serve(
    shared: &Shared,
    store: Arc<dyn Store>,
    mut config: NodeConfig,
    mut stop: watch::Receiver<bool>,
    failed: impl Future<Output = String>,
) -> anyhow::Result<()> {
    let name = inside::host_name().unwrap_or_default();
    let incarnation = inside::incarnation().unwrap_or(0);
    let recording = RecordingStore::new(store, shared.commits.clone(), name.clone(), incarnation, now_ns);
    let feed = shared.commits.clone();
    config.history.data_loss_observer = Some(DataLossObserver(Arc::new(move |loss| {
        let DataLoss { shard, range: range_id, left } = loss;
        feed.loss_reported(DataLossReport { server: name.clone(), incarnation, shard, range_id, left });
    })));
    let node = Node::start(config, Arc::new(recording), inside::network()).await?;
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => {}
        reason = failed => anyhow::bail!("the store failed: {reason}"),
    }
    node.stop().await;
    Ok(())
}

/// An SDK worker under a supervisor.
pub(crate) fn worker(
    shared: Shared,
    number: usize,
    servers: Vec<Host>,
    workload: Arc<dyn Workload>,
    settings: WorkerSettings,
) -> Program {
    Arc::new(move |mut stop: watch::Receiver<bool>| {
        let (shared, servers, workload) = (shared.clone(), servers.clone(), workload.clone());
        async move {
            let name = inside::host_name().unwrap_or_default();
            tokio::select! {
                biased;
                () = workload.before_work() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let channel = dial(&servers, number);
            let caller = Caller::of(&shared, &name);
            if let Some(worker) = workload.protocol_worker(number) {
                return run_protocol_worker(caller, channel, worker, settings, stop).await;
            }
            let result = run_worker(caller, channel, workload.register(), settings, stop).await;
            if let Err(error) = result {
                inside::record_text("worker-ended", &format!("{error:#}"));
            }
        }
        .boxed_local()
    })
}

/// The scenario's clients.
pub(crate) fn clients(
    shared: Shared,
    servers: Vec<Host>,
    workload: Arc<dyn Workload>,
    decisions: Decisions,
    losses_allowed: bool,
) -> Program {
    Arc::new(move |_stop| {
        let (shared, servers, workload) = (shared.clone(), servers.clone(), workload.clone());
        let decisions = decisions.clone();
        async move {
            let channel = dial(&servers, 0);
            let waiting = shared.waiting.clone();
            let caller = Caller::of(&shared, "client");
            let client = Client::connect(caller, channel, decisions, waiting, losses_allowed).await;
            if let Err(error) = workload.clients(client).await {
                shared.report_problem(format!("the clients gave up at {}: {error:#}", seconds(now_ns())));
            }
            shared.clients_are_done();
            inside::ask_for_attention();
            // The host stays up, as a machine would.
            std::future::pending::<()>().await;
        }
        .boxed_local()
    })
}

/// Reads the history of each run through the API.
pub(crate) fn verifier(
    shared: Shared,
    servers: Vec<Host>,
    runs: Arc<dyn Fn() -> Vec<RunKey> + Send + Sync>,
) -> Program {
    Arc::new(move |_stop| {
        let (shared, servers, runs) = (shared.clone(), servers.clone(), runs());
        async move {
            let channel = dial(&servers, 0);
            let caller = Caller::of(&shared, "verifier");
            for run in runs {
                match read_back_patiently(&caller, &channel, &run).await {
                    Ok(events) => shared.inspect(|found| {
                        found.served.insert(run.run_id.0.clone(), events);
                    }),
                    // A start whose outcome is unknown may not have been applied: the disk tells.
                    Err(status) if status.code() == tonic::Code::NotFound => {}
                    Err(status) => shared.report_problem(format!(
                        "the history of {} / {} could not be read back: {status}",
                        run.workflow_id, run.run_id
                    )),
                }
            }
            shared.inspect(|found| found.served_done = true);
            inside::ask_for_attention();
        }
        .boxed_local()
    })
}

/// As SDKs do: what is not available now is asked for again, for a while.
async fn read_back_patiently(caller: &Caller, channel: &Channel, run: &RunKey) -> Result<Vec<HistoryEvent>, Status> {
    let mut tries = 1;
    loop {
        match read_back(caller, channel, run).await {
            Err(status) if status.code() == tonic::Code::Unavailable && tries < READ_TRIES_MAX => {
                tempest_rt::time::sleep(READ_RETRY_PAUSE).await;
                tries += 1;
            }
            result => return result,
        }
    }
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

/// Opens the database, recovering it if need be, and reads everything: a server's own, or of a shared one the node whose
/// log is the most advanced among those whose disks are left.
pub(crate) fn inspector(shared: Shared, disks: Vec<SimDisk>, is_shared: bool) -> Program {
    Arc::new(move |_stop| {
        let (shared, disks) = (shared.clone(), disks.clone());
        async move {
            let opened = if is_shared { open_newest(disks).await } else { open_embedded(&disks[0]).await };
            let inspected = match opened {
                Ok(store) => inspect(&shared, &store).await,
                Err(error) => Err(error),
            };
            if let Err(error) = inspected {
                shared.report_problem(format!("the disk could not be read after the last power cut: {error:#}"));
            }
            shared.inspect(|found| found.stored_done = true);
            inside::ask_for_attention();
        }
        .boxed_local()
    })
}

async fn open_embedded(disk: &SimDisk) -> anyhow::Result<Arc<RedbStore>> {
    Ok(Arc::new(RedbStore::open(Arc::new(disk.clone()), DATABASE, RedbConfig::default()).await?))
}

async fn open_newest(disks: Vec<SimDisk>) -> anyhow::Result<Arc<RedbStore>> {
    let logs = tempest_rt::task::blocking(move || disks.iter().map(Log::open).collect::<Result<Vec<_>, _>>()).await?;
    let log = newest(logs).ok_or_else(|| anyhow::anyhow!("no disk is left"))?;
    materialise(log.entries()).await
}

async fn inspect(shared: &Shared, store: &RedbStore) -> anyhow::Result<()> {
    let namespaces = namespaces(store).await?;
    shared.inspect(|found| found.namespaces = Some(namespaces));
    let mut after: Option<RunKey> = None;
    loop {
        let page = store.runs(after.take(), PAGE).await?;
        let full = page.len() == PAGE;
        after = page.last().map(|(key, _)| key.clone());
        for (key, record) in page {
            let branch = tempest_history::decode_record(&record)?.branch();
            let branch = BranchId { tree: branch.tree, branch: branch.branch };
            let events = history(store, &branch).await?;
            let current = store.current_run(&key.namespace_id, &key.workflow_id).await?;
            let is_current = current.as_ref() == Some(&key.run_id);
            shared.inspect(|found| found.stored.push((key, record, events, is_current)));
        }
        if !full {
            return Ok(());
        }
    }
}

async fn namespaces(store: &RedbStore) -> anyhow::Result<BTreeMap<String, NamespaceInfo>> {
    let mut namespaces = BTreeMap::new();
    for record in store.namespaces().await? {
        let description = api::DescribeNamespaceResponse::decode(record.description)?;
        namespaces.insert(record.name, description.namespace_info.unwrap_or_default());
    }
    Ok(namespaces)
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
