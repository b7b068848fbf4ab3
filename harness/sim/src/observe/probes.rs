//! The names of all probes: of one that no run took, nothing but this list knows.

/// Every rare path that is marked in the server and in the simulated database. A test finds those that are missing.
pub const PROBES: &[&str] = &[
    "activity-deadline-moved",
    "activity-retried",
    "activity-retried-after-timeout",
    "activity-start-fabricated",
    "activity-start-repeated",
    "buffer-limit-reached",
    "buffer-with-many-events",
    "child-closed-before-started",
    "child-start-repeated",
    "cluster-call-sent-on",
    "cluster-database-failed-over",
    "cluster-founded-anew",
    "cluster-node-forgotten",
    "cluster-peer-of-another-cluster",
    "cluster-peer-of-another-timeline",
    "existing-run-terminated",
    "fired-timer-cancelled-in-buffer",
    "first-workflow-task-delayed",
    "frontend-long-poll-outlives-owner",
    "frontend-namespace-restored",
    "frontend-namespaces-read-anew",
    "history-acquire-retried",
    "history-child-started-of-closed-parent",
    "history-commit-conflict",
    "history-commit-refused",
    "history-cross-call-after-its-end",
    "history-cross-call-done-before",
    "history-cross-call-not-awaited",
    "history-data-loss",
    "history-event-read",
    "history-event-read-failed",
    "history-limit-reached",
    "history-load-failed",
    "history-outcome-unknown",
    "history-ownership-lost",
    "history-poll-read-retried",
    "history-range-renewed",
    "history-refusal-not-believed",
    "history-request-abandoned",
    "history-shard-transferred",
    "history-sticky-worker-unavailable",
    "history-task-read-retried",
    "history-too-many-possible-duplicates",
    "history-transfer-retried",
    "history-waiters-full",
    "many-timers-fired-at-once",
    "matching-append-outcome-unknown",
    "matching-backlog-read",
    "matching-foreign-partition-not-loaded",
    "matching-partition-failed-over",
    "matching-partition-lost",
    "matching-partition-transferred",
    "matching-poll-gone-after-start",
    "matching-poll-of-gone-worker-ended",
    "matching-poll-of-gone-worker-refused",
    "matching-poll-went-away",
    "matching-record-started-timed-out",
    "matching-sticky-task-moved",
    "matching-sync-match",
    "matching-task-expired",
    "mutable-state-limit-reached",
    "signal-limit-reached",
    "signal-repeated",
    "start-repeated",
    "sticky-cleared-by-failure",
    "sticky-queue-timed-out",
    "sticky-task-taken-from-normal-queue",
    "store-disk-full",
    "store-failed",
    "terminated-for-oversized-command",
    "transient-workflow-task",
    "transient-workflow-task-became-normal",
    "worker-cache-emptied-after-failover",
    "workflow-retried",
    "workflow-retried-after-timeout",
    "workflow-task-heartbeats-timed-out",
    "workflow-task-start-repeated",
    "workflow-task-timed-out",
];

#[cfg(test)]
mod tests {
    use super::PROBES;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// How the name of a probe is written where it is hit.
    const MARKS: [&str; 3] = ["probe!(\"", ".probe(\"", "probes.push(\""];

    fn sources(directory: &Path, texts: &mut Vec<String>) {
        for entry in directory.read_dir().expect("the sources are there") {
            let path = entry.expect("the sources are there").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !["tests", "target"].contains(&name.as_ref()) {
                sources(&path, texts);
            } else if name.ends_with(".rs") && name != "probes.rs" {
                texts.push(std::fs::read_to_string(&path).expect("a source can be read"));
            }
        }
    }

    #[test]
    fn every_probe_is_listed_and_every_listed_one_is_somewhere() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut texts = Vec::new();
        for folder in ["server-sim", "harness/sim/src", "harness/disk/src", "harness/lockstep/src"] {
            sources(&root.join(folder), &mut texts);
        }
        let names = |text: &str, mark: &str| -> Vec<String> {
            text.split(mark).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
        };
        let is_name = |name: &String| name.contains('-');
        let found: BTreeSet<String> =
            texts.iter().flat_map(|text| MARKS.iter().flat_map(|mark| names(text, mark))).filter(is_name).collect();
        let missing: Vec<&String> = found.iter().filter(|name| !PROBES.contains(&name.as_str())).collect();
        assert!(missing.is_empty(), "these are not in PROBES: {missing:?}");
        let gone = PROBES.iter().filter(|name| !texts.iter().any(|text| text.contains(&format!("\"{name}\""))));
        assert_eq!(gone.collect::<Vec<_>>(), Vec::<&&str>::new(), "no source has these");
        assert!(PROBES.is_sorted(), "the list is in order");
    }
}
