//! What a node's shards have done, for metrics.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counts since the node started, over all its shards.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub(crate) $name: AtomicU64),* }

        /// [`Counters`] as read at one moment (each by itself).
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct CountersSnapshot { $($(#[$doc])* pub $name: u64),* }

        impl CountersSnapshot {
            /// Each with its name.
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }

        impl Counters {
            pub fn snapshot(&self) -> CountersSnapshot {
                CountersSnapshot { $($name: self.$name.load(Relaxed)),* }
            }
        }
    };
}

counters! {
    requests,
    commits,
    /// Commits whose outcome was never learnt.
    commits_unknown,
    /// Commits refused for a version, pointer or sequence: a sign of a bug or of lost synchronisation.
    commits_conflicting,
    shards_acquired,
    shards_lost,
    /// Ownerships that a panic has ended.
    shard_panics,
    /// A shard's durable sequence went back: acknowledged commits are gone.
    data_loss,
    executions_loaded,
    executions_evicted,
    ownership_proofs,
    transfer_tasks_done,
    transfer_tasks_retried,
    timers_fired,
    timers_stale,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}
