//! Task queues: tasks and polls find each other here.
//!
//! [`Matching`] implements [`tempest_api::MatchingService`]. Each task queue partition has a pure matcher
//! ([`partition::TaskQueuePartition`]: tasks and polls in, dispatches out), a durable backlog that is fenced by a range id
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
mod dispatch;
mod engine;
mod gone_workers;
pub mod partition;
#[cfg(feature = "chaos")]
mod plants;
mod queue;
mod task;
mod task_rate;
#[cfg(test)]
mod tests;

pub use config::{ConfigError, MatchingConfig};
pub use engine::{Matching, MatchingBacklog};
#[cfg(feature = "chaos")]
pub use plants::PLANTED;
