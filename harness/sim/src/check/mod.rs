//! Invariants: one file each. A checker gets everything that was observed of a run and says what is wrong with it.
//!
//! A checker must be true of a correct server, or it cries wolf: where a fault weakens an invariant, its file says so.
mod acked_durable;
mod across_runs;
mod activity_once;
mod clean;
mod commit_feed;
mod data_loss;
mod data_loss_noticed;
mod durable_first;
mod errands_end;
pub(crate) mod events;
mod frontier;
mod history_json;
mod history_wellformed;
mod liveness;
mod observations;
mod one_open_run;
mod operation_log;
mod ownership_settled;
mod reads_fresh;
mod refused_left_nothing;
mod replay;
#[cfg(test)]
pub(crate) mod samples;
mod shard_fence;
mod signals_once_in_order;
mod state_equals_history;
mod tasks_cover_state;
mod timers_not_early;

pub use commit_feed::{Commit, CommitFeed, CommitResult};
pub use data_loss::{DataLossReport, TimelineBegan};
pub use frontier::frontier;
pub use history_json::history_json;
pub use observations::{Observations, Panic, RunObserved};
pub use operation_log::{Operation, OperationLine, OperationLog, Outcome};
pub(crate) use refused_left_nothing::refused_calls;
pub use replay::replay;

use serde::{Deserialize, Serialize};

/// One way in which a run broke a promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    pub invariant: String,
    /// One sentence.
    pub what: String,
    /// What shows it: operations, events, commits.
    pub evidence: Vec<String>,
}

impl Violation {
    pub fn new(invariant: &str, what: impl Into<String>) -> Violation {
        Violation { invariant: invariant.to_owned(), what: what.into(), evidence: Vec::new() }
    }

    #[must_use]
    pub fn because(mut self, evidence: impl Into<String>) -> Violation {
        self.evidence.push(evidence.into());
        self
    }
}

/// What is listed of an invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Invariant {
    pub name: &'static str,
    pub holds_when: &'static str,
}

type Judge = fn(&Observations) -> Vec<Violation>;

/// Of which workflows a checker speaks when a failover has lost commits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Of all: what it judges must hold of whatever is left.
    All,
    /// Of those that lost nothing: it compares with what somebody was told.
    Unharmed,
}
use Scope::{All, Unharmed};

/// The checkers that look at observations alone, in the order they are judged: the first that fails names the verdict.
const CHECKERS: &[(Invariant, Scope, Judge)] = &[
    (clean::INVARIANT, All, clean::judge),
    (shard_fence::INVARIANT, All, shard_fence::judge),
    (ownership_settled::INVARIANT, All, ownership_settled::judge),
    (data_loss_noticed::INVARIANT, All, data_loss_noticed::judge),
    (history_wellformed::INVARIANT, Unharmed, history_wellformed::judge),
    (activity_once::INVARIANT, Unharmed, activity_once::judge),
    (signals_once_in_order::INVARIANT, Unharmed, signals_once_in_order::judge),
    (acked_durable::INVARIANT, Unharmed, acked_durable::judge),
    (refused_left_nothing::INVARIANT, Unharmed, refused_left_nothing::judge),
    (reads_fresh::INVARIANT, Unharmed, reads_fresh::judge),
    (across_runs::INVARIANT, Unharmed, across_runs::judge),
    (errands_end::INVARIANT, Unharmed, errands_end::judge),
    (one_open_run::INVARIANT, Unharmed, one_open_run::judge),
    (timers_not_early::INVARIANT, Unharmed, timers_not_early::judge),
    (state_equals_history::INVARIANT, All, state_equals_history::judge),
    (tasks_cover_state::INVARIANT, All, tasks_cover_state::judge),
    (liveness::INVARIANT, All, liveness::judge),
];

/// The whole run's own: the same seed gives the same trace hash. Judged by running it twice.
pub const DETERMINISM: Invariant =
    Invariant { name: "determinism", holds_when: "the same seed gives the same trace hash in every process" };

/// Whatever a scenario checks of its own results.
pub const MODEL: Invariant =
    Invariant { name: "model", holds_when: "results lie in the set that the scenario's model allows" };

/// All invariants.
pub fn invariants() -> Vec<Invariant> {
    let checked = CHECKERS.iter().map(|checker| checker.0);
    checked.chain([replay::INVARIANT, MODEL, DETERMINISM]).collect()
}

/// Whether workflows that lost commits in a failover, and those that dealt with them, are not judged by this invariant.
pub(crate) fn leaves_out_losses(invariant: &str) -> bool {
    CHECKERS.iter().any(|(known, scope, _)| known.name == invariant && *scope == Unharmed)
}

/// Judges a run by all checkers that need nothing but observations.
pub fn judge(observations: &Observations) -> Vec<Violation> {
    let harmed = observations.with_losses();
    let unharmed = if harmed.is_empty() { None } else { Some(observations.without(&harmed)) };
    let of = |scope| if scope == All { observations } else { unharmed.as_ref().unwrap_or(observations) };
    CHECKERS.iter().flat_map(|(_, scope, judge)| judge(of(*scope))).collect()
}

/// `12.345 s` of virtual nanoseconds.
pub(crate) fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_run_holds() {
        assert_eq!(judge(&samples::sound()), []);
    }

    #[test]
    fn violations_name_an_invariant_that_is_listed() {
        let mut observations = samples::sound();
        observations.clients_done = false;
        observations.complaints.push("the disk could not be read".to_owned());
        let named: Vec<String> = judge(&observations).into_iter().map(|violation| violation.invariant).collect();
        assert_eq!(named, ["clean", "liveness"]);
        let listed: Vec<&str> = invariants().iter().map(|invariant| invariant.name).collect();
        assert!(named.iter().all(|name| listed.contains(&name.as_str())), "{listed:?}");
    }

    #[test]
    fn seconds_have_milliseconds() {
        assert_eq!(seconds(12_345_678_901), "12.345 s");
    }
}
