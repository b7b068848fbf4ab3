//! The run's children: asked for by a command, started by a cross-workflow call, heard of when they close. What a run is
//! to its own parent is in [`crate::run::parent`].
pub(crate) mod closed;
mod cross_call;
pub(crate) mod events;
pub(crate) mod record;
pub(crate) mod start;
mod state;
mod view;

pub use state::{Child, ChildStart};
