//! What code on a host asks and tells the world that it is in, whichever that is.
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempest_rt::net::Network;

/// A world as its hosts know it.
pub(crate) trait Inside: Send + Sync {
    /// Virtual time since the run began; nothing outside a run.
    fn now_ns(&self) -> Option<u64>;
    /// The host that the caller is on.
    fn host_name(&self) -> Option<String>;
    /// How often that host was started.
    fn incarnation(&self) -> Option<u32>;
    /// Has the controller look at its world as soon as the caller gives its turn away.
    fn ask_for_attention(&self);
    /// Adds to the run's trace.
    fn record(&self, kind: &str, bytes: &[u8]);
    fn record_text(&self, kind: &str, text: &str);
    fn network(&self) -> Arc<dyn Network>;
    /// Whether the official SDK runs on its hosts.
    fn has_sdk(&self) -> bool {
        false
    }
    /// Where the wall clocks of hosts begin, since the Unix epoch.
    fn epoch(&self) -> Duration;
}

/// One run per process, so one world per process.
static WORLD: OnceLock<Box<dyn Inside>> = OnceLock::new();

/// Says which world this process is in, before its run begins. Without it, it is the default one.
pub(crate) fn enter(world: impl Inside + 'static) {
    let entered = WORLD.set(Box::new(world));
    assert!(entered.is_ok(), "a process is in one world");
}

/// What is said before a process has entered a world, by a log for one, does not enter the default one.
fn world() -> &'static dyn Inside {
    WORLD.get().map_or(&super::DefaultInside, |world| world.as_ref())
}

pub(crate) fn now_ns() -> Option<u64> {
    world().now_ns()
}

pub(crate) fn host_name() -> Option<String> {
    world().host_name()
}

pub(crate) fn incarnation() -> Option<u32> {
    world().incarnation()
}

pub(crate) fn ask_for_attention() {
    world().ask_for_attention();
}

pub(crate) fn record(kind: &str, bytes: &[u8]) {
    world().record(kind, bytes);
}

pub(crate) fn record_text(kind: &str, text: &str) {
    world().record_text(kind, text);
}

pub(crate) fn network() -> Arc<dyn Network> {
    world().network()
}

pub(crate) fn has_sdk() -> bool {
    world().has_sdk()
}

pub(crate) fn epoch() -> Duration {
    world().epoch()
}
