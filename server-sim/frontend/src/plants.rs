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
        "lost-namespace-comes-back-as-another",
        "a namespace that a failover lost is registered anew with another id, and others go on with the old one",
        "liveness",
    ),
];
