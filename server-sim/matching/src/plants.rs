//! The planted bugs of this crate.
use tempest_core::planted_bugs;

planted_bugs! {
    /// Each is a mistake a good engineer could really make.
    pub PLANTED in "matching":
    BACKLOG_ACKNOWLEDGED_BEFORE_DURABLE = "backlog-acknowledged-before-durable", breaks "liveness":
        "a backlog row is acknowledged when it is queued; the write follows half a second later, batched";
    UNKNOWN_APPEND_TAKEN_FOR_WRITTEN = "unknown-append-taken-for-written", breaks "liveness":
        "a write to the backlog whose outcome is unknown is taken for one that was done";
    TASK_DROPPED_WHEN_POLL_GOES_AWAY = "task-dropped-when-poll-goes-away", breaks "liveness":
        "a poll that went away stays registered, and the next task given to it counts as delivered";
}
