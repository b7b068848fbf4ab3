//! Lives of runs, told as transcripts. Each file is one story; its snapshots are read against Temporal's behaviour
//! before they are accepted.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod print;
#[path = "../shard/mod.rs"]
mod shard;
mod story;

mod activity_cancel;
mod activity_retry;
mod activity_timeouts;
mod bad_command;
mod buffered_events;
mod by_id;
mod cancel;
mod child;
mod child_side;
mod continue_as_new;
mod eager;
mod external;
mod happy_path;
mod heartbeat;
mod limits;
mod priorities;
mod properties;
mod run_timeout;
mod signal_with_start;
mod stale_tokens;
mod start_conflict;
mod start_delay;
mod sticky;
mod terminate;
mod timers;
mod transient_workflow_task;
mod unhandled_command;
mod workflow_retry;
mod workflow_task_heartbeat;
mod workflow_task_timeout;

/// What most stories need.
mod prelude {
    pub use crate::{shard::requests::*, story::Story};
    pub use std::time::Duration;
    pub use tempest_core::*;
    pub use temporalio_protos::temporal::api::{
        common::v1::RetryPolicy,
        enums::v1::*,
        failure::v1::{Failure, failure::FailureInfo},
        workflowservice::v1 as api,
    };

    pub fn attempts(maximum_attempts: i32) -> Option<RetryPolicy> {
        Some(RetryPolicy { maximum_attempts, ..Default::default() })
    }

    /// A run with its first workflow task started.
    pub fn polled() -> Story {
        Story::new().before("order-7 is started at +0s, a worker has polled its first workflow task", |story| {
            story.start();
            story.poll_workflow_task();
        })
    }

    /// A run whose first workflow task scheduled one activity, which no worker has started.
    pub fn with_activity(
        edit: impl FnOnce(&mut temporalio_protos::temporal::api::command::v1::ScheduleActivityTaskCommandAttributes),
    ) -> Story {
        let mut story = polled();
        story.complete(vec![schedule_activity("charge", edit)]);
        story
    }
}
