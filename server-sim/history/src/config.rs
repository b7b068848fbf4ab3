//! The bounds of the history role.
use std::sync::Arc;
use std::time::Duration;
use tempest_core::Limits;
use tempest_rt::time::Instant;
use tempest_store::{RangeId, ShardId};

/// Acknowledged commits that are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataLoss {
    pub shard: ShardId,
    /// They were acknowledged to the owner with this range id, or to one before it.
    pub range: RangeId,
    /// The owner and the sequence up to which they are still there.
    pub left: (RangeId, u64),
}

/// Whom to tell of acknowledged commits that are gone.
#[derive(Clone)]
pub struct DataLossObserver(pub Arc<dyn Fn(DataLoss) + Send + Sync>);

impl DataLossObserver {
    pub(crate) fn lost(&self, loss: DataLoss) {
        (self.0)(loss);
    }
}

impl std::fmt::Debug for DataLossObserver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataLossObserver")
    }
}

/// Every limit of the history role. Each field says its unit, its range and what goes wrong outside good values.
#[derive(Clone, Debug)]
pub struct HistoryConfig {
    /// Who acquires the shards, for operators to read in a shard's row.
    pub owner: String,
    /// Told of each shard whose acknowledged commits a failover of the database has lost, beside the log.
    pub data_loss_observer: Option<DataLossObserver>,
    /// Shards of the cluster, 1 to 16384. Fixed for the life of a cluster: placement of every run depends on it.
    pub shard_count: u32,
    /// Requests that wait at a shard's door, 1 to 100 000. Too small: callers queue before the door, unseen. Too
    /// large: after a stall, long-abandoned requests are worked off first.
    pub mailbox_max: usize,
    /// Requests of one shard that wait for a run to be read, 1 to 100 000. At the bound the door closes.
    pub requests_waiting_max: usize,
    /// Runs that a shard keeps in memory, 1 and up. Too small: every request reads its run from the store.
    pub executions_cached_max: usize,
    /// Bytes of the states of runs that a node keeps in memory, as they are encoded, 1 and up; unpacked they take a few
    /// times that. Each shard has an equal part: memory is the node's, however many shards it has, and runs are spread
    /// over them evenly. Too small: large runs are read from the store with every request.
    pub executions_bytes_max: usize,
    /// Bytes of events that a node keeps because a decision may soon read them (an activity's input when it starts), 1 and
    /// up. Each shard has an equal part. Too small: each start of an activity reads a batch of events from the store.
    pub recent_events_bytes_max: usize,
    /// Commits that a shard has in flight, 1 and up. 1 turns pipelining off; too large: one failure discards much.
    pub commits_in_flight_max: usize,
    /// Bytes of states and events that a shard has in flight, 1 and up; one commit may exceed it. Too large: large runs of
    /// a few shards fill the store's queue, which then refuses everybody.
    pub commit_bytes_in_flight_max: usize,
    /// Callers that wait at one shard, long polls for history and those whose input a later input answers, 1 and up.
    /// Beyond it callers are told to come back later.
    pub history_waiters_max: usize,
    /// Callers of one run whose input a later input answers, 1 and up. Beyond it callers are told to come back later. Too
    /// large: a run that answers no caller takes all the room of its shard, which is `history_waiters_max`.
    pub answers_awaited_per_run_max: usize,
    /// Events on the first history page of a poll response, 1 to 10 000; Temporal's is 256.
    pub poll_page_events: usize,
    /// Bytes of the events on one history page, 1 and up; a page has at least one batch, however large. Many gRPC clients
    /// take messages of 4 MiB: the rest is for what else an answer says. Too large: they cannot read their history.
    pub history_page_bytes_max: usize,
    /// History batches read from the store at once, 1 to 10 000. Too large: one read holds much memory.
    pub history_nodes_per_read: usize,

    /// Transfer tasks read at once, 1 to 10 000.
    pub transfer_page: usize,
    /// Transfer tasks of one shard in memory, at least `transfer_page`. When all of them are backing off, newer ones
    /// wait in the store.
    pub transfer_pending_max: usize,
    /// Transfer tasks of one shard that are with matching at one time, 1 and up. Too large floods matching.
    pub transfer_concurrency_max: usize,

