//! A database node: it keeps a log, does as the monitor orders, and is primary or standby.
use super::log::Log;
use super::primary::Primary;
use super::wire::{Order, Report, ToClient, receive, send};
use super::{
    CLIENT_PORT, LEASE, MONITOR_PORT, PEER_PATIENCE, RECONNECT_PAUSE, REPLICATION_PORT, REPORT_INTERVAL, Replication,
    address, replication,
};
use crate::world::{Ambiguity, Host, Program, Shared};
use futures::FutureExt;
use std::io;
use std::sync::{Arc, Mutex as SyncMutex};
use tempest_disk::SimDisk;
use tempest_rt::net::{ByteStream, Network};
use tempest_rt::task::{TaskGroup, blocking};
use tempest_rt::time::{Duration, Instant, sleep, timeout};
use tokio::sync::{Mutex, mpsc};

/// The hosts of one database.
#[derive(Clone, Debug)]
pub(crate) struct Replica {
    pub own: Host,
    pub others: Vec<Host>,
    pub monitor: Host,
    pub replication: Replication,
}

/// What runs on a database node.
pub(crate) fn database(shared: Shared, network: Arc<dyn Network>, disk: SimDisk, replica: Replica) -> Program {
    Arc::new(move |mut stop| {
        let (shared, network, disk, replica) = (shared.clone(), network.clone(), disk.clone(), replica.clone());
        async move {
            let failures = disk.statistics().failures();
            let name = replica.own.clone();
            let ended = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                ended = run(shared.clone(), network, disk.clone(), replica) => ended,
            };
            if let Err(error) = ended
                && disk.is_powered()
                && disk.statistics().failures() == failures
            {
                shared.report_problem(format!("{name} ended at {}: {error:#}", shared.now()));
            }
        }
        .boxed_local()
    })
}

async fn run(shared: Shared, network: Arc<dyn Network>, disk: SimDisk, replica: Replica) -> anyhow::Result<()> {
    let log = blocking(move || Log::open(&disk)).await?;
    let (failed, mut failure) = mpsc::channel(1);
    let node = Arc::new(Node {
        log: Arc::new(Mutex::new(log)),
        primary: SyncMutex::default(),
        lease: SyncMutex::new(Instant::now()),
        network,
        shared,
        failed,
        replica,
    });
    let own = &node.replica.own;
    let clients = node.network.listen(address(own, CLIENT_PORT)).await?;
    let peers = node.network.listen(address(own, REPLICATION_PORT)).await?;
    let tasks = TaskGroup::default();
    tasks.spawn(accept(clients, node.clone(), Node::greet));
    tasks.spawn(accept(peers, node.clone(), replication::take_entries));
    tasks.spawn(node.clone().report());
    let reason = failure.recv().await;
    node.step_down();
    tasks.stop();
    Err(reason.unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()).into())
}

async fn accept<F: Future<Output = ()> + Send + 'static>(
    mut listener: Box<dyn tempest_rt::net::Listener>,
    node: Arc<Node>,
    serve: fn(Arc<Node>, Box<dyn ByteStream>) -> F,
) {
    loop {
        if let Ok(stream) = listener.accept().await {
            tempest_rt::task::spawn(serve(node.clone(), stream));
        }
    }
}

pub(super) struct Node {
    pub log: Arc<Mutex<Log>>,
    primary: SyncMutex<Option<Arc<Primary>>>,
    /// Until when it may answer as primary.
    lease: SyncMutex<Instant>,
    pub network: Arc<dyn Network>,
    pub shared: Shared,
    failed: mpsc::Sender<io::Error>,
    pub replica: Replica,
}

