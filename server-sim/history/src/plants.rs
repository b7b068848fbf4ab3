//! The planted bugs of this role: name, what goes wrong, which invariant notices.

/// Each is a mistake a good engineer could really make.
pub const PLANTED: &[(&str, &str, &str)] = &[
    ("reply-before-durable", "a caller is answered when its commit is staged, not when it is durable", "acked-durable"),
    (
        "answer-from-staged",
        "reads, repeats and refusals are answered from staged state that may yet be discarded, without proof of ownership",
        "acked-durable",
    ),
    (
        "unknown-commit-taken-for-committed",
        "a commit whose end nobody knows is taken for one that was done",
        "acked-durable",
    ),
    (
        "superseded-owner-says-not-done",
        "an owner that hears of another one while it writes says of what it writes that it is certainly not done",
        "refused-left-nothing",
    ),
    (
        "transfer-cursor-passes-undurable-task",
        "the reader of transfer tasks goes past tasks that are not durable yet",
        "liveness",
    ),
    (
        "timers-lost-on-reload",
        "after a shard is acquired its timer reader starts at now: older timers are never read again",
        "liveness",
    ),
    (
        "transfer-task-deleted-before-matching-accepted",
        "a transfer task is deleted when it is sent, not when matching has taken it",
        "liveness",
    ),
    (
        "retry-kept-in-memory-only",
        "the end of an activity's backoff is a timer in memory, not a stored one",
        "tasks-cover-state",
    ),
    (
        "caches-outlive-a-failover",
        "workers go on from what they have cached, also where a failover of the database has taken it back",
        "liveness",
    ),
    (
        "signal-forgotten-by-the-start-that-brings-it",
        "a signal that comes with a start is forgotten if a run is started",
        "acked-durable",
    ),
    (
        "sequence-regression-ignored",
        "a shard that finds acknowledged commits gone after a failover goes on without a word",
        "data-loss-noticed",
    ),
    (
        "acknowledged-forgotten-once-found",
        "a shard that was left is looked at after one failover, and not after the next",
        "data-loss-noticed",
    ),
    (
        "unknown-child-start-treated-as-failed",
        "a child whose start may have happened is reported to its parent as one that could not be started",
        "across-runs",
    ),
    (
        "unknown-signal-sent-anew",
        "a signal to another workflow that may have arrived is taken for one that failed, and sent again under another id",
        "signals-once-in-order",
    ),
    (
        "refusal-believed-although-copies-follow",
        "an errand that was sent before, nobody knows with what result, takes the first refusal for its end and is slow to record it",
        "across-runs",
    ),
    (
        "late-errand-done-unasked",
        "an errand that reaches a new owner is done, also if it is a copy of one that was done under the owner before",
        "errands-end",
    ),
    (
        "done-errand-forgotten",
        "a copy of an errand is done once more when the run that it was done to has closed",
        "errands-end",
    ),
    ("unknown-add-taken-for-accepted", "a task that matching may have taken is deleted as if it had", "liveness"),
    (
        "reads-without-ownership",
        "what is asked is answered from memory, without asking the store whether the shard is still owned",
        "reads-fresh",
    ),
    (
        "idle-owner-never-checks",
        "a shard or task queue that hears nothing never finds out that another node had it meanwhile and left work in it",
        "liveness",
    ),
    (
        "timer-behind-cursor",
        "the timer reader looks a second ahead: a timer written behind its cursor is not read until the shard is reloaded",
        "liveness",
    ),
    (
        "shard-time-follows-wall-clock",
        "shard time is the wall clock alone: it goes back and stands still with it",
        "history-wellformed",
    ),
];
