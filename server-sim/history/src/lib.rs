//! The history role: every run's state, by shard.
//!
//! [`HistoryHandle`] is one node's service. Behind it each shard is one actor, the single writer of its runs: it owns
//! the shard by a range id, decides each request with `tempest-core` against the *staged* state (committed plus what
//! is in flight), puts the commit in a pipeline, and answers only what is durable. The transfer queue hands scheduled
//! workflow and activity tasks to matching; the timer queue fires what is due in shard time.
//!
//! Code that decides does not await here either: a shard that is owned is a plain state machine (`shard::owned`), and
//! only `shard::driver` has futures.
//!
//! This crate deliberately does not know: the rules of workflow execution (core), where bytes are kept (store), who
//! polls (matching), namespaces' names (frontend).
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod codec;
mod config;
mod counters;
mod history_read;
mod placement;
#[cfg(feature = "chaos")]
mod plants;
mod poll_response;
mod service;
mod shard;

pub use codec::{decode_record, decode_run, decode_task, encode_parts, encode_row, encode_task};
pub use config::{ConfigError, DataLoss, DataLossObserver, HistoryConfig};
pub use counters::{Counters, CountersSnapshot};
pub use placement::{Placement, shard_of};
#[cfg(feature = "chaos")]
pub use plants::PLANTED;
pub use service::{HistoryHandle, WallClock};
pub use shard::ShardLag;
