//! The planted bugs of this role.
use tempest_core::planted_bugs;

planted_bugs! {
    /// Each is a mistake a good engineer could really make.
    pub PLANTED in "frontend":
    UNKNOWN_SIGNAL_ANSWERED_AS_DELIVERED = "unknown-signal-answered-as-delivered", breaks "acked-durable":
        "a client's signal that may have arrived is answered as if it had";
    UNKNOWN_SIGNAL_TRIED_ANEW = "unknown-signal-tried-anew", breaks "signals-once-in-order":
        "a client's signal that may have arrived is tried again under another request id";
    UNKNOWN_COMPLETION_BY_ID_ANSWERED_AS_DONE = "unknown-completion-by-id-answered-as-done", breaks "acked-durable":
        "a completion by an activity's id that may not have arrived is answered as if it had";
    HEARTBEAT_BY_ID_ANSWERED_UNRECORDED = "heartbeat-by-id-answered-unrecorded", breaks "acked-durable":
        "a heartbeat by an activity's id is answered as if it had been recorded";
    REVERSE_PAGE_SKIPS_AN_EVENT = "reverse-page-skips-an-event", breaks "history-wellformed":
        "the token of the next page, read backwards, leaves out the event before the last one shown";
    NAMESPACE_CONFLICT_TAKEN_FOR_DONE = "namespace-conflict-taken-for-done", breaks "acked-durable":
        "an update of a namespace that another client changed meanwhile is answered as if it had been written";
    LOST_NAMESPACE_COMES_BACK_AS_ANOTHER = "lost-namespace-comes-back-as-another", breaks "liveness":
        "a namespace that a failover lost is registered anew with another id, and others go on with the old one";
}
