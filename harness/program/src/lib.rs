//! Programs: workflows that no person wrote.
//!
//! A [`Program`] is a list of workflows, each a tree of actions (activities, timers, children, signals, scopes, races) with
//! what its clients do to it. It is drawn from a seed ([`generate`]), can be read and written as text ([`text`]), and runs on
//! two kinds of workers that know nothing of each other: the official SDK, and one of our own that speaks the protocol
//! ([`replay`]). Both do what [`interpret`] says, which is written once, against a trait. What may come of it, given what
//! activities and clients saw, is said by [`model`].
#![forbid(unsafe_code)]

mod calls;
pub mod clients;
pub mod generate;
pub mod interpret;
mod ledger;
pub mod model;
mod plan;
pub mod replay;
mod smaller;
pub mod text;
pub mod worker;

pub use calls::Calls;
pub use ledger::{Execution, Ledger, Objection, Said};
pub use plan::{
    ATTRIBUTE, Act, Action, Activity, Attempt, Backoff, Body, ById, CancelType, Child, ClientAction, ClosePolicy,
    Conflict, End, Program, Retry, Reuse, Start, Target, Workflow,
};
pub use smaller::smaller;
