//! A lockstep world as its hosts know it.
use super::super::inside::Inside;
use super::LockstepNetwork;
use std::sync::Arc;
use std::time::Duration;
use tempest_lockstep::{HostId, trace};
use tempest_rt::net::Network;

pub(crate) struct LockstepInside;

impl Inside for LockstepInside {
    fn now_ns(&self) -> Option<u64> {
        tempest_lockstep::now_ns()
    }

    fn host_name(&self) -> Option<String> {
        // The controller is the harness itself.
        let is_host = tempest_lockstep::current_host()? != HostId::CONTROLLER;
        tempest_lockstep::host_name().filter(|_| is_host)
    }

    fn incarnation(&self) -> Option<u32> {
        tempest_lockstep::incarnation()
    }

    fn ask_for_attention(&self) {
        tempest_lockstep::request_stop();
    }

    fn record(&self, kind: &str, bytes: &[u8]) {
        trace::record(kind, bytes);
    }

    fn record_text(&self, kind: &str, text: &str) {
        trace::record_text(kind, text);
    }

    fn network(&self) -> Arc<dyn Network> {
        Arc::new(LockstepNetwork)
    }

    fn has_sdk(&self) -> bool {
        true
    }

    fn epoch(&self) -> Duration {
        tempest_lockstep::Options::default().epoch
    }
}
