//! What a workflow can do, whichever worker executes it.
use super::RunInput;
use crate::plan::{Activity, Child};
use futures::future::LocalBoxFuture;
use std::fmt;

/// A worker, as the code of a workflow sees it. Clones are the same workflow.
pub trait Surroundings: Clone + 'static {
    /// What can be cancelled at once.
    type Scope: Clone + 'static;

    fn workflow_id(&self) -> String;
    /// Cancelled with the workflow.
    fn root(&self) -> Self::Scope;
    /// Cancelled with the scope it is made from, or by itself.
    fn scope_below(&self, scope: &Self::Scope) -> Self::Scope;
    fn cancel(&self, scope: &Self::Scope);
    fn is_cancelled(&self, scope: &Self::Scope) -> bool;

    fn activity(&self, scope: &Self::Scope, order: ActivityOrder) -> LocalBoxFuture<'static, ActivityEnd>;
    /// True if it fired, false if its scope was cancelled. A cancelled workflow does not cancel it.
    fn timer(&self, scope: &Self::Scope, ms: u64) -> LocalBoxFuture<'static, bool>;
    /// Takes the oldest signal of that name; false if the scope was cancelled before there was one.
    fn received(&self, scope: &Self::Scope, signal: String) -> LocalBoxFuture<'static, bool>;
    /// No scope takes it back.
    fn signal(&self, workflow_id: String, signal: String) -> LocalBoxFuture<'static, Asked>;
    /// No scope takes it back.
    fn request_cancel(&self, workflow_id: String) -> LocalBoxFuture<'static, Asked>;
    fn child(&self, scope: &Self::Scope, order: ChildOrder) -> LocalBoxFuture<'static, ChildEnd>;
    fn memo(&self, key: &str, value: u64);
    /// Sets [`ATTRIBUTE`](crate::ATTRIBUTE).
    fn attribute(&self, value: u64);
    fn version(&self, change: &str) -> bool;
}

/// An activity to be scheduled; its path is its activity id.
#[derive(Clone, Debug)]
pub struct ActivityOrder {
    pub path: String,
    pub activity: Activity,
}

/// A child to be started.
#[derive(Clone, Debug)]
pub struct ChildOrder {
    pub workflow_id: String,
    pub input: RunInput,
    pub child: Child,
}

/// Which timeout ended an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    ScheduleToStart,
    StartToClose,
    ScheduleToClose,
    Heartbeat,
}

/// What a workflow hears of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityEnd {
    /// By the attempt of that number.
    Completed(u32),
    Failed,
    TimedOut(Timeout),
    Cancelled,
}

/// What a workflow hears of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildEnd {
    /// Its parent does not wait for more.
    Started,
    NotStarted,
    Completed,
    Failed,
    TimedOut,
    Cancelled,
    Terminated,
}

/// What came of a signal or a cancel request to another workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Delivered,
    Refused,
}

impl fmt::Display for ActivityEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActivityEnd::Completed(attempt) => write!(f, "completed by attempt {attempt}"),
            ActivityEnd::Failed => f.write_str("failed"),
            ActivityEnd::TimedOut(Timeout::ScheduleToStart) => f.write_str("timed out from schedule to start"),
            ActivityEnd::TimedOut(Timeout::StartToClose) => f.write_str("timed out from start to close"),
            ActivityEnd::TimedOut(Timeout::ScheduleToClose) => f.write_str("timed out from schedule to close"),
            ActivityEnd::TimedOut(Timeout::Heartbeat) => f.write_str("timed out between heartbeats"),
            ActivityEnd::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl fmt::Display for ChildEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ChildEnd::Started => "started",
            ChildEnd::NotStarted => "not started",
            ChildEnd::Completed => "completed",
            ChildEnd::Failed => "failed",
            ChildEnd::TimedOut => "timed out",
            ChildEnd::Cancelled => "cancelled",
            ChildEnd::Terminated => "terminated",
        })
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Asked::Delivered => "delivered",
            Asked::Refused => "refused",
        })
    }
}
