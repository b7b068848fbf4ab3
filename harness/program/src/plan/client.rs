//! What clients do to a workflow, from outside.
use serde::{Deserialize, Serialize};

/// One thing that a client does, some time after its workflow was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    pub after_ms: u64,
    pub action: ClientAction,
}

/// What a client does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAction {
    Signal(String),
    /// Several signals of one name at once, each on a call of its own.
    Burst {
        signal: String,
        times: u32,
    },
    /// A signal that starts the workflow if it does not run.
    SignalWithStart(String),
    /// Once more, as the program's start says.
    Start,
    Cancel,
    Terminate,
    /// Terminates a child of the workflow, by its name.
    TerminateChild(String),
    /// Speaks for an activity of the current run, by its id.
    ById {
        says: ById,
        path: String,
    },
    /// The next workflow task is for any worker.
    ResetSticky,
    /// Reads of the cluster, the namespaces and the queue what there is to read.
    LookAround,
    Describe,
    /// Reads the history in pages of so many events.
    Pages(u32),
    /// Reads the history from its end, in pages of so many events.
    PagesReversed(u32),
    /// Follows the history event by event until the run closes.
    Follow,
}

/// What a client says of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ById {
    Completes,
    Fails,
    Cancelled,
    Beats,
}
