//! The public API: validates, resolves namespaces, routes to history and matching, and holds long polls.
//!
//! [`Frontend`] is the role; [`workflow_service`], [`operator_service`] and [`health_service`] are its gRPC faces. Each RPC
//! is a row in `routes.rs`, which says what there is of it and which layers it goes through, and a file in `rpc/`.
//!
//! It knows neither state machines nor shards: a request that is well formed is for others to decide.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod caller;
mod capabilities;
#[cfg(test)]
mod compatibility;
mod config;
mod frontend;
mod health;
mod layers;
mod links;
mod namespace;
#[cfg(feature = "chaos")]
mod plants;
mod routes;
mod rpc;
mod service;
#[cfg(test)]
mod tests;
mod validation;
mod versioning;
mod worker;

pub use config::FrontendConfig;
pub use frontend::Frontend;
pub use health::health_service;
pub use layers::SizeErrors;
#[cfg(feature = "chaos")]
pub use plants::PLANTED;
pub use rpc::register_namespace::check_name as check_namespace_name;
pub use service::{operator_service, workflow_service};

/// Names of the workflow service's RPCs that this server serves, whole or in part.
pub fn served_rpcs() -> impl Iterator<Item = &'static str> {
    routes::WORKFLOW_SERVICE.iter().filter(|route| route.is_served()).map(|route| route.name)
}
