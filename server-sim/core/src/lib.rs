//! The rules of workflow execution, and nothing else.
//!
//! [`decide`] takes a run's [`MutableState`], one [`Input`] and a [`Context`], and returns a [`Transition`]: what
//! happens next, and is not performed yet. There is no second way to change a run. No async, no I/O, no clock, no
//! randomness: of the outside world this crate knows Temporal's messages only.
//!
//! # The map
//! - `run/`: workflow runs. One folder for each part of a run, three registries (commands, events, inputs), and the rule
//!   which part may call which; its `mod.rs` says more.
//! - `rules/`: what Temporal prescribes and several parts or the frontend ask for: durations, retry policies, names,
//!   failures, task queues. Values in, values out; no state.
//! - [`Parts`] and [`CopyOnWrite`]: how a state is made, so that its copies share what they have not changed.
//!
//! # Kinds of entity
//! A workflow run is one kind of entity, and what a shard asks about one to change it are [`decide`], [`decide_timer`] and
//! [`Input::may_open_run`]; what it reads of one are methods of [`MutableState`]. Another kind (a schedule, an activity of
//! its own, a Nexus operation) is a folder beside `run/`, with its own state made of [`Parts`], its own `Input` and `Reply`,
//! and its own pure `decide`. What is written of it and what is asked of matching looks the same to a shard: an expected
//! version, the parts that were touched, tasks. Nothing in `run/` is called from such a folder, and nothing of such a folder
//! from `run/`: entities ask each other as runs do, by a task and an idempotent call ([`CrossCall`]).
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod context;
mod copy_on_write;
mod ids;
mod known_events;
mod parts;
#[cfg(feature = "chaos")]
pub mod planted;
mod rejection;
pub mod rules;
mod run;
mod task;
pub mod wire;

pub use context::*;
pub use copy_on_write::CopyOnWrite;
pub use ids::*;
pub use known_events::KnownEvents;
pub use parts::Parts;
pub use rejection::Rejection;
pub use run::*;
pub use task::*;

pub(crate) use run::decision::Decision;

/// Decides what one input does to a run.
///
/// # Errors
/// A [`Rejection`] means that nothing changed and nothing needs to be written.
pub fn decide(state: Option<&MutableState>, input: Input, context: &Context) -> Result<Transition, Rejection> {
    run::inputs::decide(state, input, context)
}

/// Decides what a timer task that is due does to its run. `None` if it does nothing: the run is gone, or awaits no such
/// timer any more.
pub fn decide_timer(state: Option<&MutableState>, task: TimerTask, context: &Context) -> Option<Transition> {
    // Retention has no effect yet: the closed run stays where it is.
    if task.kind == TimerKind::DeleteHistory {
        return None;
    }
    let transition = decide(Some(state?), Input::FireTimer(task), context).ok()?;
    (!transition.runs.is_empty()).then_some(transition)
}

/// Who the server says it is where it acts on its own.
pub(crate) const HISTORY_SERVICE: &str = "history-service";
pub(crate) const WORKFLOW_COMPLETED: &str = "workflow execution already completed";
