//! Deterministic storms for Temporal workflows.
#![forbid(unsafe_code)]

pub mod check;
pub mod explore;
pub mod fault;
pub mod scenario;
mod storm;
pub mod worker;
pub mod world;
