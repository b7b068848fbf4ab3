//! Runs the cross-workflow calls of transfer tasks: calls to other runs, wherever these live, and the record of how they
//! ended. The core says what to ask and what to make of the answer (`tempest_core::CrossCall`); here it is asked until that
//! is certain. An error means that the whole cross-workflow call is run again later.
use super::Node;
use crate::history_read::{PageSize, read_events};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tempest_api::proto::enums::v1::{
    CancelExternalWorkflowExecutionFailedCause as CancelFailed,
    SignalExternalWorkflowExecutionFailedCause as SignalFailed, StartChildWorkflowExecutionFailedCause as StartFailed,
};
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{HistoryService, Reply, ServiceError, ServiceResult, Target};
use tempest_core::{
    BranchRef, ChildClosed, ClosePolicyCall, CrossCall, CrossCallEnd, EventId, Input, OtherRun, Outcome,
    ReportToParent, RunId, RunKey, StartChild, ToRun,
};
use tempest_store::Store;

/// By how much a child's start is recorded late where the simulation wants it so: as if its parent's shard were far away or
/// being taken. Longer than it takes a child to be ended by a short timeout.
const STARTED_LATE_BY: Duration = Duration::from_secs(1);

/// By how much a refusal that should not have been believed is recorded late, where that bug is planted. Only until then the
/// cross-workflow call counts as wanted, so that a new owner of the shard performs a duplicate of it.
const REFUSED_LATE_BY: Duration = Duration::from_secs(25);

/// A cross-workflow call with what it rests on.
pub(crate) struct Business {
    pub run: RunKey,
    pub branch: BranchRef,
    pub next_event_id: EventId,
    pub cross_call: CrossCall,
}

/// The cross-workflow call of a transfer task, which may be made.
pub(crate) struct OutboundCall {
    /// The task's.
    pub id: i64,
    pub business: Business,
    /// Whether a late duplicate may follow, of a try that was made before.
    pub duplicates_follow: bool,
}

pub(super) struct CrossCalls {
    peers: Weak<dyn HistoryService>,
    store: Arc<dyn Store>,
    nodes_per_read: usize,
    duplicates_follow: bool,
}

impl CrossCalls {
    pub fn of(node: &Node, duplicates_follow: bool) -> Self {
        Self {
            peers: node.peers.clone(),
            store: node.store.clone(),
            nodes_per_read: node.config.history_nodes_per_read,
            duplicates_follow,
        }
    }

    /// A refusal is the outcome only if nothing can come after it: a duplicate that is on its way may find what was missing,
    /// or find gone what was in its way, and do what is recorded as failed.
    async fn no_duplicate_follows(&self) -> ServiceResult<()> {
        if !self.duplicates_follow {
            return Ok(());
        }
        if tempest_rt::planted!(crate::plants::REFUSAL_BELIEVED_ALTHOUGH_DUPLICATES_FOLLOW) {
            tempest_rt::time::sleep(REFUSED_LATE_BY).await;
            return Ok(());
        }
        tempest_rt::probe!("history-refusal-not-believed");
        Err(ServiceError::Unavailable("a duplicate of this call may be on its way: it is made again later".into()))
    }

    /// How a cross-workflow call ended, unless it was refused too early.
    async fn certain(&self, outcome: Outcome) -> ServiceResult<Outcome> {
        if outcome.is_refusal() {
            self.no_duplicate_follows().await?;
        }
        Ok(outcome)
    }

    pub async fn run(&self, business: Business) -> ServiceResult<()> {
        let peers = self.peers.upgrade().ok_or_else(|| ServiceError::Unavailable("the node is stopping".into()))?;
        let Business { run, branch, next_event_id, cross_call } = business;
        match cross_call {
            CrossCall::StartChild { child, otherwise } => self.start_child(&*peers, &run, *child, otherwise).await,
            CrossCall::BeginChild { child, parent } => {
                unless_gone(tell(&*peers, Target::of(&child), Input::BeginChild(parent)).await)
            }
            CrossCall::Settle(policy_call) => match ask(&*peers, policy_call).await {
                Err(ServiceError::NotFound(_) | ServiceError::NamespaceNotFound(_)) => {
                    self.no_duplicate_follows().await
                }
                result => result,
            },
            CrossCall::Signal(to) => {
                let initiated_event_id = to.from.initiated_event_id;
                let again = tempest_rt::planted!(crate::plants::UNKNOWN_SIGNAL_SENT_ANEW)
                    .then(|| (to.from.clone(), to.request.clone()));
                let target = Target::named(&to.namespace_id, to.request.workflow_execution.as_ref());
                let mut sent =
                    tell(&*peers, target.clone(), Input::SignalByWorkflow(to.from, Box::new(to.request))).await;
                if let (Err(ServiceError::OutcomeUnknown(_)), Some((from, request))) = (&sent, again) {
                    let request =
                        api::SignalWorkflowExecutionRequest { request_id: tempest_rt::entropy::uuid(), ..request };
                    sent = tell(&*peers, target, Input::SignalByWorkflow(from, Box::new(request))).await;
                }
                let outcome = self.certain(signaled(sent)?).await?;
                record(&*peers, &run, initiated_event_id, outcome).await
            }
            CrossCall::Cancel(to) => {
                let initiated_event_id = to.from.initiated_event_id;
                let outcome = self.certain(cancelled(cancel(&*peers, to).await)?).await?;
                record(&*peers, &run, initiated_event_id, outcome).await
            }
            CrossCall::Known(end) => unless_gone(tell(&*peers, Target::of(&run), Input::CrossCallEnded(end)).await),
            CrossCall::Close { report, children } => {
                if let Some(report) = report {
                    self.report(&*peers, report, &branch, next_event_id - 1).await?;
                }
                for policy_call in children {
                    settle(&*peers, policy_call).await?;
                }
                Ok(())
            }
        }
    }

