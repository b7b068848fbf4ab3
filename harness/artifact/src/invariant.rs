use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! invariants {
    ($($(#[$attribute:meta])* $invariant:ident = $name:literal,)*) => {
        /// What must hold of every run, in the order in which it is judged. The first that fails names the verdict, unless
        /// another one explains it. What each promises stands with its checker.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Invariant {
            $($(#[$attribute])* #[serde(rename = $name)] $invariant,)*
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
        }
    };
}

invariants! {
    Clean = "clean",
    ShardFence = "shard-fence",
    CommitsFit = "commits-fit",
    OwnershipSettled = "ownership-settled",
    DataLossNoticed = "data-loss-noticed",
    HistoryWellformed = "history-wellformed",
    ActivityOnce = "activity-once",
    SignalsOnceInOrder = "signals-once-in-order",
    AckedDurable = "acked-durable",
    RefusedLeftNothing = "refused-left-nothing",
    ReadsFresh = "reads-fresh",
    AcrossRuns = "across-runs",
    #[serde(alias = "errands-end")]
    CrossCallsEnd = "cross-calls-end",
    OneOpenRun = "one-open-run",
    TimersNotEarly = "timers-not-early",
    OnTime = "on-time",
    StateEqualsHistory = "state-equals-history",
    TasksCoverState = "tasks-cover-state",
    Liveness = "liveness",
    Replay = "replay",
    /// Whatever a scenario checks of its own results.
    Model = "model",
    /// The whole run's own: judged by running its seed twice.
    Determinism = "determinism",
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
