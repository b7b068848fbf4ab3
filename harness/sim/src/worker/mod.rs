//! The official SDK inside a world: its connection, its workers, and a client that asks until it knows.
mod bridge;
mod client;
mod prefix_tasks;
mod protocol_worker;
mod registrations;
mod sdk_worker;
mod untyped;
mod wire;

pub(crate) use bridge::{Caller, call, connect};
pub use client::{Client, Handle};
pub(crate) use prefix_tasks::{Answer, answers};
pub use protocol_worker::ProtocolWorker;
pub(crate) use protocol_worker::run_protocol_worker;
pub use registrations::Registrations;
pub(crate) use sdk_worker::{WorkerSettings, run_worker};
pub(crate) use wire::Wire;

/// The namespace that all scenarios use.
pub const NAMESPACE: &str = "default";
/// The task queue that all workers of a world poll.
pub const TASK_QUEUE: &str = "storm";
/// Where servers listen.
pub const PORT: u16 = 7233;
