//! A madsim world as its hosts know it.
use super::super::inside::Inside;
use super::MadsimNetwork;
use madsim::task::NodeId;
use madsim::time::TimeHandle;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;
use tempest_rt::net::Network;
use tempest_trace::Trace;
use tokio::sync::Notify;

/// Which host is which of madsim's nodes, what wants attention, and the trace. Cloning shares it.
#[derive(Clone)]
pub(super) struct MadsimInside(Arc<Known>);

pub(super) struct Known {
    pub time: TimeHandle,
    pub epoch: Duration,
    pub network: MadsimNetwork,
    pub trace: Mutex<Trace>,
    pub attention: Notify,
    /// Each incarnation of a host is a node of its own.
    pub nodes: Mutex<BTreeMap<NodeId, (String, u32)>>,
}

/// One run per process.
static INSIDE: OnceLock<MadsimInside> = OnceLock::new();

impl MadsimInside {
    /// To be called once.
    pub fn enter(known: Known) -> MadsimInside {
        let inside = MadsimInside(Arc::new(known));
        let entered = INSIDE.set(inside.clone());
        assert!(entered.is_ok(), "a process is in one world");
        super::super::inside::enter(inside.clone());
        inside
    }

    pub fn network(&self) -> &MadsimNetwork {
        &self.0.network
    }

    pub fn now(&self) -> Duration {
        self.0.time.elapsed()
    }

    pub async fn attention(&self) {
        self.0.attention.notified().await;
    }

    pub fn trace(&self) -> MutexGuard<'_, Trace> {
        self.0.trace.lock().expect("no holder of this lock panics")
    }

    pub fn begins(&self, node: NodeId, host: &str, incarnation: u32) {
        self.nodes().insert(node, (host.to_owned(), incarnation));
    }

    /// The host that the caller is on, and its incarnation.
    pub fn here() -> Option<(String, u32)> {
        let inside = INSIDE.get()?;
        // Outside its runtime madsim knows no node, and says so by a panic.
        TimeHandle::try_current()?;
        inside.nodes().get(&madsim::plugin::node()).cloned()
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<NodeId, (String, u32)>> {
        self.0.nodes.lock().expect("no holder of this lock panics")
    }

    fn now_u64(&self) -> u64 {
        u64::try_from(self.now().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Inside for MadsimInside {
    fn now_ns(&self) -> Option<u64> {
        Some(self.now_u64())
    }

    fn host_name(&self) -> Option<String> {
        Some(Self::here()?.0)
    }

    fn incarnation(&self) -> Option<u32> {
        Some(Self::here()?.1)
    }

    fn ask_for_attention(&self) {
        self.0.attention.notify_one();
    }

    fn record(&self, kind: &str, bytes: &[u8]) {
        let host = self.host_name().unwrap_or_default();
        self.trace().record(self.now_u64(), &host, kind, bytes);
    }

    fn record_text(&self, kind: &str, text: &str) {
        let host = self.host_name().unwrap_or_default();
        self.trace().record_text(self.now_u64(), &host, kind, text);
    }

    fn network(&self) -> Arc<dyn Network> {
        Arc::new(self.0.network.clone())
    }

    fn epoch(&self) -> Duration {
        self.0.epoch
    }
}

/// Before a run, and where there is none.
pub(crate) struct NoWorld;

impl Inside for NoWorld {
    fn now_ns(&self) -> Option<u64> {
        None
    }

    fn host_name(&self) -> Option<String> {
        None
    }

    fn incarnation(&self) -> Option<u32> {
        None
    }

    fn ask_for_attention(&self) {}

    fn record(&self, _: &str, _: &[u8]) {}

    fn record_text(&self, _: &str, _: &str) {}

    fn network(&self) -> Arc<dyn Network> {
        Arc::new(tempest_rt::net::Tcp)
    }

    fn epoch(&self) -> Duration {
        Duration::ZERO
    }
}
