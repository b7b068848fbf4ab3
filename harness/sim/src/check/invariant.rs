//! What each invariant promises.
use super::{
    acked_durable, across_runs, activity_once, clean, commits_fit, cross_calls_end, data_loss_noticed,
    history_wellformed, liveness, on_time, one_open_run, ownership_settled, reads_fresh, refused_left_nothing, replay,
    shard_fence, signals_once_in_order, state_equals_history, tasks_cover_state, timers_not_early,
};
pub use tempest_artifact::Invariant;

/// The promise, in one sentence.
pub fn holds_when(invariant: Invariant) -> &'static str {
    match invariant {
        Invariant::Clean => clean::HOLDS_WHEN,
        Invariant::ShardFence => shard_fence::HOLDS_WHEN,
        Invariant::CommitsFit => commits_fit::HOLDS_WHEN,
        Invariant::OwnershipSettled => ownership_settled::HOLDS_WHEN,
        Invariant::DataLossNoticed => data_loss_noticed::HOLDS_WHEN,
        Invariant::HistoryWellformed => history_wellformed::HOLDS_WHEN,
        Invariant::ActivityOnce => activity_once::HOLDS_WHEN,
        Invariant::SignalsOnceInOrder => signals_once_in_order::HOLDS_WHEN,
        Invariant::AckedDurable => acked_durable::HOLDS_WHEN,
        Invariant::RefusedLeftNothing => refused_left_nothing::HOLDS_WHEN,
        Invariant::ReadsFresh => reads_fresh::HOLDS_WHEN,
        Invariant::AcrossRuns => across_runs::HOLDS_WHEN,
        Invariant::CrossCallsEnd => cross_calls_end::HOLDS_WHEN,
        Invariant::OneOpenRun => one_open_run::HOLDS_WHEN,
        Invariant::TimersNotEarly => timers_not_early::HOLDS_WHEN,
        Invariant::OnTime => on_time::HOLDS_WHEN,
        Invariant::StateEqualsHistory => state_equals_history::HOLDS_WHEN,
        Invariant::TasksCoverState => tasks_cover_state::HOLDS_WHEN,
        Invariant::Liveness => liveness::HOLDS_WHEN,
        Invariant::Replay => replay::HOLDS_WHEN,
        Invariant::Model => "results lie in the set that the scenario's model allows",
        Invariant::Determinism => "the same seed gives the same trace hash in every process",
    }
}
