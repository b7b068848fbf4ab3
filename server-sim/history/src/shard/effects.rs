//! What the machine of a shard asks of its driver.
use super::cross_calls::OutboundCall;
use super::events::Event;
use super::lag::Posted;
use super::request::{Answer, Request};
use std::time::Duration;
use tempest_api::{ServiceError, WorkflowKey};
use tempest_core::{BranchRef, EventId, RunId, RunKey, TransferTask};
use tempest_store::{RangeId, ShardCommit, TaskKey};

/// To be performed in the order in which they are returned, none of them awaited.
pub(crate) enum Effect {
    /// Hand this to the store before the next commit. Ends as [`Event::CommitEnded`], in the same order.
    Commit(Box<ShardCommit>),
    /// What the answer rests on is durable and proven: its callers may hear it.
    Give(Answer),
    /// What the answer rests on has not come to be, or may not have.
    Withdraw(Answer, ServiceError),
    /// Give a request back that was not decided.
    Refuse(Box<Request>, ServiceError),
    /// Tell operators how far the queues are behind.
    PostLag(Posted),
    /// Begin this beside the shard.
    Begin(Work),
}

/// What takes time and ends with an [`Event`]. The machine begins no more of it than its limits allow.
pub(crate) enum Work {
    /// Read which run is current, and the run meant (if none is named, the current one): [`Event::Loaded`].
    Load { workflow: WorkflowKey, run_id: RunId },
    /// Read an event of a run's history and what follows it in its batch: [`Event::EventsRead`].
    ReadEvents { workflow: WorkflowKey, branch: BranchRef, event_id: EventId },
    /// Read a page of transfer tasks, however often it takes: [`Event::TransferPage`].
    ReadTransfers(TaskPage),
    /// Read a page of timers, however often it takes: [`Event::TimerPage`].
    ReadTimers(TaskPage),
    /// Ask the store which range id the shard has now, unless it is `believed`: [`Event::Proven`].
    Prove { believed: Option<RangeId> },
    /// Give a task to matching: [`Event::TransferSent`].
    Send { id: i64, run: RunKey, task: TransferTask },
    /// Make a cross-workflow call and record its outcome: [`Event::TransferSent`].
    Call(Box<OutboundCall>),
    /// Ask the sender of a call whether it still waits for it: [`Event::SenderAsked`].
    AskSender { question: u64, sender: RunKey, task: TransferTask },
    /// Hand this event back after a pause.
    Later { pause: Duration, event: Box<Event> },
}

/// Tasks with keys between `after` and `before` (both exclusive), at most `limit`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskPage {
    pub after: TaskKey,
    pub before: TaskKey,
    pub limit: usize,
}
