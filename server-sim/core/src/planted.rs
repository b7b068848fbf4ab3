//! The bugs one can plant in the core, and how planted bugs are declared, here and elsewhere.

/// A mistake that a good engineer could make, planted so that it can be switched on: a simulation must find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlantedBug {
    /// As it is switched on by.
    pub name: &'static str,
    /// The invariant that it breaks, and that must notice.
    pub promise: &'static str,
    /// The part of the system that it is planted in.
    pub place: &'static str,
    /// What goes wrong.
    pub mistake: &'static str,
}

/// Declares planted bugs, each a constant that is named where it is planted, and the list of them.
#[macro_export]
macro_rules! planted_bugs {
    (
        $(#[$doc:meta])* pub $list:ident in $place:literal:
        $($bug:ident = $name:literal, breaks $promise:literal: $mistake:literal;)*
    ) => {
        $(
            #[doc = $mistake]
            pub const $bug: $crate::planted::PlantedBug =
                $crate::planted::PlantedBug { name: $name, promise: $promise, place: $place, mistake: $mistake };
        )*

        $(#[$doc])*
        pub const $list: &[$crate::planted::PlantedBug] = &[$($bug),*];
    };
}

planted_bugs! {
    /// Bugs that the properties of this crate find.
    pub PLANTED in "core":
    ACCEPT_STALE_ACTIVITY_COMPLETION = "accept-stale-activity-completion", breaks "activity-once":
        "a report on an activity is accepted whatever attempt its token is of";
    LOSE_BUFFERED_EVENTS = "lose-buffered-events", breaks "acked-durable":
        "events that arrived during a workflow task are dropped when that task fails or times out";
    SIGNAL_RETRY_DELIVERED_TWICE = "signal-retry-delivered-twice", breaks "signals-once-in-order":
        "a signal's request id is not remembered";
    RETRY_IGNORES_MAXIMUM_ATTEMPTS = "retry-ignores-maximum-attempts", breaks "model":
        "an activity is retried although its attempts are used up";
    TIMER_FIRES_EARLY = "timer-fires-early", breaks "timers-not-early":
        "when one user timer is due, all of them fire";
    START_REQUEST_ID_IGNORED = "start-request-id-ignored", breaks "one-open-run":
        "a repeated start is not recognised as the one before";
    STARTED_ID_NOT_WIRED = "started-id-not-wired", breaks "history-wellformed":
        "an event that closes an activity does not learn the id of its started event when the buffer is written";
    SECOND_POLLER_STARTS_ACTIVITY = "second-poller-starts-activity", breaks "activity-once":
        "an attempt that one worker has is handed to the next one that polls";
    CHILD_CLOSED_BEFORE_STARTED_DROPPED = "child-closed-before-started-dropped", breaks "liveness":
        "a parent that has not recorded its child's start takes no notice of the child's end";
    TRANSIENT_TASK_WITHOUT_TIMEOUT = "transient-task-without-timeout", breaks "liveness":
        "a transient workflow task gets no start-to-close timer";
}

planted_bugs! {
    /// Bugs that show only where there are callers, workers and failovers.
    pub NEEDS_A_STORM in "core":
    CACHES_OUTLIVE_A_FAILOVER = "caches-outlive-a-failover", breaks "liveness":
        "workers go on from what they have cached, also where a failover of the database has taken it back";
    SIGNAL_FORGOTTEN_BY_THE_START_THAT_BRINGS_IT = "signal-forgotten-by-the-start-that-brings-it", breaks "acked-durable":
        "a signal that comes with a start is forgotten if a run is started";
}

planted_bugs! {
    /// Bugs that shards and task queues have alike.
    pub OF_OWNERS in "history and matching":
    IDLE_OWNER_NEVER_CHECKS = "idle-owner-never-checks", breaks "liveness":
        "a shard or task queue that hears nothing never finds out that another node had it meanwhile and left work in it";
}
