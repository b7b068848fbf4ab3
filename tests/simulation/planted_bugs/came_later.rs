//! What storms can do since most of those of the planted bugs were tuned, and those that are made of it.
use super::Storm;

/// Kinds of faults and options that came after most of these storms were tuned: off in a storm that does not ask for them, so
/// that its seeds are what they were.
const CAME_LATER: &[&str] = &[
    "cached_runs=4096",
    "fault.slow-database-link=0",
    "fault.flapping=0",
    "fault.restart-under-load=0",
    "fault.zone-loss=0",
    "fault.server-gone=0",
    "fault.server-replaced=0",
    "fault.disk-errors=0",
    "fault.sync-errors=0",
    "fault.disk-lost=0",
    "fault.bit-rot=0",
    "fault.peer-call-lost=0",
    "fault.peer-call-late=0",
    "fault.peer-call-twice=0",
    "fault.peer-answer-lost=0",
    "fault.slow-reads=0",
    "fault.ownership-taken=0",
];

/// What a storm with these settings is not to have.
pub(super) fn left_out(settings: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    let is_set = |later: &&str| settings.iter().any(|setting| option(setting) == option(later));
    CAME_LATER.iter().copied().filter(move |later| !is_set(later))
}

fn option(setting: &str) -> &str {
    setting.split('=').next().unwrap_or_default()
}

/// Hardly any run stays in memory, and what is read again may overtake what is being written.
pub(super) const FORGETTING: Storm = (
    "hundred-children",
    &[
        "nodes=3",
        "asynchronous=0",
        "named_standby=0",
        "cached_runs=1",
        "shards=1",
        "latency_min_us=50",
        "latency_spread_us=50000",
        "faults=0",
    ],
);
