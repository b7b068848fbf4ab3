//! The planted bugs of this role: name, what goes wrong, which invariant notices.

/// Each is a mistake a good engineer could really make.
pub const PLANTED: &[(&str, &str, &str)] = &[
    (
        "unknown-signal-answered-as-delivered",
        "a client's signal that may have arrived is answered as if it had",
        "acked-durable",
    ),
    (
        "unknown-signal-tried-anew",
        "a client's signal that may have arrived is tried again under another request id",
        "signals-once-in-order",
    ),
    (
        "unknown-completion-by-id-answered-as-done",
        "a completion by an activity's id that may not have arrived is answered as if it had",
        "acked-durable",
    ),
    (
        "heartbeat-by-id-answered-unrecorded",
        "a heartbeat by an activity's id is answered as if it had been recorded",
        "acked-durable",
    ),
    (
        "reverse-page-skips-an-event",
        "the token of the next page, read backwards, leaves out the event before the last one shown",
        "history-wellformed",
    ),
    (
        "namespace-conflict-taken-for-done",
        "an update of a namespace that somebody else changed meanwhile is answered as if it had been written",
        "acked-durable",
    ),
    (
        "lost-namespace-comes-back-as-another",
        "a namespace that a failover lost is registered anew with another id, and others go on with the old one",
        "liveness",
    ),
];