impl Node {
    /// Does something to the log, off the async threads. A disk that fails ends the node: what it believes of its file is
    /// not to be trusted any more.
    pub async fn with_log<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Log) -> io::Result<T> + Send + 'static,
    ) -> Option<T> {
        let mut log = self.log.clone().lock_owned().await;
        match blocking(move || act(&mut log)).await {
            Ok(value) => Some(value),
            Err(error) => {
                let _ = self.failed.try_send(error);
                None
            }
        }
    }

    pub fn lease_holds(&self) -> bool {
        Instant::now() < *self.lease.lock().expect("no holder of this lock panics")
            || self.replication_is_unfenced()
            || tempest_rt::is_planted(super::plants::OLD_PRIMARY_NOT_FENCED.name)
    }

    /// Whether a fault strikes the write with this number.
    pub fn suffers(&self, kind: Ambiguity, write: u64) -> bool {
        self.shared.ambiguities.strikes(self.replica.own.as_str(), kind, write)
    }

    /// By how much later than it could be the read with this number is answered: of what it found, which commits that came
    /// after it have changed by then.
    pub fn read_is_late(&self, read: u64) -> Option<Duration> {
        let late = self.suffers(Ambiguity::ReadLate, read);
        late.then(|| Duration::from_millis(self.shared.ambiguities.read_late_by_ms(read)))
    }

    /// Then a primary that the monitor does not hear of goes on until another node tells it of a later term.
    fn replication_is_unfenced(&self) -> bool {
        matches!(self.replica.replication, Replication::Asynchronous { fenced: false, .. })
    }

    fn primary(&self) -> Option<Arc<Primary>> {
        self.primary.lock().expect("no holder of this lock panics").clone()
    }

    /// Lets go: callers that wait for an answer get none.
    pub fn step_down(&self) {
        let primary = self.primary.lock().expect("no holder of this lock panics").take();
        if let Some(primary) = primary {
            primary.stop();
        }
    }

    /// As [`Node::step_down`], if it serves in an earlier term.
    pub fn yield_to(&self, term: u64) {
        let planted = tempest_rt::is_planted(super::plants::OLD_PRIMARY_NOT_FENCED.name);
        if !planted && self.primary().is_some_and(|primary| primary.term() < term) {
            self.step_down();
        }
    }

    /// Reports to the monitor and does as it says, forever.
    async fn report(self: Arc<Self>) {
        let monitor = address(&self.replica.monitor, MONITOR_PORT);
        loop {
            if let Ok(Ok(mut stream)) = timeout(PEER_PATIENCE, self.network.connect(monitor.clone())).await {
                while self.report_once(&mut stream).await.is_some() {}
            }
            sleep(RECONNECT_PAUSE).await;
        }
    }

    async fn report_once(self: &Arc<Self>, stream: &mut Box<dyn ByteStream>) -> Option<()> {
        let (promised, last, rebuilding) = {
            let log = self.log.lock().await;
            (log.promised(), log.last(), log.is_rebuilding())
        };
        let report = Report { name: self.replica.own.0.clone(), promised, last, rebuilding };
        let asked_at = Instant::now();
        let asking = async {
            send(stream, &report).await?;
            receive::<Order>(stream).await
        };
        let order = timeout(PEER_PATIENCE, asking).await.ok()?.ok()?;
        if order.term > promised {
            self.yield_to(order.term);
            self.with_log(move |log| log.promise(order.term)).await?;
            return Some(());
        }
        if order.term == promised && !rebuilding && order.primary.as_deref() == Some(self.replica.own.as_str()) {
            *self.lease.lock().expect("no holder of this lock panics") = asked_at + LEASE;
            let standby = order.standby.map(Host);
            match self.primary().filter(|primary| primary.term() == order.term) {
                Some(primary) => primary.name_standby(standby),
                None => {
                    self.step_down();
                    let primary = Primary::start(self.clone(), order.term, order.forced).await?;
                    primary.name_standby(standby);
                    *self.primary.lock().expect("no holder of this lock panics") = Some(primary);
                    return Some(());
                }
            }
        }
        sleep(REPORT_INTERVAL).await;
        Some(())
    }

    /// A client's connection.
    async fn greet(self: Arc<Self>, mut stream: Box<dyn ByteStream>) {
        match self.primary().filter(|_| self.lease_holds()) {
            Some(primary) => primary.serve(stream),
            None => drop(send(&mut stream, &ToClient::NotPrimary).await),
        }
    }
}
