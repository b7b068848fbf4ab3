//! The planted bugs of the database. A server cannot help any of them: they show that what a database loses is seen.
use tempest_core::planted_bugs;

planted_bugs! {
    /// Each is a mistake of a database or of its client.
    pub PLANTED in "database":
    OLD_PRIMARY_NOT_FENCED = "old-primary-not-fenced", breaks "acked-durable":
        "standbys take entries of a primary that was deposed, and it answers without a lease";
    ACKNOWLEDGED_BY_THE_PRIMARY_ALONE = "acknowledged-by-the-primary-alone", breaks "acked-durable":
        "a database that promises synchronous replication acknowledges what only its primary has";
    ANY_STANDBY_IS_PROMOTED = "any-standby-is-promoted", breaks "acked-durable":
        "a failover makes the first standby primary that is there, whatever it has";
    RANGES_OUTLIVE_A_FAILOVER = "ranges-outlive-a-failover", breaks "data-loss-noticed":
        "a database that failed over honours range ids that were acquired before it did";
    UNANSWERED_WRITE_TAKEN_FOR_DONE = "unanswered-write-taken-for-done", breaks "acked-durable":
        "a client of the database reports a write as done that it sent and got no answer to";
    UNANSWERED_WRITE_TAKEN_FOR_REFUSED = "unanswered-write-taken-for-refused", breaks "acked-durable":
        "a client of the database reports a write as refused that it sent and got no answer to";
    NEWER_TIMELINE_HEARD_IN_VAIN = "newer-timeline-heard-in-vain", breaks "data-loss-noticed":
        "a client of the database that hears of a newer primary goes on with the older one";
    DATABASE_ACKNOWLEDGES_BEFORE_FSYNC = "database-acknowledges-before-fsync", breaks "acked-durable":
        "a database node counts an entry as durable that is not on its disk yet";
}
