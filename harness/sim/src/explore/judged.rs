//! What each invariant was judged on: numbers that people can weigh, and why something was not judged.
use super::Checked;
use crate::check::{self, Observations, Operation, Violation};

/// How the note of an invariant begins that was not judged in this run.
const NOT_JUDGED: &str = "not judged";

impl Checked {
    /// Whether anything was looked at: what was not neither holds nor fails.
    pub fn was_judged(&self) -> bool {
        !self.note.starts_with(NOT_JUDGED)
    }
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

    /// How much of it an invariant judges, and in words.
    fn of_invariant(&self, invariant: &str, observations: &Observations) -> (Option<usize>, String) {
        let Subjects { runs, events, commits, acknowledged, refused, left_out } = self;
        let (checked, what) = match invariant {
            "acked-durable" | "clean" | "signals-once-in-order" => {
                (*acknowledged, format!("{acknowledged} acknowledged calls"))
            }
            "ownership-settled" if observations.settled_from_ns.is_none() => {
                return (None, format!("{NOT_JUDGED}: more than clocks and calls was disturbed"));
            }
            "reads-fresh" if observations.timelines.iter().any(|began| began.may_lose) => {
                return (None, format!("{NOT_JUDGED}: a failover of this database may lose something"));
            }
            "refused-left-nothing" if *refused == 0 && left_out.is_empty() => {
                return (Some(0), format!("{NOT_JUDGED}: nothing was refused"));
            }
            "refused-left-nothing" => (*refused, format!("{refused} refused calls")),
            "shard-fence" | "ownership-settled" => (*commits, format!("{commits} commits")),
            "determinism" => return (None, format!("{NOT_JUDGED}: run the seed twice, or `tempest explore --twice`")),
            "model" => return (None, "the scenario's own".to_owned()),
            _ => (*events, format!("{runs} runs, {events} events")),
        };
        match checked {
            0 if !left_out.is_empty() => (Some(0), format!("{NOT_JUDGED}: nothing is left{left_out}")),
            _ => (Some(checked), what + left_out),
        }
    }
}

/// How often each invariant was judged, and violated.
pub(super) fn checks(observations: &Observations, violations: &[Violation]) -> Vec<Checked> {
    let (all, unharmed) = (Subjects::of(observations), Subjects::unharmed(observations));
    let judged = |invariant: check::Invariant| {
        let subjects = if check::leaves_out_losses(invariant.name) { &unharmed } else { &all };
        let (checked, note) = subjects.of_invariant(invariant.name, observations);
        let violated = violations.iter().filter(|violation| violation.invariant == invariant.name);
        Checked {
            invariant: invariant.name.to_owned(),
            violations: violated.count() as u64,
            checked: checked.map(|checked| checked as u64),
            note,
        }
    };
    check::invariants().into_iter().map(judged).collect()
}
