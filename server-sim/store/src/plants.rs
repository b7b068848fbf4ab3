//! The planted bugs of this crate.
use tempest_core::planted_bugs;

planted_bugs! {
    /// Each is a mistake a good engineer could really make.
    pub PLANTED in "store":
    ACK_BEFORE_FSYNC = "ack-before-fsync", breaks "acked-durable":
        "commits are acknowledged when they are written, most of them before any fsync";
    COMMIT_RANGE_NOT_CHECKED = "commit-range-not-checked", breaks "shard-fence":
        "a commit of an owner that was superseded is applied if its sequence fits";
    BACKLOG_RANGE_NOT_CHECKED = "backlog-range-not-checked", breaks "liveness":
        "writes to a task queue's backlog are applied whichever node holds its lease";
}
