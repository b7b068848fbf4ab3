//! What a shard is asked, and the answers that wait until they may be given.
use tempest_api::proto::workflowservice::v1::DescribeWorkflowExecutionResponse;
use tempest_api::{HistoryPosition, HistoryWait, ServiceError, ServiceResult};
use tempest_core::{BranchRef, HistoryTask, Input, NamespaceId, RunId, RunKey, TransferTask, WorkflowId};
use tempest_store::{RangeId, TaskKey};
use tokio::sync::oneshot;

pub(crate) type ReplyTo<T> = oneshot::Sender<ServiceResult<T>>;

/// One thing asked of one workflow.
pub(crate) struct Request {
    pub target: Target,
    pub ask: Ask,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub workflow: WorkflowKey,
    /// Empty: the current run.
    pub run_id: RunId,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WorkflowKey {
    pub namespace_id: NamespaceId,
    pub workflow_id: WorkflowId,
}

impl WorkflowKey {
    pub fn of(run: &RunKey) -> Self {
        Self { namespace_id: run.namespace_id.clone(), workflow_id: run.workflow_id.clone() }
    }

    pub fn run(&self, run_id: RunId) -> RunKey {
        RunKey { namespace_id: self.namespace_id.clone(), workflow_id: self.workflow_id.clone(), run_id }
    }
}

impl Target {
    pub fn of(run: &RunKey) -> Self {
        Self { workflow: WorkflowKey::of(run), run_id: run.run_id.clone() }
    }
}

pub(crate) enum Ask {
    /// A caller's input. If it is an errand whose sender has confirmed that it waits for it: the range under which it was
    /// asked whether it does.
    Decide(Box<Input>, Option<RangeId>, ReplyTo<Decided>),
    Describe(ReplyTo<DescribeWorkflowExecutionResponse>),
    Position(Option<HistoryWait>, ReplyTo<HistoryPosition>),
    TransferIsDue(TransferTask, ReplyTo<bool>),
    AwaitsErrand(TransferTask, ReplyTo<bool>),
    /// The timer queue's own: fire what is due.
    FireTimer(TaskKey, HistoryTask),
    /// The transfer queue's own: send what is still wanted.
    SendTransfer(i64, HistoryTask),
}

impl Ask {
    /// Whether somebody outside the shard waits for it; the queues' own asks are read again from the store.
    pub fn has_caller(&self) -> bool {
        !matches!(self, Self::FireTimer(..) | Self::SendTransfer(..))
    }

    /// Whether the caller has gone away: what was not begun need not be done.
    pub fn is_abandoned(&self) -> bool {
        match self {
            Self::Decide(_, _, reply) => reply.is_closed(),
            Self::Describe(reply) => reply.is_closed(),
            Self::Position(_, reply) => reply.is_closed(),
            Self::TransferIsDue(_, reply) | Self::AwaitsErrand(_, reply) => reply.is_closed(),
            Self::FireTimer(..) | Self::SendTransfer(..) => false,
        }
    }

    /// Answers the caller with an error that needs no proof: nothing was done.
    pub fn refuse(self, error: ServiceError) {
        match self {
            Self::Decide(_, _, reply) => drop(reply.send(Err(error))),
            Self::Describe(reply) => drop(reply.send(Err(error))),
            Self::Position(_, reply) => drop(reply.send(Err(error))),
            Self::TransferIsDue(_, reply) | Self::AwaitsErrand(_, reply) => drop(reply.send(Err(error))),
            Self::FireTimer(..) | Self::SendTransfer(..) => {}
        }
    }
}

/// What came of an input.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub run: RunKey,
    pub branch: BranchRef,
    pub reply: tempest_core::Reply,
}

/// An answer that may be given once what it rests on is durable (and, where nothing was written, once ownership is
/// proven); until then nobody may see it.
pub(crate) struct Answer(Box<dyn FnOnce(Result<(), ServiceError>) + Send>);

impl Answer {
    pub fn new<T: Send + 'static>(to: ReplyTo<T>, result: ServiceResult<T>) -> Self {
        // A caller that has gone away needs no answer.
        Self(Box::new(move |grounds| drop(to.send(grounds.and(result)))))
    }

    /// The same, and `given` is done first, if the answer is given.
    pub fn before(self, given: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(move |grounds| {
            if grounds.is_ok() {
                given();
            }
            (self.0)(grounds);
        }))
    }

    pub fn give(self) {
        (self.0)(Ok(()));
    }

    /// What it rested on did not come to be.
    pub fn withdraw(self, error: ServiceError) {
        (self.0)(Err(error));
    }
}
