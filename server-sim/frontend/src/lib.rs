//! The public API: validates, resolves namespaces, routes to history and matching, and holds long polls.
//!
//! [`Frontend`] is the role; [`workflow_service`], [`operator_service`] and [`health_service`] are its gRPC faces. One
//! RPC per file: what clients call in [`workflow`], what workers call in [`worker`], and [`namespace`], [`task_queue`] and
//! [`cluster`].
//!
//! It knows neither state machines nor shards: a request that is well formed is somebody else's to decide.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod caller;
mod cluster;
mod config;
mod frontend;
mod health;
mod message_size;
mod namespace;
mod operator;
#[cfg(feature = "chaos")]
mod plants;
mod service;
mod task_queue;
#[cfg(test)]
mod tests;
mod validation;
mod worker;
mod workflow;

pub use config::FrontendConfig;
pub use frontend::Frontend;
pub use health::health_service;
pub use message_size::SizeErrors;
pub use namespace::register::check_name as check_namespace_name;
pub use operator::operator_service;
#[cfg(feature = "chaos")]
pub use plants::PLANTED;
pub use service::workflow_service;
