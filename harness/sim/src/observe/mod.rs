//! What is written down of a run, and how it is read: calls, commits, histories, losses. Nothing is judged here.
mod commit_feed;
mod data_loss;
mod descriptors;
mod duplicates;
pub(crate) mod events;
mod history_json;
pub(crate) mod named_activity;
mod named_workflow;
mod observations;
mod operation_log;
pub(crate) mod page;
mod probes;
pub(crate) mod reach;
pub(crate) mod register;
mod rpc_kind;
mod stored_states;
mod waiting;

#[cfg(test)]
pub(crate) use commit_feed::Batch;
pub use commit_feed::{Commit, CommitFeed, CommitResult};
pub use data_loss::{DataLossReport, TimelineBegan};
pub use duplicates::{DuplicatedCall, Duplicates};
pub use history_json::history_json;
pub use observations::{Observations, Panic, RunObserved};
pub use operation_log::{Operation, OperationLog, Outcome};
pub use probes::PROBES;
pub use rpc_kind::RpcKind;
pub(crate) use rpc_kind::of_no_workflow;
#[cfg(test)]
pub(crate) use stored_states::StoredState;
pub use waiting::Waiting;

/// `12.345 s` of virtual nanoseconds.
pub(crate) fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn seconds_have_milliseconds() {
        assert_eq!(seconds(12_345_678_901), "12.345 s");
    }
}
