//! Limits of the embedded store.
use crate::StoreError;
use crate::write_queue::QueueLimits;
use tempest_rt::time::Duration;

const DISK_FULL_PAUSE_MAX: Duration = Duration::from_secs(3600);

/// Every bound of the embedded store. A wrong one slows it down or uses memory; none can lose data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedbConfig {
    /// Writes that share one transaction and one fsync, 1 to 65536. 1 turns group commit off.
    pub batch_requests_max: usize,
    /// Bytes that share one transaction, at least 1. A single larger write still goes through, alone. Too much of it
    /// makes everybody wait for one long transaction.
    pub batch_bytes_max: usize,
    /// Writes that may wait, 1 to 1048576. Beyond it a write is refused as unavailable.
    pub queue_requests_max: usize,
    /// Bytes that may wait, at least 1. Beyond it a write is refused as unavailable, unless the queue is empty.
    pub queue_bytes_max: usize,
    /// Reads that may run at once, 1 to 512: each takes a thread of the runtime's blocking pool while it runs.
    pub reads_concurrent_max: usize,
    /// Bytes that redb may use as its cache, at least 1 MiB. Too little makes every read a disk read.
    pub cache_bytes: usize,
    /// How long writes are refused after the disk was found full, up to an hour. Each attempt reopens the database, which
    /// reads all of it: too short a pause keeps a large one busy with nothing else.
    pub disk_full_pause: Duration,
}

impl Default for RedbConfig {
    fn default() -> Self {
        Self {
            batch_requests_max: 4096,
            batch_bytes_max: 16 << 20,
            queue_requests_max: 65_536,
            queue_bytes_max: 256 << 20,
            reads_concurrent_max: 64,
            cache_bytes: 128 << 20,
            disk_full_pause: Duration::from_secs(5),
        }
    }
}

impl RedbConfig {
    pub(super) fn queue_limits(&self) -> QueueLimits {
        let Self { batch_requests_max, batch_bytes_max, queue_requests_max, queue_bytes_max, .. } = *self;
        QueueLimits { batch_requests_max, batch_bytes_max, queue_requests_max, queue_bytes_max }
    }

    /// The configuration itself if every bound is in its range.
    ///
    /// # Errors
    /// `Incompatible`, naming the bound and its range.
    pub fn validated(self) -> Result<Self, StoreError> {
        let unbounded = usize::MAX;
        check("batch_requests_max", self.batch_requests_max, 1, 1 << 16)?;
        check("batch_bytes_max", self.batch_bytes_max, 1, unbounded)?;
        check("queue_requests_max", self.queue_requests_max, 1, 1 << 20)?;
        check("queue_bytes_max", self.queue_bytes_max, 1, unbounded)?;
        check("reads_concurrent_max", self.reads_concurrent_max, 1, 512)?;
        check("cache_bytes", self.cache_bytes, 1 << 20, unbounded)?;
        if self.disk_full_pause > DISK_FULL_PAUSE_MAX {
            return Err(StoreError::Incompatible("store setting disk_full_pause is longer than an hour".into()));
        }
        Ok(self)
    }
}

fn check(name: &str, value: usize, min: usize, max: usize) -> Result<(), StoreError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(StoreError::Incompatible(format!("store setting {name} is {value}: it must be from {min} to {max}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked() {
        assert!(RedbConfig::default().validated().is_ok());
        let error = RedbConfig { batch_requests_max: 0, ..RedbConfig::default() }.validated().unwrap_err();
        assert_eq!(error.to_string(), "store setting batch_requests_max is 0: it must be from 1 to 65536");
    }
}
