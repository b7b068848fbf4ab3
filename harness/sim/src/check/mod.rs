//! Invariants: one file each. A checker gets everything that was observed of a run and says what is wrong with it.
//!
//! A checker must be true of a correct server, or it cries wolf: where a fault weakens an invariant, its file says so.
mod acked_durable;
mod across_runs;
mod activity_once;
mod causes;
mod clean;
mod commits_fit;
mod cross_calls_end;
mod data_loss_noticed;
mod durable_first;
mod ended_meanwhile;
mod frontier;
mod heartbeats;
mod history_wellformed;
mod invariant;
mod liveness;
mod namespaces;
mod on_time;
mod one_open_run;
mod ownership_settled;
mod pages_follow;
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

pub use crate::observe::{
    Commit, CommitResult, DataLossReport, Observations, Operation, Outcome, Panic, RpcKind, RunObserved, TimelineBegan,
};
pub(crate) use crate::observe::{events, named_activity, of_no_workflow, page, register, seconds};
pub use causes::in_order;
pub use frontier::frontier;
pub use invariant::{Invariant, holds_when};
pub(crate) use on_time::judged_from_ns;
pub(crate) use refused_left_nothing::refused_calls;
pub use replay::replay;
pub use tempest_artifact::Violation;

/// Where an invariant is judged.
enum Judged {
    /// From observations, by this function.
    Here(Scope, fn(&Observations) -> Vec<Violation>),
    /// By the SDK, by the scenario, or by another run of the same seed.
    Elsewhere,
}
use Judged::{Elsewhere, Here};

/// Of which workflows a checker speaks when a failover has lost commits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Of all: what it judges must hold of whatever is left.
    All,
    /// Of those that lost nothing: it compares with what a caller was answered.
    Unharmed,
}
use Scope::{All, Unharmed};

fn judged(invariant: Invariant) -> Judged {
    match invariant {
        Invariant::Clean => Here(All, clean::judge),
        Invariant::ShardFence => Here(All, shard_fence::judge),
        Invariant::CommitsFit => Here(All, commits_fit::judge),
        Invariant::OwnershipSettled => Here(All, ownership_settled::judge),
        Invariant::DataLossNoticed => Here(All, data_loss_noticed::judge),
        Invariant::HistoryWellformed => Here(Unharmed, history_wellformed::judge),
        Invariant::ActivityOnce => Here(Unharmed, activity_once::judge),
        Invariant::SignalsOnceInOrder => Here(Unharmed, signals_once_in_order::judge),
        Invariant::AckedDurable => Here(Unharmed, acked_durable::judge),
        Invariant::RefusedLeftNothing => Here(Unharmed, refused_left_nothing::judge),
        Invariant::ReadsFresh => Here(Unharmed, reads_fresh::judge),
        Invariant::AcrossRuns => Here(Unharmed, across_runs::judge),
        Invariant::CrossCallsEnd => Here(Unharmed, cross_calls_end::judge),
        Invariant::OneOpenRun => Here(Unharmed, one_open_run::judge),
        Invariant::TimersNotEarly => Here(Unharmed, timers_not_early::judge),
        Invariant::OnTime => Here(Unharmed, on_time::judge),
        Invariant::StateEqualsHistory => Here(All, state_equals_history::judge),
        Invariant::TasksCoverState => Here(All, tasks_cover_state::judge),
        Invariant::Liveness => Here(All, liveness::judge),
        Invariant::Replay | Invariant::Model | Invariant::Determinism => Elsewhere,
    }
}

/// Whether workflows that lost commits in a failover, and those that dealt with them, are not judged by this invariant.
pub(crate) fn leaves_out_losses(invariant: Invariant) -> bool {
    matches!(judged(invariant), Here(Unharmed, _))
}

/// Judges a run by all checkers that need nothing but observations.
pub fn judge(observations: &Observations) -> Vec<Violation> {
    let harmed = observations.with_losses();
    let unharmed = if harmed.is_empty() { None } else { Some(observations.without(&harmed)) };
    let of = |scope| if scope == All { observations } else { unharmed.as_ref().unwrap_or(observations) };
    let checkers = Invariant::ALL.iter().map(|invariant| judged(*invariant));
    checkers
        .flat_map(|checker| match checker {
            Here(scope, judge) => judge(of(scope)),
            Elsewhere => Vec::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_run_holds() {
        assert_eq!(judge(&samples::sound()), []);
    }

    #[test]
    fn violations_come_in_the_order_of_judgement() {
        let mut observations = samples::sound();
        observations.clients_done = false;
        observations.problems.push("the disk could not be read".to_owned());
        let named: Vec<Invariant> = judge(&observations).into_iter().map(|violation| violation.invariant).collect();
        assert_eq!(named, [Invariant::Clean, Invariant::Liveness]);
    }
}
