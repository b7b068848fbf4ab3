//! Task queues: tasks and polls find each other here.
//!
//! [`Matching`] implements [`tempest_api::MatchingService`]. Each task queue partition has a pure matcher
//! ([`partition::TaskQueuePartition`]: tasks and polls in, hand-overs out), a durable backlog that is fenced by a range id
//! ([`backlog`]), and a shell ([`queue`]) that performs what those two decide.
//!
//! A task is acknowledged only when a poll has it whose start is recorded in history, or when its row is durable. Sticky
//! queues live in memory alone: history's schedule-to-start timer covers what a crash loses.
//!
//! This crate does not know what a workflow is: history says whether a task may start, and what the worker gets.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backlog;
mod config;
mod engine;
mod gone_workers;
mod hand_over;
pub mod partition;
mod queue;
mod task;
mod task_rate;
#[cfg(test)]
mod tests;

pub use config::{ConfigError, MatchingConfig};
pub use engine::{Matching, MatchingBacklog};

/// Planted bugs of this crate: name, what it does, the invariant that notices.
#[cfg(feature = "chaos")]
pub const PLANTED: &[(&str, &str, &str)] = &[
    (
        "backlog-acknowledged-before-durable",
        "a backlog row is acknowledged when it is queued; the write follows half a second later, batched",
        "liveness",
    ),
    (
        "unknown-append-taken-for-written",
        "a write to the backlog whose end nobody knows is taken for one that was done",
        "liveness",
    ),
    (
        "task-dropped-when-poll-goes-away",
        "a poll that went away stays registered, and the next task given to it counts as delivered",
        "liveness",
    ),
];
