//! Why programs do not touch some of what there is.

/// A group, words that names of it hold, and the reason for all of those.
const REASONS: &[(&str, &[&str], &str)] = &[
    (
        "fault",
        &["bit-rot", "disk-lost", "isolate-database", "promote"],
        "of a database that loses what it has acknowledged: what a program saw would be gone, and the model with it; \
         order-saga runs on one now and then",
    ),
    (
        "probe",
        &["data-loss", "founded-anew", "another-cluster", "another-timeline", "namespace-restored", "range-renewed"],
        "of a database that loses what it has acknowledged: order-saga runs on one now and then",
    ),
    (
        "probe",
        &["limit-reached", "waiters-full", "oversized", "too-many-possible", "heartbeats-timed-out"],
        "a limit that lies far beyond what a program does; tests of the core and of history reach it",
    ),
    ("probe", &["commit-conflict"], "a bug of the server if it is ever touched: the invariant commits-fit says so"),
    (
        "rpc",
        &["RegisterNamespace", "UpdateNamespace"],
        "programs live in one namespace: the scenario registry has more",
    ),
    ("command", &["PROTOCOL_MESSAGE"], "updates are not served yet"),
    ("command", &["NEXUS"], "Nexus is not served yet"),
    (
        "event",
        &["CHILD_WORKFLOW_EXECUTION_TERMINATED"],
        "the SDK fails a run that cancels a child which was terminated; transcripts of the core have such children",
    ),
    ("event", &["UPDATE"], "updates are not served yet"),
    ("event", &["NEXUS"], "Nexus is not served yet"),
    ("event", &["PAUSED", "TIME_SKIPPING", "OPTIONS_UPDATED"], "not served yet"),
    ("event", &["EXTERNALLY"], "Temporal does not write it yet"),
    ("field", &["Namespace."], "programs live in one namespace: the scenario registry has more"),
    ("field", &["NexusOperation."], "Nexus is not served yet"),
    ("field", &["ProtocolMessage.", ".messages", ".query_results"], "queries and updates are not served yet"),
    ("field", &["cron_schedule"], "cron is not served yet: refused"),
    (
        "field",
        &["version", "deployment", "build_id", "binary_checksum", "inherit_build"],
        "worker versioning is not served yet: refused where it would have an effect, kept where it has none",
    ),
    ("field", &["completion_callbacks", "time_skipping", "on_conflict_options"], "not served yet: refused"),
    ("field", &["request_eager"], "no task is dispatched eagerly yet"),
    ("field", &["DescribeTaskQueue."], "the statistics of task queues are not served yet"),
    ("field", &["resource_id", "poller_group_id", "worker_control_task_queue"], "for routing inside of Temporal Cloud"),
    ("field", &[".control"], "deprecated: no SDK sets it"),
    ("field", &["intermediate_page", "page_number"], "of completions in several pages, which no SDK sends yet"),
    ("field", &["skip_archival"], "there is no archive"),
    (
        "field",
        &[
            ".initiator",
            ".last_completion_result",
            ".continued_failure",
            "ContinueAsNewWorkflowExecution.failure",
            ".backoff_start_interval",
        ],
        "of cron and retries, which the server fills in by itself",
    ),
];

/// The reason that is known, or that there is none.
pub fn why_not(group: &str, name: &str) -> &'static str {
    let fits = |(of, words, _): &&(&str, &[&str], &str)| *of == group && words.iter().any(|word| name.contains(word));
    REASONS.iter().find(fits).map_or("to be added", |(_, _, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::why_not;

    #[test]
    fn a_reason_belongs_to_its_group() {
        assert_eq!(why_not("event", "NEXUS_OPERATION_FAILED"), "Nexus is not served yet");
        assert_eq!(why_not("rpc", "NEXUS_OPERATION_FAILED"), "to be added");
    }
}
