//! Two clocks: the monotonic one for waiting, the wall clock for what people and histories see.
pub use std::time::Duration;

#[cfg(not(madsim))]
pub use tokio::time::{Instant, Sleep, error::Elapsed, sleep, sleep_until, timeout, timeout_at};

#[cfg(madsim)]
pub use madsim::time::{Instant, Sleep, error::Elapsed, sleep, sleep_until, timeout};

/// The wall clock in nanoseconds since the Unix epoch. It may jump either way: never compare two of its readings to
/// measure a duration, and never compare it with another node's.
#[allow(clippy::disallowed_methods)] // this is the door
pub fn wall_clock_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// Sleeps until `deadline`, forever if there is none.
pub async fn sleep_until_maybe(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