    /// The child is started, its parent told, and only then it may begin.
    async fn start_child(
        &self,
        peers: &dyn HistoryService,
        parent: &RunKey,
        child: StartChild,
        otherwise: ClosePolicyCall,
    ) -> ServiceResult<()> {
        let initiated_event_id = child.initiated_event_id;
        let RunKey { namespace_id, workflow_id, run_id } = parent.clone();
        let from = OtherRun { namespace_id, workflow_id, run_id, initiated_event_id, child_only: true };
        let target = Target::current(&child.namespace_id, &child.request.workflow_id);
        let workflow = target.workflow.clone();
        let started = peers.call(target, Input::StartChild(Box::new(child))).await.and_then(Reply::started);
        let outcome = self.certain(child_started(started.map(|started| started.run_id))?).await?;
        if tempest_rt::buggify!("history-child-start-recorded-late") {
            tempest_rt::time::sleep(STARTED_LATE_BY).await;
        }
        let end = CrossCallEnd { initiated_event_id, outcome: outcome.clone() };
        let recorded = tell(peers, Target::of(parent), Input::CrossCallEnded(end)).await;
        let Outcome::ChildStarted(run_id) = outcome else { return unless_gone(recorded) };
        match recorded {
            Ok(()) => {
                let child = Target { workflow, run_id };
                unless_gone(tell(peers, child, Input::BeginChild(from)).await)
            }
            Err(ServiceError::NotFound(_)) => {
                tempest_rt::probe!("history-child-started-of-closed-parent");
                settle(peers, otherwise).await
            }
            Err(error) => Err(error),
        }
    }

    /// Tells the parent how its child ended. A parent that is gone or has heard it needs nothing.
    async fn report(
        &self,
        peers: &dyn HistoryService,
        report: ReportToParent,
        branch: &BranchRef,
        last: EventId,
    ) -> ServiceResult<()> {
        let one = PageSize { events: 1, bytes: usize::MAX };
        let events = read_events(&*self.store, branch, last, last + 1, one, self.nodes_per_read).await?;
        let missing = || ServiceError::DataLoss(format!("event {last} of branch {} is missing", branch.branch));
        let closing = events.into_iter().next().ok_or_else(missing)?;
        let closed = ChildClosed {
            initiated_event_id: report.initiated_event_id,
            workflow_id: report.child.workflow_id,
            run_id: report.child.run_id,
            first_execution_run_id: report.first_execution_run_id,
            closing,
        };
        unless_gone(tell(peers, Target::of(&report.parent), Input::ChildClosed(Box::new(closed))).await)
    }
}

/// What becomes of a child whose parent has closed. Where there is no such child, nothing does.
async fn settle(peers: &dyn HistoryService, policy_call: ClosePolicyCall) -> ServiceResult<()> {
    unless_gone(ask(peers, policy_call).await)
}

/// Ends the child, asks it to end, or lets it begin.
async fn ask(peers: &dyn HistoryService, policy_call: ClosePolicyCall) -> ServiceResult<()> {
    match policy_call {
        ClosePolicyCall::Terminate(ToRun { namespace_id, from, request }) => {
            let (execution, chain) = (request.workflow_execution.as_ref(), &request.first_execution_run_id);
            let target = Target::of_chain(&namespace_id, execution, chain);
            tell(peers, target, Input::TerminateByWorkflow(from, Box::new(request))).await
        }
        ClosePolicyCall::Cancel(to) => cancel(peers, to).await,
        ClosePolicyCall::Abandon { child, parent } => tell(peers, Target::of(&child), Input::BeginChild(parent)).await,
    }
}

