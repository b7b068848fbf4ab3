//! History tasks: what a run still owes the world, durable until it is paid.
use crate::{EventId, RunKey, Time};
use serde::{Deserialize, Serialize};

/// A task with its run, as stored. It is only a hint: before it acts it is checked against the state
/// ([`crate::MutableState::task_is_due`] for transfer tasks, `decide` for timers), so acting twice or late is harmless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryTask {
    pub run: RunKey,
    pub kind: TaskKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskKind {
    Transfer(TransferTask),
    Timer(TimerTask),
}

/// Work for another service, at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferTask {
    /// Offer a scheduled workflow task to matching.
    WorkflowTask {
        scheduled_event_id: EventId,
        /// Distinguishes tasks of one scheduled id: rises each time a workflow task is scheduled anew.
        stamp: u64,
        task_queue: String,
        /// Set when `task_queue` is a sticky queue: the normal queue it stands for.
        sticky_for: Option<String>,
        /// A sticky queue gives up after this.
        schedule_to_start_timeout: Option<std::time::Duration>,
    },
    /// Offer a scheduled activity to matching.
    ActivityTask {
        scheduled_event_id: EventId,
        attempt: i32,
        task_queue: String,
        schedule_to_start_timeout: Option<std::time::Duration>,
    },
    /// Start a child, have its start recorded, and let it begin.
    StartChild {
        initiated_event_id: EventId,
    },
    SignalExternal {
        initiated_event_id: EventId,
    },
    CancelExternal {
        initiated_event_id: EventId,
    },
    /// The run has closed: its parent hears of it, and its children are ended as their parent close policies say.
    CloseExecution,
}

impl TransferTask {
    /// Whether matching takes it; the others have cross-workflow calls
    /// ([`MutableState::cross_call`](crate::MutableState::cross_call)).
    pub fn is_for_matching(&self) -> bool {
        matches!(self, Self::WorkflowTask { .. } | Self::ActivityTask { .. })
    }
}

/// Something that must happen at `fire_time`, in shard time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerTask {
    pub fire_time: Time,
    pub kind: TimerKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimerKind {
    /// Fires every user timer that has expired by then.
    UserTimer {
        started_event_id: EventId,
    },
    ActivityTimeout {
        scheduled_event_id: EventId,
        attempt: i32,
        timeout: ActivityTimeoutKind,
    },
    /// An activity's backoff is over: offer the next attempt.
    ActivityRetry {
        scheduled_event_id: EventId,
        attempt: i32,
    },
    WorkflowTaskTimeout {
        scheduled_event_id: EventId,
        stamp: u64,
        timeout: WorkflowTaskTimeoutKind,
    },
    /// Start delay, retry or continue-as-new backoff is over: schedule the first workflow task.
    WorkflowBackoff,
    RunTimeout,
    ExecutionTimeout,
    /// Retention is over: the closed run may be deleted.
    DeleteHistory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ActivityTimeoutKind {
    ScheduleToStart,
    ScheduleToClose,
    StartToClose,
    Heartbeat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkflowTaskTimeoutKind {
    ScheduleToStart,
    StartToClose,
}
