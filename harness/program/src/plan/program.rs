//! Workflows and their actions.
use super::activity::{Activity, Backoff};
use super::client::Act;
use serde::{Deserialize, Serialize};

/// The search attribute that programs set: the official SDK takes no name that is made while it runs.
pub const ATTRIBUTE: &str = "CustomIntField";

/// Several workflows that run beside each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    pub workflows: Vec<Workflow>,
}

/// A workflow and what its clients do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// A word, unlike that of any other workflow of the program.
    pub id: String,
    pub start: Start,
    pub body: Body,
    pub clients: Vec<Act>,
}

/// How a workflow is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// After the program began.
    pub after_ms: u64,
    pub reuse: Reuse,
    pub conflict: Conflict,
    pub retry: Option<Retry>,
    /// Bounds one run.
    pub run_ms: Option<u64>,
    /// Bounds all runs together.
    pub execution_ms: Option<u64>,
    /// The first workflow task comes so late.
    pub delay_ms: u64,
    /// Whether it has all that a start may have beside: memo, header, summary, a timeout for workflow tasks.
    pub annotated: bool,
}

/// What is allowed if a closed run of the workflow id exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reuse {
    #[default]
    Allow,
    FailedOnly,
    Reject,
}

/// What is done if a run of the workflow id is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conflict {
    #[default]
    Fail,
    UseExisting,
    TerminateExisting,
}

/// How a workflow is tried again that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Runs at most; 0 is no bound.
    pub attempts_max: u32,
    pub backoff: Backoff,
}

/// Actions, one after the other.
pub type Body = Vec<Action>;

/// One thing that a workflow does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Activity(Activity),
    Timer(u64),
    /// Waits for a signal of that name, not longer than that.
    Wait {
        signal: String,
        at_most_ms: u64,
    },
    Signal {
        to: Target,
        signal: String,
    },
    Cancel(Target),
    Child(Child),
    /// Puts a value under a key of the memo.
    Memo {
        key: String,
        value: u64,
    },
    /// Sets the search attribute [`ATTRIBUTE`].
    Attribute(u64),
    /// Asks whether the code is of the newer version.
    Version(String),
    /// A body that is cancelled after a time.
    Scope {
        cancel_after_ms: u64,
        body: Body,
    },
    /// The first branch that ends cancels the others, which are waited for.
    Race(Vec<Body>),
    /// All branches, to their ends.
    Parallel(Vec<Body>),
    /// Only at the end of a workflow's or child's body.
    ContinueAsNew(Body),
    /// Ends the run. It may be tried again or not.
    Fail {
        for_good: bool,
    },
}

/// Another workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A workflow of the program.
    Workflow(String),
    /// A child of the one that runs.
    Child(String),
}

/// A child workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// A word, unlike that of any other child of the same body.
    pub id: String,
    pub policy: ClosePolicy,
    pub retry: Option<Retry>,
    pub run_ms: Option<u64>,
    /// Whether the parent waits for its end, or only for its start.
    pub awaited: bool,
    pub body: Body,
}

/// What becomes of a child whose parent closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClosePolicy {
    Terminate,
    Cancel,
    Abandon,
}
