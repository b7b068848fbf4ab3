//! The rules of workflow execution, and nothing else.
//!
//! [`decide`] takes a run's [`MutableState`], one [`Input`] and a [`Context`], and returns a [`Transition`]: what
//! happens next, performed by nobody yet. There is no second way to change a run. No async, no I/O, no clock, no
//! randomness: of the outside world this crate knows Temporal's messages only.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod commands;
mod context;
mod decision;
mod entities;
mod errand;
mod ids;
mod input;
mod inputs;
mod invariants;
mod payloads;
#[cfg(feature = "chaos")]
pub mod planted;
mod rejection;
pub mod rules;
mod state;
mod task;
mod transition;
pub mod wire;

pub use context::*;
pub use errand::*;
pub use ids::*;
pub use input::*;
pub use rejection::Rejection;
pub use state::{
    Activity, ActivityProgress, ActivityStart, Change, Child, ChildStart, Closed, CopyOnWrite, DurableProjection,
    Ephemera, EphemeralChange, ExternalCancel, ExternalSignal, MutableState, Owed, PartKey, Parts, Sticky, UserTimer,
    WorkflowTask, WorkflowTaskEphemera,
};
pub use task::*;
pub use transition::*;

/// Decides what one input does to a run.
///
/// # Errors
/// A [`Rejection`] means that nothing changed and nothing needs to be written.
pub fn decide(state: Option<&MutableState>, input: Input, context: &Context) -> Result<Transition, Rejection> {
    inputs::decide(state, input, context)
}

pub(crate) use decision::Decision;

/// Who the server says it is where it acts on its own.
pub(crate) const HISTORY_SERVICE: &str = "history-service";
pub(crate) const WORKFLOW_COMPLETED: &str = "workflow execution already completed";
