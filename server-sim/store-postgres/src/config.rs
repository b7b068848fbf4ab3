//! Where the database is, and every limit of the store.
use std::fmt;
use tempest_rt::time::Duration;
use tempest_store::StoreError;
use tempest_store::write_queue::QueueLimits;

/// PostgreSQL cuts longer names off without an error, so that two schemas could become one.
const SCHEMA_NAME_BYTES_MAX: usize = 63;
const LANES_MAX: usize = 64;
const READS_MAX: usize = 256;
const ATTEMPTS_MAX: u32 = 100;
/// One statement's parameters have to stay far below the protocol's limit of a gigabyte.
const BATCH_BYTES_MAX: usize = 256 << 20;
const PATIENCE_MIN: Duration = Duration::from_millis(1);
const PATIENCE_MAX: Duration = Duration::from_secs(3600);

/// How to reach the database and how much to ask of it. A wrong limit slows the store down or uses memory; none can lose
/// data, except what a long `lookout_interval` lets a deposed primary take. Printed without the address, which may hold
/// a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:5432/database`, or libpq's `host=... user=...` form. Several hosts are tried in
    /// turn.
    pub url: String,
    /// The schema whose tables are this store, created if it is not there; 1 to 63 bytes. Two clusters may share a
    /// database under different ones.
    pub schema: String,
    /// Transactions that one process has in flight, 1 to 64, each with a connection; shards are spread over them. One
    /// more lane, for acquiring shards and partitions, is always there. More of them hide latency, fewer make larger
    /// batches.
    pub lanes: usize,
    /// Writes that share one transaction, 1 to 65536. 1 turns group commit off.
    pub batch_requests_max: usize,
    /// Bytes that share one transaction, 1 to 256 MiB. A single larger write still goes through, alone.
    pub batch_bytes_max: usize,
    /// Writes that may wait in one lane, 1 to 1048576. Beyond it a write is refused as unavailable.
    pub queue_requests_max: usize,
    /// Bytes that may wait in one lane, at least 1. Beyond it a write is refused as unavailable, unless the lane is empty.
    pub queue_bytes_max: usize,
    /// Reads that may run at once, 1 to 256: each takes a connection while it runs.
    pub reads_concurrent_max: usize,
    /// How long connecting may take, from 1 ms to an hour as all times here. Too short, and a busy database looks dead.
    pub connect_timeout: Duration,
    /// How often every host of the address is asked whether it is a newer primary, over a connection for just that. So
    /// long, and `connect_timeout` twice for each host that does not answer, a node may go on with a deposed primary.
    pub lookout_interval: Duration,
    /// How long one statement may run in the database. Also how long a lost connection may go unnoticed by either side.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a row that another transaction has locked; at most the statement timeout.
    /// While it waits, everything else in its lane waits too.
    pub lock_timeout: Duration,
    /// When the database ends a transaction whose client has fallen silent, and with it the locks that a frozen node
    /// holds. Too short, and a node that was only slow loses its batch.
    pub idle_transaction_timeout: Duration,
    /// How long to wait for the answer to COMMIT before its outcome is called unknown. It contains the wait for
    /// synchronous standbys.
    pub commit_timeout: Duration,
    /// How often a transaction of which certainly nothing was stored is tried, 1 to 100.
    pub attempts_max: u32,
    /// Pause before trying again.
    pub attempt_pause: Duration,
}

