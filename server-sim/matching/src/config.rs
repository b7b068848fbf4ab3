//! Bounds of the matching role.
use std::time::Duration;

/// Every bound of this role. Scenarios draw others than the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchingConfig {
    /// Polls that wait on one partition at a time, 1 to 1,000,000; more are refused with ResourceExhausted. Too low
    /// starves workers, too high costs memory.
    pub waiting_polls_max: usize,
    /// Tasks of one sticky queue held in memory, 1 to 1,000,000; more go to the normal queue.
    pub sticky_tasks_max: usize,
    /// Adds that wait for their backlog row to be written, per partition, 1 to 100,000; more are refused with
    /// ResourceExhausted. Too high hides a slow store behind a long queue.
    pub pending_appends_max: usize,
    /// Rows of one backlog write, 1 to 10,000.
    pub append_batch_rows_max: usize,
    /// Rows of one backlog read, 1 to 10,000.
    pub backlog_page_rows_max: usize,
    /// Backlog tasks of one partition held in memory, at least `backlog_page_rows_max`; the rest stays in the store.
    pub backlog_buffer_tasks_max: usize,
    /// Rows that are done are deleted once this many have gathered, 1 to 10,000.
    pub deletion_batch_rows: usize,
    /// Or after this long, 1 ms to 1 h. Too long means more tasks offered again after a crash.
    pub deletion_interval: Duration,
    /// How long history may take to record a start, 10 ms to 1 min; then the task is offered again.
    pub record_started_timeout: Duration,
    /// First and longest pause before a task is offered again whose start could not be recorded, 1 ms to 1 min.
    pub retry_backoff_min: Duration,
    pub retry_backoff_max: Duration,
    /// A sticky queue that was not polled for this long takes no tasks, 10 ms to 10 min.
    pub sticky_poller_timeout: Duration,
    /// For how long a poller is listed after its last poll, 1 s to 1 h.
    pub poller_history: Duration,
    /// Pollers listed per partition, 1 to 100,000; the ones unseen for longest are forgotten first.
    pub pollers_max: usize,
    /// A partition without polls and tasks for this long is unloaded, 1 s to 1 day.
    pub idle_unload: Duration,
    /// How often a partition that writes nothing proves that it still has its lease, 10 ms to 1 h; `None` where no
    /// other node can take it. Too long: tasks that another node took on meanwhile, and left, wait.
    pub lease_check_interval: Option<Duration>,
    /// A poll whose time is over while its task is being recorded waits this much longer for it, 0 to 1 s.
    pub poll_grace: Duration,
}

impl Default for MatchingConfig {
    fn default() -> Self {
        Self {
            waiting_polls_max: 10_000,
            sticky_tasks_max: 10_000,
            pending_appends_max: 1000,
            append_batch_rows_max: 100,
            backlog_page_rows_max: 500,
            backlog_buffer_tasks_max: 1000,
            deletion_batch_rows: 100,
            deletion_interval: Duration::from_secs(1),
            record_started_timeout: Duration::from_secs(10),
            retry_backoff_min: Duration::from_millis(50),
            retry_backoff_max: Duration::from_secs(5),
            sticky_poller_timeout: Duration::from_secs(10),
            poller_history: Duration::from_secs(5 * 60),
            pollers_max: 1000,
            idle_unload: Duration::from_secs(5 * 60),
            lease_check_interval: None,
            poll_grace: Duration::from_millis(500),
        }
    }
}

/// A bound outside its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("matching.{field} is out of range: {value} is not within {range}")]
pub struct ConfigError {
    field: &'static str,
    value: String,
    range: String,
}

impl MatchingConfig {
    /// # Errors
    /// The first field that is out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        count("waiting_polls_max", self.waiting_polls_max, 1, 1_000_000)?;
        count("sticky_tasks_max", self.sticky_tasks_max, 1, 1_000_000)?;
        count("pending_appends_max", self.pending_appends_max, 1, 100_000)?;
        count("append_batch_rows_max", self.append_batch_rows_max, 1, 10_000)?;
        count("backlog_page_rows_max", self.backlog_page_rows_max, 1, 10_000)?;
        count("backlog_buffer_tasks_max", self.backlog_buffer_tasks_max, self.backlog_page_rows_max, 1_000_000)?;
        count("deletion_batch_rows", self.deletion_batch_rows, 1, 10_000)?;
        count("pollers_max", self.pollers_max, 1, 100_000)?;
        let (ms, second, minute) = (Duration::from_millis(1), Duration::from_secs(1), Duration::from_secs(60));
        time("deletion_interval", self.deletion_interval, ms, 60 * minute)?;
        time("record_started_timeout", self.record_started_timeout, 10 * ms, minute)?;
        time("retry_backoff_min", self.retry_backoff_min, ms, minute)?;
        time("retry_backoff_max", self.retry_backoff_max, self.retry_backoff_min, minute)?;
        time("sticky_poller_timeout", self.sticky_poller_timeout, 10 * ms, 10 * minute)?;
        time("poller_history", self.poller_history, second, 60 * minute)?;
        time("idle_unload", self.idle_unload, second, 24 * 60 * minute)?;
        if let Some(interval) = self.lease_check_interval {
            time("lease_check_interval", interval, 10 * ms, 60 * minute)?;
        }
        time("poll_grace", self.poll_grace, Duration::ZERO, second)
    }
}

fn count(field: &'static str, value: usize, min: usize, max: usize) -> Result<(), ConfigError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(ConfigError { field, value: value.to_string(), range: format!("{min} to {max}") })
}

fn time(field: &'static str, value: Duration, min: Duration, max: Duration) -> Result<(), ConfigError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(ConfigError { field, value: format!("{value:?}"), range: format!("{min:?} to {max:?}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(MatchingConfig::default().validate(), Ok(()));
    }

    #[test]
    fn a_bound_out_of_range_is_named() {
        let config = MatchingConfig { backlog_buffer_tasks_max: 10, ..MatchingConfig::default() };
        assert_eq!(
            config.validate().map_err(|error| error.to_string()),
            Err("matching.backlog_buffer_tasks_max is out of range: 10 is not within 500 to 1000000".to_owned())
        );
    }
}