    /// Timer tasks read at once, 1 to 10 000.
    pub timer_page: usize,
    /// Timer tasks of one shard in memory, at least `timer_page`; later ones stay in the store.
    pub timer_pending_max: usize,
    /// Timers of one shard that are being fired at one time, 1 and up.
    pub timers_firing_max: usize,
    /// The longest sleep before a pending timer is judged again, 1 ms and up: a jump of the wall clock goes unnoticed
    /// for at most this long. Small values wake an idle server.
    pub timer_recheck_interval: Duration,

    /// First and longest pause between tries of a task, 1 ms and up. Too small: a broken neighbour is hammered.
    pub task_retry_initial: Duration,
    pub task_retry_max: Duration,

    /// Ended tasks whose deletion shares one commit, 1 to 10 000.
    pub deletion_batch_max: usize,
    /// How long ended tasks wait for a commit to travel with before they get one of their own. Too long: a restart
    /// repeats more tasks.
    pub deletion_flush_delay: Duration,

    /// First and longest pause between tries to acquire a shard, 1 ms and up.
    pub acquire_retry_initial: Duration,
    pub acquire_retry_max: Duration,
    /// How long a shard that another node has acquired is left alone, 1 ms and up. Too short: two nodes steal it in
    /// turns.
    pub reacquire_delay: Duration,
    /// How often a shard that hears nothing proves that it still owns what it believes that it owns, 10 ms and up; `None`
    /// where no other node can acquire it. One that another acquired and left again has work that only its owner can
    /// find: too long, and that work waits.
    pub ownership_check_interval: Option<Duration>,
    /// Shards that this node acquires at one time, 1 and up: bounds the storm after an outage of the store.
    pub acquisitions_in_flight_max: usize,
    /// Task ids given out before the range is renewed, 16 to 2^23. Small values renew often (for simulations).
    pub task_ids_per_range: i64,
    /// Whether the turns of the shards' actors are timed, for benches: two more readings of a clock with each of them.
    pub measure_actors: bool,

    pub limits: Limits,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self {
            owner: "local".into(),
            data_loss_observer: None,
            shard_count: 4,
            mailbox_max: 1024,
            requests_waiting_max: 1024,
            executions_cached_max: 4096,
            executions_bytes_max: 64 << 20,
            recent_events_bytes_max: 16 << 20,
            commits_in_flight_max: 256,
            commit_bytes_in_flight_max: 4 << 20,
            history_waiters_max: 10_000,
            answers_awaited_per_run_max: 100,
            poll_page_events: 256,
            history_page_bytes_max: 3 << 20,
            history_nodes_per_read: 256,
            transfer_page: 256,
            transfer_pending_max: 4096,
            transfer_concurrency_max: 64,
            timer_page: 256,
            timer_pending_max: 16_384,
            timers_firing_max: 64,
            timer_recheck_interval: Duration::from_secs(60),
            task_retry_initial: Duration::from_millis(50),
            task_retry_max: Duration::from_secs(10),
            deletion_batch_max: 256,
            deletion_flush_delay: Duration::from_millis(200),
            acquire_retry_initial: Duration::from_millis(20),
            acquire_retry_max: Duration::from_secs(5),
            reacquire_delay: Duration::from_secs(1),
            ownership_check_interval: None,
            acquisitions_in_flight_max: 64,
            task_ids_per_range: TASK_IDS_PER_RANGE_MAX,
            measure_actors: false,
            limits: Limits::default(),
        }
    }
}

/// The counter has 24 bits. Half of them are left for what is decided between noticing that the range must be renewed
/// and its renewal.
pub(crate) const TASK_IDS_PER_RANGE_MAX: i64 = 1 << 23;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("history configuration: {field} is {value}, but must be {range}")]
pub struct ConfigError {
    field: &'static str,
    value: String,
    range: &'static str,
}

