//! Throughput, latency and actor time by shard count, in two modes that are never mixed up.
//!
//! [`real`] measures: the real server in this process, over real gRPC, with clients and workers that speak the protocol
//! without an SDK. [`model`] reckons: a queueing simulation in virtual time, whose constants ([`Costs`]) were measured,
//! says what would limit a cluster that is far larger than this machine. A [`Plan`] says what either is to do, and is
//! checked before anything runs; both leave a [`ShardBench`](tempest_artifact::ShardBench).
//!
//! This crate does not know the SDK, the simulator of storms, or how a page is drawn.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]
// Real mode has real threads, clocks and files; nothing of it is ever simulated.
#![allow(clippy::disallowed_methods)]

mod costs;
pub mod model;
mod plan;
pub mod real;
mod statistics;
mod workload;

pub use costs::Costs;
pub use plan::{BadPlan, Database, ModelPlan, Plan, RealPlan, parse_counts, parse_latency};
pub use workload::Workload;

/// Why a bench did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error(transparent)]
    Plan(#[from] BadPlan),
    #[error("the server does not start with {shards} shards: {why}")]
    Server { shards: u32, why: String },
    #[error("the database cannot be used: {0}")]
    Database(String),
    #[error(
        "no workflow ended within the time measured, with {shards} shards and {clients} clients: measure for longer"
    )]
    Nothing { shards: u32, clients: u32 },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
