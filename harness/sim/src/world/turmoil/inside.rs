//! A turmoil world as its hosts know it.
use super::super::inside::Inside;
use super::TurmoilNetwork;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempest_lockstep::trace;
use tempest_rt::net::Network;
use tokio::runtime::{Handle, Id};

/// Which host's runtime is which, and whether a part of the world wants attention. Cloning shares it.
#[derive(Clone, Default)]
pub(super) struct TurmoilInside(Arc<Known>);

#[derive(Default)]
struct Known {
    /// By the id of the runtime, which each incarnation of a host has anew: the host's name and the incarnation.
    hosts: Mutex<BTreeMap<String, (String, u32)>>,
    attention: AtomicBool,
}

impl TurmoilInside {
    /// To be called on the host, when an incarnation of it begins.
    pub fn begins(&self, host: &str, incarnation: u32) {
        let mut hosts = self.0.hosts.lock().expect("no holder of this lock panics");
        hosts.insert(key(Handle::current().id()), (host.to_owned(), incarnation));
    }

    /// Whether attention was asked for since this was asked last.
    pub fn takes_attention(&self) -> bool {
        self.0.attention.swap(false, Ordering::SeqCst)
    }

    fn here(&self) -> Option<(String, u32)> {
        let id = key(Handle::try_current().ok()?.id());
        self.0.hosts.lock().expect("no holder of this lock panics").get(&id).cloned()
    }
}

/// Ids have no order, but a text.
fn key(id: Id) -> String {
    id.to_string()
}

impl Inside for TurmoilInside {
    fn now_ns(&self) -> Option<u64> {
        tempest_lockstep::now_ns()
    }

    fn host_name(&self) -> Option<String> {
        Some(self.here()?.0)
    }

    fn incarnation(&self) -> Option<u32> {
        Some(self.here()?.1)
    }

    fn ask_for_attention(&self) {
        self.0.attention.store(true, Ordering::SeqCst);
    }

    fn record(&self, kind: &str, bytes: &[u8]) {
        let host = self.host_name().unwrap_or_default();
        trace::record(&format!("{host} {kind}"), bytes);
    }

    fn record_text(&self, kind: &str, text: &str) {
        let host = self.host_name().unwrap_or_default();
        trace::record_text(&format!("{host} {kind}"), text);
    }

    fn network(&self) -> Arc<dyn Network> {
        Arc::new(TurmoilNetwork)
    }

    fn epoch(&self) -> Duration {
        tempest_lockstep::Options::default().epoch
    }
}
