//! The bugs one can plant in the core: mistakes that a good engineer could make, each to be found by an invariant.

/// Name, what it does, and the invariant it should trip.
pub const PLANTED: &[(&str, &str, &str)] = &[
    (
        "accept-stale-activity-completion",
        "a report on an activity is accepted whatever attempt its token is of",
        "activity-once",
    ),
    (
        "lose-buffered-events",
        "events that arrived during a workflow task are dropped when that task fails or times out",
        "acked-durable",
    ),
    ("signal-retry-delivered-twice", "a signal's request id is not remembered", "signals-once-in-order"),
    ("retry-ignores-maximum-attempts", "an activity is retried although its attempts are used up", "model"),
    ("timer-fires-early", "when one user timer is due, all of them fire", "timers-not-early"),
    ("start-request-id-ignored", "a repeated start is not recognised as the one before", "one-open-run"),
    (
        "started-id-not-wired",
        "an event that closes an activity does not learn the id of its started event when the buffer is written",
        "history-wellformed",
    ),
    (
        "second-poller-starts-activity",
        "an attempt that one worker has is handed to the next one that polls",
        "activity-once",
    ),
    (
        "child-closed-before-started-dropped",
        "a parent that has not recorded its child's start takes no notice of the child's end",
        "liveness",
    ),
    ("transient-task-without-timeout", "a transient workflow task gets no start-to-close timer", "liveness"),
];
