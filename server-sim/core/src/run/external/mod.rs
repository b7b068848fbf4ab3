//! Signals to other runs and requests that they be cancelled: asked for by a command, delivered by a cross-workflow call.
pub(crate) mod cancel;
mod cross_call;
pub(crate) mod events;
pub(crate) mod record;
pub(crate) mod signal;
mod state;
mod target;
mod view;

pub use state::{ExternalCancel, ExternalSignal};
