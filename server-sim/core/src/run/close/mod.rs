//! The end of a run: by a command of its worker, by a person, or by its own or its chain's timeout.
pub(crate) mod cancel;
pub(crate) mod complete;
pub(crate) mod continue_as_new;
mod cross_call;
mod end;
pub(crate) mod events;
pub(crate) mod fail;
mod retry;
pub(crate) mod terminate;
pub(crate) mod timeout;

use crate::{RunId, Time};
use serde::{Deserialize, Serialize};

/// How and when a run closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// A `WorkflowExecutionStatus`.
    pub status: i32,
    pub time: Time,
    /// The run that goes on in its place.
    pub successor: Option<RunId>,
}
