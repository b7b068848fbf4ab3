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
        "closing-events-before-started",
        "what closes an activity is written before the start that it refers to",
        "history-wellformed",
    ),
];
