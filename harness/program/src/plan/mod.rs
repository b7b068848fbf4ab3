//! What a program is made of. Times are milliseconds.
mod activity;
mod client;
mod program;

pub use activity::{Activity, Attempt, Backoff, CancelType, End};
pub use client::{Act, ById, ClientAction};
pub use program::{
    ATTRIBUTE, Action, Body, Child, ClosePolicy, Conflict, Program, Retry, Reuse, Start, Target, Workflow,
};
