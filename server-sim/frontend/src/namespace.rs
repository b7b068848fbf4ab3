//! Namespaces: the registry, and one RPC per file.
pub mod describe;
pub mod list;
mod offered;
pub mod register;
mod registry;
pub mod update;

pub use registry::{Namespace, Registry};
