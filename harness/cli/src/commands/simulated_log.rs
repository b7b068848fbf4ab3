//! What the hosts of a simulation log. Telling the time takes none and draws nothing: the run is the same, whatever is logged.
use anyhow::Context;
use std::fmt;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

struct VirtualTime;

impl FormatTime for VirtualTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        match tempest::world::here() {
            Some((now, host)) => write!(writer, "{:>4}.{:06} s {host}", now / 1_000_000_000, now / 1_000 % 1_000_000),
            None => write!(writer, "outside"),
        }
    }
}

/// Begins logging for the process.
///
/// # Errors
/// The filter is none.
pub fn begin(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("--log {filter:?} is no filter of logs"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(VirtualTime)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        // The reader may have had enough: no simulated host is to die of it.
        .log_internal_errors(false)
        .init();
    Ok(())
}
