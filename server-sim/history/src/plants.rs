//! The planted bugs of this role.
use tempest_core::planted_bugs;

planted_bugs! {
    /// Each is a mistake a good engineer could really make.
    pub PLANTED in "history":
    REPLY_BEFORE_DURABLE = "reply-before-durable", breaks "acked-durable":
        "a caller is answered when its commit is staged, not when it is durable";
    ANSWER_FROM_STAGED = "answer-from-staged", breaks "acked-durable":
        "reads, repeats and refusals are answered from staged state that may yet be discarded, without proof of ownership";
    UNKNOWN_COMMIT_TAKEN_FOR_COMMITTED = "unknown-commit-taken-for-committed", breaks "acked-durable":
        "a commit whose outcome is unknown is taken for one that was done";
    SUPERSEDED_OWNER_SAYS_NOT_DONE = "superseded-owner-says-not-done", breaks "refused-left-nothing":
        "an owner that hears of another one while it writes says of what it writes that it is certainly not done";
    TRANSFER_CURSOR_PASSES_UNDURABLE_TASK = "transfer-cursor-passes-undurable-task", breaks "liveness":
        "the reader of transfer tasks goes past tasks that are not durable yet";
    TIMERS_LOST_ON_RELOAD = "timers-lost-on-reload", breaks "liveness":
        "after a shard is acquired its timer reader starts at now: older timers are never read again";
    TRANSFER_TASK_DELETED_BEFORE_MATCHING_ACCEPTED = "transfer-task-deleted-before-matching-accepted", breaks "liveness":
        "a transfer task is deleted when it is sent, not when matching has taken it";
    RETRY_KEPT_IN_MEMORY_ONLY = "retry-kept-in-memory-only", breaks "tasks-cover-state":
        "the end of an activity's backoff is a timer in memory, not a stored one";
    ENDED_PART_STAYS_STORED = "ended-part-stays-stored", breaks "state-equals-history":
        "the row of an activity, timer or child that has ended is not deleted: its run cannot be read again";
    SEQUENCE_REGRESSION_IGNORED = "sequence-regression-ignored", breaks "data-loss-noticed":
        "a shard that finds acknowledged commits gone after a failover goes on without a word";
    ACKNOWLEDGED_FORGOTTEN_ONCE_FOUND = "acknowledged-forgotten-once-found", breaks "data-loss-noticed":
        "a shard that was left is looked at after one failover, and not after the next";
    UNKNOWN_CHILD_START_TREATED_AS_FAILED = "unknown-child-start-treated-as-failed", breaks "across-runs":
        "a child whose start may have happened is reported to its parent as one that could not be started";
    UNKNOWN_SIGNAL_SENT_ANEW = "unknown-signal-sent-anew", breaks "signals-once-in-order":
        "a signal to another workflow that may have arrived is taken for one that failed, and sent again under another id";
    REFUSAL_BELIEVED_ALTHOUGH_DUPLICATES_FOLLOW = "refusal-believed-although-duplicates-follow", breaks "across-runs":
        "a call that may have been made before takes the first refusal for its end and is slow to record it";
    LATE_CROSS_CALL_DONE_UNASKED = "late-cross-call-done-unasked", breaks "cross-calls-end":
        "a cross-workflow call that reaches a new owner is done, also if it is a duplicate of one done before";
    DONE_CROSS_CALL_FORGOTTEN = "done-cross-call-forgotten", breaks "cross-calls-end":
        "a late duplicate of a cross-workflow call is done once more when the run that it was done to has closed";
    UNKNOWN_ADD_TAKEN_FOR_ACCEPTED = "unknown-add-taken-for-accepted", breaks "liveness":
        "a task that matching may have taken is deleted as if it had";
    READS_WITHOUT_OWNERSHIP = "reads-without-ownership", breaks "reads-fresh":
        "what is asked is answered from memory, without asking the store whether the shard is still owned";
    TIMER_SLEEP_NOT_RENEWED = "timer-sleep-not-renewed", breaks "on-time":
        "a shard that sleeps until its next timer sleeps on when an earlier one is written";
    EVICTED_WHILE_COMMITTING = "evicted-while-committing", breaks "commits-fit":
        "a run leaves the cache while a commit of it is under way, and what is read again may be what was before";
    TIMER_BEHIND_CURSOR = "timer-behind-cursor", breaks "liveness":
        "the timer reader looks a second ahead: a timer written behind its cursor is not read until the shard is reloaded";
    SHARD_TIME_FOLLOWS_WALL_CLOCK = "shard-time-follows-wall-clock", breaks "history-wellformed":
        "shard time is the wall clock alone: it goes back and stands still with it";
}
