//! Workflow runs: what a run is made of, and what happens to it.
//!
//! # Parts
//! One folder holds all there is of one part of a run: what the state keeps of it (`state.rs`), how events change that
//! (`events.rs`), its commands and inputs (one file each), and what is seen of it from outside (`view.rs`: the tasks it is
//! owed, its description, its size, what must hold).
//!
//! | part | is |
//! |---|---|
//! | `start` | how runs begin: the first event, the first backoff, the successor of a closed run |
//! | `admission` | what becomes of a request to start one: the reuse and conflict policies |
//! | `workflow_task` | scheduled, started, completed, failed, timed out; stickiness |
//! | `activity`, `timer`, `marker`, `properties` | what a workflow has by its commands |
//! | `child`, `external` | what a run asks of other runs: children, signals, cancellations |
//! | `signal`, `cancel` | what others ask of it |
//! | `parent` | what it is to its own parent |
//! | `close` | its end, and the retry after it |
//!
//! # Registries
//! Something new is a folder and its rows in four registries, each matched exhaustively so that nothing is forgotten:
//! `commands` (where a command stands, who handles it), `events` (which part a kind of event belongs to, when it is
//! written, whether it is read again, who applies it), `inputs` (who decides it; `fire_timer` and `cross_call_ended` are
//! its sub-registries), `part` (what a state keeps of which there may be many, each stored by itself).
//!
//! # Who may call whom
//! Files of this folder itself (the registries, `decision`, `buffer`, `limits`, `state`, views of the whole) may call every
//! part, and every part may call them. A part calls another only along these lines (`call_rule` keeps the list):
//! - what brings news schedules a workflow task: all but `external`, `marker` and `properties` call `workflow_task`;
//! - a workflow task waits for the run's first backoff, and one that can never be answered ends the run: `workflow_task`
//!   calls `start` and `close`;
//! - closing a run touches its children, and opens its successor: `close` calls `child`, `parent` and `start`;
//! - only a parent may do some things: `signal`, `cancel` and `close` ask `parent`;
//! - a request that gets a run of its own opens one, perhaps in place of another, perhaps with a first signal: `admission`
//!   calls `start`, `close` and `signal`, `start` calls `signal`, and `parent`, which starts its run as a child, both.
mod activity;
mod admission;
mod auxiliary;
mod buffer;
#[cfg(test)]
mod call_rule;
mod cancel;
mod child;
mod close;
pub(crate) mod commands;
mod cross_call;
mod cross_call_ended;
pub(crate) mod decision;
mod describe;
mod durable;
pub(crate) mod events;
mod external;
mod external_payloads;
mod fire_timer;
mod input;
pub(crate) mod inputs;
mod invariants;
mod limits;
mod marker;
mod needed_events;
mod owed;
mod parent;
mod part;
mod properties;
mod signal;
mod size;
mod start;
mod state;
mod text;
mod timer;
mod transition;
mod workflow_task;

pub use activity::{Activity, ActivityProgress, ActivityStart};
pub use auxiliary::{AuxiliaryChange, AuxiliaryState};
pub use buffer::{Buffer, BufferedEvent};
pub use child::{Child, ChildStart};
pub use close::Closed;
pub use commands::supports_command;
pub use cross_call::*;
pub use durable::DurableProjection;
pub use events::supports_event;
pub use external::{ExternalCancel, ExternalSignal};
pub use input::*;
pub use needed_events::may_be_needed;
pub use owed::Owed;
pub use part::{Part, PartKey};
pub use signal::{SeenSignals, SignalRequests};
pub use state::{Change, MutableState};
pub use timer::UserTimer;
pub use transition::*;
pub use workflow_task::{Sticky, WorkflowTask, WorkflowTaskAuxiliary};