impl HistoryConfig {
    /// # Errors
    /// The first field that is out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let count = |field, value: usize, max: usize, range| match value {
            v if v >= 1 && v <= max => Ok(()),
            v => Err(ConfigError { field, value: v.to_string(), range }),
        };
        let pause = |field, value: Duration| match value {
            v if v >= Duration::from_millis(1) => Ok(()),
            v => Err(ConfigError { field, value: format!("{v:?}"), range: "at least 1 ms" }),
        };
        count("shard_count", self.shard_count as usize, 16_384, "1 to 16384")?;
        count("mailbox_max", self.mailbox_max, 100_000, "1 to 100000")?;
        count("requests_waiting_max", self.requests_waiting_max, 100_000, "1 to 100000")?;
        count("executions_cached_max", self.executions_cached_max, usize::MAX, "at least 1")?;
        count("executions_bytes_max", self.executions_bytes_max, usize::MAX, "at least 1")?;
        count("recent_events_bytes_max", self.recent_events_bytes_max, usize::MAX, "at least 1")?;
        count("commits_in_flight_max", self.commits_in_flight_max, usize::MAX, "at least 1")?;
        count("commit_bytes_in_flight_max", self.commit_bytes_in_flight_max, usize::MAX, "at least 1")?;
        count("history_waiters_max", self.history_waiters_max, usize::MAX, "at least 1")?;
        count("answers_awaited_per_run_max", self.answers_awaited_per_run_max, usize::MAX, "at least 1")?;
        count("poll_page_events", self.poll_page_events, 10_000, "1 to 10000")?;
        count("history_page_bytes_max", self.history_page_bytes_max, usize::MAX, "at least 1")?;
        count("history_nodes_per_read", self.history_nodes_per_read, 10_000, "1 to 10000")?;
        count("transfer_page", self.transfer_page, 10_000, "1 to 10000")?;
        count("transfer_concurrency_max", self.transfer_concurrency_max, usize::MAX, "at least 1")?;
        count("timer_page", self.timer_page, 10_000, "1 to 10000")?;
        count("timers_firing_max", self.timers_firing_max, usize::MAX, "at least 1")?;
        count("deletion_batch_max", self.deletion_batch_max, 10_000, "1 to 10000")?;
        count("acquisitions_in_flight_max", self.acquisitions_in_flight_max, 1 << 20, "1 to 1048576")?;
        let at_least = |field, value: usize, page: usize, range| match value {
            v if v >= page => Ok(()),
            v => Err(ConfigError { field, value: v.to_string(), range }),
        };
        at_least("transfer_pending_max", self.transfer_pending_max, self.transfer_page, "at least transfer_page")?;
        at_least("timer_pending_max", self.timer_pending_max, self.timer_page, "at least timer_page")?;
        pause("timer_recheck_interval", self.timer_recheck_interval)?;
        pause("task_retry_initial", self.task_retry_initial)?;
        pause("task_retry_max", self.task_retry_max)?;
        pause("acquire_retry_initial", self.acquire_retry_initial)?;
        pause("acquire_retry_max", self.acquire_retry_max)?;
        pause("reacquire_delay", self.reacquire_delay)?;
        if let Some(interval) = self.ownership_check_interval
            && interval < Duration::from_millis(10)
        {
            let value = format!("{interval:?}");
            return Err(ConfigError { field: "ownership_check_interval", value, range: "at least 10 ms" });
        }
        if !(16..=TASK_IDS_PER_RANGE_MAX).contains(&self.task_ids_per_range) {
            let value = self.task_ids_per_range.to_string();
            return Err(ConfigError { field: "task_ids_per_range", value, range: "16 to 2^23" });
        }
        Ok(())
    }

    /// When a shard proves its ownership again, if it has no reason to do so earlier.
    pub(crate) fn next_ownership_check(&self, now: Instant) -> Option<Instant> {
        let interval = self
            .ownership_check_interval
            .filter(|_| !tempest_rt::planted!(tempest_core::planted::IDLE_OWNER_NEVER_CHECKS));
        interval.map(|interval| now + interval)
    }

    /// A shard's part of the events that a node keeps in memory.
    pub(crate) fn recent_events_bytes_of_shard(&self) -> usize {
        self.recent_events_bytes_max / self.shard_count.max(1) as usize
    }

    /// A shard's part of what a node keeps in memory.
    pub(crate) fn executions_bytes_of_shard(&self) -> usize {
        self.executions_bytes_max / self.shard_count.max(1) as usize
    }
}

/// Pause before the next try: doubles from `initial` with each failed one, up to `max`.
pub(crate) fn backoff(initial: Duration, max: Duration, failures: u32) -> Duration {
    initial.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_zero_is_refused_by_name() {
        HistoryConfig::default().validate().expect("the defaults are in range");
        let error = HistoryConfig { commits_in_flight_max: 0, ..HistoryConfig::default() }.validate().unwrap_err();
        assert_eq!(error.to_string(), "history configuration: commits_in_flight_max is 0, but must be at least 1");
    }

    #[test]
    fn pauses_double_up_to_their_bound() {
        let pause = |failures| backoff(Duration::from_millis(50), Duration::from_secs(1), failures).as_millis();
        assert_eq!([1, 2, 3, 5, 6, 1000].map(pause), [50, 100, 200, 800, 1000, 1000]);
    }
}
