//! Namespaces as this node knows them.
pub mod offered;
mod registry;

pub use registry::{Namespace, Registry};
