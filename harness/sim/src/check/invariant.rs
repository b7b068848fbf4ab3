//! The invariants by name.
use super::{
    acked_durable, across_runs, activity_once, clean, data_loss_noticed, errands_end, history_wellformed, liveness,
    one_open_run, ownership_settled, reads_fresh, refused_left_nothing, replay, shard_fence, signals_once_in_order,
    state_equals_history, tasks_cover_state, timers_not_early,
};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! invariants {
    ($($(#[$doc:meta])* $invariant:ident = $name:literal, holds when $holds_when:expr;)*) => {
        /// What must hold of every run, in the order in which it is judged: the first that fails names the verdict.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Invariant {
            $($(#[$doc])* #[serde(rename = $name)] $invariant,)*
        }

        impl Invariant {
            /// All of them, in order.
            pub const ALL: &[Invariant] = &[$(Invariant::$invariant),*];

            /// As verdicts, artifacts and the command line have it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Invariant::$invariant => $name,)*
                }
            }

            /// The promise, in one sentence.
            pub fn holds_when(self) -> &'static str {
                match self {
                    $(Invariant::$invariant => $holds_when,)*
                }
            }
        }
    };
}

invariants! {
    Clean = "clean", holds when clean::HOLDS_WHEN;
    ShardFence = "shard-fence", holds when shard_fence::HOLDS_WHEN;
    OwnershipSettled = "ownership-settled", holds when ownership_settled::HOLDS_WHEN;
    DataLossNoticed = "data-loss-noticed", holds when data_loss_noticed::HOLDS_WHEN;
    HistoryWellformed = "history-wellformed", holds when history_wellformed::HOLDS_WHEN;
    ActivityOnce = "activity-once", holds when activity_once::HOLDS_WHEN;
    SignalsOnceInOrder = "signals-once-in-order", holds when signals_once_in_order::HOLDS_WHEN;
    AckedDurable = "acked-durable", holds when acked_durable::HOLDS_WHEN;
    RefusedLeftNothing = "refused-left-nothing", holds when refused_left_nothing::HOLDS_WHEN;
    ReadsFresh = "reads-fresh", holds when reads_fresh::HOLDS_WHEN;
    AcrossRuns = "across-runs", holds when across_runs::HOLDS_WHEN;
    ErrandsEnd = "errands-end", holds when errands_end::HOLDS_WHEN;
    OneOpenRun = "one-open-run", holds when one_open_run::HOLDS_WHEN;
    TimersNotEarly = "timers-not-early", holds when timers_not_early::HOLDS_WHEN;
    StateEqualsHistory = "state-equals-history", holds when state_equals_history::HOLDS_WHEN;
    TasksCoverState = "tasks-cover-state", holds when tasks_cover_state::HOLDS_WHEN;
    Liveness = "liveness", holds when liveness::HOLDS_WHEN;
    Replay = "replay", holds when replay::HOLDS_WHEN;
    /// Whatever a scenario checks of its own results.
    Model = "model", holds when "results lie in the set that the scenario's model allows";
    /// The whole run's own: judged by running its seed twice.
    Determinism = "determinism", holds when "the same seed gives the same trace hash in every process";
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Invariant;

    #[test]
    fn artifacts_hold_the_names_that_people_read() {
        for invariant in Invariant::ALL {
            let stored = serde_json::to_value(invariant).expect("it is a word");
            assert_eq!(stored, invariant.name());
            assert_eq!(serde_json::from_value::<Invariant>(stored).expect("it was written"), *invariant);
        }
    }
}
