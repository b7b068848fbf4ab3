//! What hosts add to the trace of their simulation.
use crate::kernel;
pub use tempest_trace::TraceHash;

/// Adds a record of the current host at the current time. Does nothing outside a simulation.
pub fn record(kind: &str, bytes: &[u8]) {
    kernel::with(|kernel| {
        let host = kernel.current_host();
        kernel.record(host, kind, bytes);
    });
}

/// Like [`record`], with bytes that a person can read: they are written to the trace file as they are.
pub fn record_text(kind: &str, text: &str) {
    kernel::with(|kernel| {
        let (elapsed, host) = (kernel.elapsed(), kernel.current_host());
        let name = kernel.host(host).name.clone();
        kernel.trace.record_text(elapsed, &name, kind, text);
    });
}

/// Adds a line to the trace file only; the hash stays as it is.
pub fn comment(kind: &str, text: &str) {
    kernel::with(|kernel| {
        let (elapsed, host) = (kernel.elapsed(), kernel.current_host());
        let name = kernel.host(host).name.clone();
        kernel.trace.comment(elapsed, &name, kind, text);
    });
}