impl PostgresConfig {
    /// The defaults for a database at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: "tempest".to_owned(),
            lanes: 4,
            batch_requests_max: 1024,
            batch_bytes_max: 8 << 20,
            queue_requests_max: 16_384,
            queue_bytes_max: 64 << 20,
            reads_concurrent_max: 8,
            connect_timeout: Duration::from_secs(5),
            lookout_interval: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(3),
            idle_transaction_timeout: Duration::from_secs(10),
            commit_timeout: Duration::from_secs(30),
            attempts_max: 3,
            attempt_pause: Duration::from_millis(50),
        }
    }

    pub(crate) fn queue_limits(&self) -> QueueLimits {
        let Self { batch_requests_max, batch_bytes_max, queue_requests_max, queue_bytes_max, .. } = *self;
        QueueLimits { batch_requests_max, batch_bytes_max, queue_requests_max, queue_bytes_max }
    }

    /// The configuration itself if every bound is in its range.
    ///
    /// # Errors
    /// `Incompatible`, naming the setting and its range.
    pub fn validated(self) -> Result<Self, StoreError> {
        let unbounded = usize::MAX;
        check("schema (its length in bytes)", self.schema.len(), 1, SCHEMA_NAME_BYTES_MAX)?;
        if self.schema.contains('\0') || self.schema.starts_with("pg_") {
            return Err(StoreError::Incompatible(
                "store setting schema: PostgreSQL allows neither a zero byte in a schema's name nor one that begins \
                 with pg_"
                    .to_owned(),
            ));
        }
        check("lanes", self.lanes, 1, LANES_MAX)?;
        check("batch_requests_max", self.batch_requests_max, 1, 1 << 16)?;
        check("batch_bytes_max", self.batch_bytes_max, 1, BATCH_BYTES_MAX)?;
        check("queue_requests_max", self.queue_requests_max, 1, 1 << 20)?;
        check("queue_bytes_max", self.queue_bytes_max, 1, unbounded)?;
        check("reads_concurrent_max", self.reads_concurrent_max, 1, READS_MAX)?;
        check("attempts_max", self.attempts_max as usize, 1, ATTEMPTS_MAX as usize)?;
        check_time("connect_timeout", self.connect_timeout)?;
        check_time("lookout_interval", self.lookout_interval)?;
        check_time("statement_timeout", self.statement_timeout)?;
        check_time("lock_timeout", self.lock_timeout)?;
        check_time("idle_transaction_timeout", self.idle_transaction_timeout)?;
        check_time("commit_timeout", self.commit_timeout)?;
        check_time("attempt_pause", self.attempt_pause)?;
        if self.lock_timeout > self.statement_timeout {
            return Err(StoreError::Incompatible(
                "store setting lock_timeout is longer than statement_timeout: it could never pass".to_owned(),
            ));
        }
        Ok(self)
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("schema", &self.schema)
            .field("lanes", &self.lanes)
            .finish_non_exhaustive()
    }
}

fn check(name: &str, value: usize, min: usize, max: usize) -> Result<(), StoreError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(StoreError::Incompatible(format!("store setting {name} is {value}: it must be from {min} to {max}")))
}

fn check_time(name: &str, value: Duration) -> Result<(), StoreError> {
    if (PATIENCE_MIN..=PATIENCE_MAX).contains(&value) {
        return Ok(());
    }
    Err(StoreError::Incompatible(format!("store setting {name} is {value:?}: it must be from 1 ms to an hour")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked() {
        let config = PostgresConfig::new("postgres://localhost/tempest");
        assert!(config.clone().validated().is_ok());
        let check = |config: PostgresConfig, expect: &str| {
            assert_eq!(config.validated().unwrap_err().to_string(), expect);
        };
        check(PostgresConfig { lanes: 0, ..config.clone() }, "store setting lanes is 0: it must be from 1 to 64");
        check(
            PostgresConfig { schema: "s".repeat(64), ..config.clone() },
            "store setting schema (its length in bytes) is 64: it must be from 1 to 63",
        );
        check(
            PostgresConfig { lock_timeout: Duration::from_secs(11), ..config.clone() },
            "store setting lock_timeout is longer than statement_timeout: it could never pass",
        );
        check(
            PostgresConfig { commit_timeout: Duration::ZERO, ..config.clone() },
            "store setting commit_timeout is 0ns: it must be from 1 ms to an hour",
        );
        check(
            PostgresConfig { lookout_interval: Duration::ZERO, ..config },
            "store setting lookout_interval is 0ns: it must be from 1 ms to an hour",
        );
    }

    #[test]
    fn a_password_is_not_printed() {
        let config = PostgresConfig::new("postgres://me:secret@localhost/tempest");
        assert!(!format!("{config:?}").contains("secret"));
    }
}
