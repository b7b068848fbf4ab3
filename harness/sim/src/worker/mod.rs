//! The official SDK inside a world: its connection, its workers, and a client that asks until it knows.
mod bridge;
mod client;
mod prefix_tasks;
mod sdk_worker;
mod untyped;

pub(crate) use bridge::{Caller, call, connect};
pub use client::{Client, Handle, Waiting};
pub(crate) use prefix_tasks::{Answer, answers};
pub(crate) use sdk_worker::{WorkerSettings, run_worker};

/// The namespace that all scenarios use.
pub const NAMESPACE: &str = "default";
/// Where servers listen.
pub const PORT: u16 = 7233;
