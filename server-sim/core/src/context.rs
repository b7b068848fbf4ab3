//! All that the core may know of the world.
use crate::{KnownEvents, NamespaceId, RunId, Time};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Context {
    /// Shard time.
    pub now: Time,
    /// Of the workflow that the input is for; used, like the next one, if the input opens a run.
    pub namespace_id: NamespaceId,
    /// A fresh run id.
    pub new_run_id: RunId,
    /// How many failovers of the database may have taken back what was decided.
    pub timeline: u32,
    /// Of the history of the run that is decided on: the one that it needs ([`crate::MutableState::event_needed`]).
    pub events: KnownEvents,
    pub limits: Limits,
    pub flags: Flags,
}

/// Temporal's limits, with its defaults. A scenario may draw others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Workflow task timeout where the request gives none. 1 ms to 120 s.
    pub workflow_task_timeout_default: Duration,
    pub workflow_task_timeout_max: Duration,
    pub pending_activities_max: usize,
    pub pending_children_max: usize,
    /// Signals to other runs.
    pub pending_signals_max: usize,
    /// Requests that other runs be cancelled.
    pub pending_cancels_max: usize,
    pub buffered_events_max: usize,
    /// Encoded buffered events, in bytes.
    pub buffered_bytes_max: usize,
    pub signals_max: usize,
    /// Ids and names that users choose (workflow, activity, timer, type, task queue), in bytes.
    pub id_bytes_max: usize,
    /// One payload or failure, in bytes.
    pub blob_bytes_max: usize,
    /// Events of a run before it is terminated.
    pub history_events_max: i64,
    /// Bytes of a run's history before it is terminated.
    pub history_bytes_max: i64,
    /// Bytes of a run's state, about, before it is terminated.
    pub mutable_state_bytes_max: usize,
    /// Encoded events of one decision on a run, in bytes: they are written as one batch.
    pub transaction_bytes_max: usize,
    /// Bytes of pending things that a run keeps in its own row. Beyond it each has a row of its own, so that a commit writes
    /// those that it changes. Too small: for a few small things, rows of their own cost more than they spare, since each
    /// has the key of its run and is another entry to find. Too large: each commit writes what it did not change.
    pub parts_in_row_bytes_max: usize,
    /// Bytes after which a worker is told to continue as new.
    pub history_bytes_suggest_continue_as_new: i64,
    /// Events after which a worker is told to continue as new.
    pub history_events_suggest_continue_as_new: i64,
    /// A successor's first workflow task waits until its run is this old.
    pub continue_as_new_min_interval: Duration,
    /// Workflow task heartbeats go on for at most this long.
    pub workflow_task_heartbeat_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workflow_task_timeout_default: Duration::from_secs(10),
            workflow_task_timeout_max: Duration::from_secs(120),
            pending_activities_max: 2000,
            pending_children_max: 2000,
            pending_signals_max: 2000,
            pending_cancels_max: 2000,
            buffered_events_max: 100,
            buffered_bytes_max: 2 * 1024 * 1024,
            signals_max: 10_000,
            id_bytes_max: 1000,
            blob_bytes_max: 2 * 1024 * 1024,
            history_events_max: 51_200,
            history_bytes_max: 50 * 1024 * 1024,
            mutable_state_bytes_max: 8 * 1024 * 1024,
            transaction_bytes_max: 4 * 1024 * 1024,
            parts_in_row_bytes_max: 4 * 1024,
            history_bytes_suggest_continue_as_new: 4 * 1024 * 1024,
            history_events_suggest_continue_as_new: 4096,
            continue_as_new_min_interval: Duration::from_secs(1),
            workflow_task_heartbeat_timeout: Duration::from_secs(30 * 60),
        }
    }
}

/// What tests and simulations ask for; nothing of it in a deployed server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Planted bugs that are armed, by name.
    pub planted: std::sync::Arc<std::collections::BTreeSet<String>>,
    /// Decisions tell each change that they make, in order, for tests that read them as a story.
    pub traced: bool,
}

/// True if the named planted bug is armed in this context; without the feature `chaos` not even its name is compiled.
#[macro_export]
macro_rules! planted_in {
    ($context:expr, $bug:path) => {{
        #[cfg(feature = "chaos")]
        let planted = $context.flags.planted.contains($bug.name);
        #[cfg(not(feature = "chaos"))]
        let planted = {
            let _ = &$context;
            false
        };
        planted
    }};
}