async fn cancel(
    peers: &dyn HistoryService,
    to: ToRun<api::RequestCancelWorkflowExecutionRequest>,
) -> ServiceResult<()> {
    let ToRun { namespace_id, from, request } = to;
    let (execution, chain) = (request.workflow_execution.as_ref(), &request.first_execution_run_id);
    let target = Target::of_chain(&namespace_id, execution, chain);
    tell(peers, target, Input::RequestCancelByWorkflow(from, Box::new(request))).await
}

/// A call whose reply says no more than that it was done.
async fn tell(peers: &dyn HistoryService, to: Target, input: Input) -> ServiceResult<()> {
    peers.call(to, input).await.map(drop)
}

async fn record(
    peers: &dyn HistoryService,
    run: &RunKey,
    initiated_event_id: EventId,
    outcome: Outcome,
) -> ServiceResult<()> {
    unless_gone(tell(peers, Target::of(run), Input::CrossCallEnded(CrossCallEnd { initiated_event_id, outcome })).await)
}

fn unless_gone(result: ServiceResult<()>) -> ServiceResult<()> {
    match result {
        Err(ServiceError::NotFound(_) | ServiceError::NamespaceNotFound(_)) => Ok(()),
        result => result,
    }
}

/// Only what certainly did not happen, and never will, has failed; everything else is an error, to be tried again.
fn child_started(result: ServiceResult<RunId>) -> ServiceResult<Outcome> {
    match result {
        Ok(run_id) => Ok(Outcome::ChildStarted(run_id)),
        Err(ServiceError::WorkflowExecutionAlreadyStarted { .. }) => {
            Ok(Outcome::start_failed(StartFailed::WorkflowAlreadyExists))
        }
        Err(ServiceError::NamespaceNotFound(_)) => Ok(Outcome::start_failed(StartFailed::NamespaceNotFound)),
        Err(ServiceError::OutcomeUnknown(_))
            if tempest_rt::planted!(crate::plants::UNKNOWN_CHILD_START_TREATED_AS_FAILED) =>
        {
            Ok(Outcome::start_failed(StartFailed::WorkflowAlreadyExists))
        }
        Err(error) => Err(error),
    }
}

fn signaled(result: ServiceResult<()>) -> ServiceResult<Outcome> {
    let cause = match result {
        Ok(()) => return Ok(Outcome::Signaled),
        Err(ServiceError::NotFound(_)) => SignalFailed::ExternalWorkflowExecutionNotFound,
        Err(ServiceError::NamespaceNotFound(_)) => SignalFailed::NamespaceNotFound,
        // Too many signals, or too large a run or batch: as in Temporal, one cause stands for all of them.
        Err(ServiceError::InvalidArgument(_)) => SignalFailed::SignalCountLimitExceeded,
        Err(error) => return Err(error),
    };
    Ok(Outcome::signal_failed(cause))
}

fn cancelled(result: ServiceResult<()>) -> ServiceResult<Outcome> {
    let cause = match result {
        Ok(()) => return Ok(Outcome::CancelRequested),
        Err(ServiceError::NotFound(_)) => CancelFailed::ExternalWorkflowExecutionNotFound,
        Err(ServiceError::NamespaceNotFound(_)) => CancelFailed::NamespaceNotFound,
        Err(error) => return Err(error),
    };
    Ok(Outcome::cancel_failed(cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_fails_a_cross_call() {
        let unknown = || ServiceError::OutcomeUnknown("who knows".into());
        let unavailable = || ServiceError::Unavailable("later".into());
        let gone = || ServiceError::NotFound("no such run".into());
        let nowhere = || ServiceError::NamespaceNotFound("shop".into());
        let full = || ServiceError::InvalidArgument("too many signals".into());
        let taken = || ServiceError::WorkflowExecutionAlreadyStarted {
            message: String::new(),
            start_request_id: String::new(),
            run_id: String::new(),
            first_execution_run_id: String::new(),
        };
        assert_eq!(child_started(Ok("r".into())), Ok(Outcome::ChildStarted("r".into())));
        assert_eq!(child_started(Err(taken())), Ok(Outcome::start_failed(StartFailed::WorkflowAlreadyExists)));
        assert_eq!(child_started(Err(nowhere())), Ok(Outcome::start_failed(StartFailed::NamespaceNotFound)));
        assert_eq!(signaled(Err(gone())), Ok(Outcome::signal_failed(SignalFailed::ExternalWorkflowExecutionNotFound)));
        assert_eq!(signaled(Err(full())), Ok(Outcome::signal_failed(SignalFailed::SignalCountLimitExceeded)));
        assert_eq!(cancelled(Err(gone())), Ok(Outcome::cancel_failed(CancelFailed::ExternalWorkflowExecutionNotFound)));
        for error in [unknown(), unavailable()] {
            assert_eq!(child_started(Err(error.clone())), Err(error.clone()));
            assert_eq!(signaled(Err(error.clone())), Err(error.clone()));
            assert_eq!(cancelled(Err(error.clone())), Err(error));
        }
    }
}
