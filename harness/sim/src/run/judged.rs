//! What each invariant was judged on: numbers that people can weigh, and why something was not judged.
use crate::check::{self, Invariant, Violation};
use crate::observe::{Observations, Operation};
use tempest_artifact::Checked;

/// What an invariant was judged on: how much of it, where it is counted, and in words.
enum Judged {
    On(Option<usize>, String),
    Not(Option<usize>, String),
}

/// What there is to judge.
struct Subjects {
    runs: usize,
    events: usize,
    commits: usize,
    acknowledged: usize,
    /// Calls that were certainly not done, and could show in a history.
    refused: usize,
    /// Why it is less than there was; empty if it is all.
    left_out: String,
}

impl Subjects {
    fn of(observations: &Observations) -> Subjects {
        let is_ok = |operation: &&Operation| operation.outcome.is_ok();
        Subjects {
            runs: observations.runs.len(),
            events: observations.runs.values().map(|run| run.stored.len()).sum(),
            commits: observations.commits.len(),
            acknowledged: observations.operations.iter().filter(is_ok).count(),
            refused: check::refused_calls(observations),
            left_out: String::new(),
        }
    }

    /// Of workflows that lost nothing in a failover.
    fn unharmed(observations: &Observations) -> Subjects {
        let harmed = observations.with_losses();
        let left_out = match harmed.len() {
            0 => String::new(),
            1 => " (1 workflow with losses left out)".to_owned(),
            many => format!(" ({many} workflows with losses left out)"),
        };
        Subjects { left_out, ..Subjects::of(&observations.without(&harmed)) }
    }

    /// What of it an invariant judges.
    fn of_invariant(&self, invariant: Invariant, observations: &Observations) -> Judged {
        let Subjects { runs, events, commits, acknowledged, refused, left_out } = self;
        let not = |why: &str| Judged::Not(None, why.to_owned());
        let histories = || (*events, format!("{runs} runs, {events} events"));
        let (checked, what) = match invariant {
            Invariant::AckedDurable | Invariant::Clean | Invariant::SignalsOnceInOrder => {
                (*acknowledged, format!("{acknowledged} acknowledged calls"))
            }
            Invariant::OwnershipSettled if observations.settled_from_ns.is_none() => {
                return not("more than clocks and calls was disturbed");
            }
            Invariant::OnTime if crate::check::judged_from_ns(observations).is_none() => {
                return not("more than calls was disturbed");
            }
            Invariant::ShardFence | Invariant::CommitsFit | Invariant::OwnershipSettled => {
                (*commits, format!("{commits} commits"))
            }
            Invariant::ReadsFresh if observations.timelines.iter().any(|began| began.may_lose) => {
                return not("a failover of this database may lose something");
            }
            Invariant::ReadsFresh => histories(),
            Invariant::RefusedLeftNothing if *refused == 0 && left_out.is_empty() => {
                return Judged::Not(Some(0), "nothing was refused".to_owned());
            }
            Invariant::RefusedLeftNothing => (*refused, format!("{refused} refused calls")),
            Invariant::DataLossNoticed
            | Invariant::HistoryWellformed
            | Invariant::ActivityOnce
            | Invariant::AcrossRuns
            | Invariant::CrossCallsEnd
            | Invariant::OneOpenRun
            | Invariant::TimersNotEarly
            | Invariant::OnTime
            | Invariant::StateEqualsHistory
            | Invariant::TasksCoverState
            | Invariant::Liveness
            | Invariant::Replay => histories(),
            Invariant::Model => return Judged::On(None, "the scenario's own".to_owned()),
            Invariant::Determinism => return not("run the seed twice, or `tempest explore --twice`"),
        };
        match checked {
            0 if !left_out.is_empty() => Judged::Not(Some(0), format!("nothing is left{left_out}")),
            _ => Judged::On(Some(checked), what + left_out),
        }
    }
}

/// How often each invariant was judged, and violated.
pub(super) fn checks(observations: &Observations, violations: &[Violation]) -> Vec<Checked> {
    let (all, unharmed) = (Subjects::of(observations), Subjects::unharmed(observations));
    let judged = |invariant: &Invariant| {
        let subjects = if check::leaves_out_losses(*invariant) { &unharmed } else { &all };
        let (judged, checked, note) = match subjects.of_invariant(*invariant, observations) {
            Judged::On(checked, what) => (true, checked, what),
            Judged::Not(checked, why) => (false, checked, format!("not judged: {why}")),
        };
        let violated = violations.iter().filter(|violation| violation.invariant == *invariant);
        Checked {
            invariant: *invariant,
            judged,
            violations: violated.count() as u64,
            checked: checked.map(|checked| checked as u64),
            note,
        }
    };
    Invariant::ALL.iter().map(judged).collect()
}
