//! The rules of workflow execution, and nothing else.
//!
//! [`decide`] takes a run's [`MutableState`], one [`Input`] and a [`Context`], and returns a [`Transition`]: what
//! happens next, performed by nobody yet. There is no second way to change a run. No async, no I/O, no clock, no
//! randomness: of the outside world this crate knows Temporal's messages only.
#![forbid(unsafe_code)]

mod ids;
pub mod wire;

pub use ids::*;
