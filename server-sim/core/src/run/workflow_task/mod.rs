//! Workflow tasks: scheduled, started, then completed, failed or timed out. The first attempt writes its events as it
//! goes. Later attempts are *transient*: only the counter moves, and a completion writes scheduled and started after
//! the fact. A failure while a sticky queue is set only clears it, since the worker that held the cache may be gone.
pub(crate) mod caches;
pub(crate) mod complete;
pub(crate) mod end;
pub(crate) mod events;
pub(crate) mod fail;
pub(crate) mod record_started;
pub(crate) mod schedule;
mod state;
pub(crate) mod sticky;
pub(crate) mod timeout;
mod view;

pub use caches::Caches;
pub use state::{WorkflowTask, WorkflowTaskAuxiliary};
pub use sticky::Sticky;
