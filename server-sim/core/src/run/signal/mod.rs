//! Signals to this run, from clients and from other runs.
pub(crate) mod by_workflow;
pub(crate) mod events;
mod record;
pub(crate) mod request;
mod seen;

pub use seen::{SeenSignals, SignalRequests};
