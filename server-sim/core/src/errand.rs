//! Errands: what a run's transfer task asks of *other* runs, wherever they live.
//!
//! Two runs are never changed in one commit. Each thing one run asks of another goes the same way:
//! 1. an event (`...Initiated`) and a transfer task are committed with the run that asks;
//! 2. the task's errand is one idempotent call to the other run: [`MutableState::errand`] says which, with a request id
//!    that follows from the run and the event, so that every repetition carries the same one;
//! 3. its end comes back as an [`crate::Input`], and only then is the task deleted.
//!
//! Every step may be repeated, late, or lost and repeated. What that can lead to, and what is done about it:
//! - *The answer to a start gets lost.* The repeated start finds the child, even when the child's chain has gone on to
//!   another run meanwhile: a run knows which event of which run it is the child of.
//! - *The child ends before its start is recorded* (a signal may let it begin, a timeout or a person may end it). The
//!   parent then records the start first, and the end right after it. The start, when it comes, finds no pending child.
//! - *The child must not begin before its start is recorded*, or the parent could close without knowing of a running
//!   child. It gets its first workflow task from the parent's task, after the record ([`Errand::BeginChild`]).
//! - *The parent closes before it has recorded the start.* The start may have happened all the same. Whoever holds the
//!   task then settles the child: ended by its policy, or told to begin if it is to be abandoned.
//! - *The parent closes after it.* `CloseExecution` ends the children; those of other parents by the same workflow id
//!   are spared, since a run is asked as somebody's child.
//! - *The child goes on in another run* (continue-as-new, retry). Only the last run of the chain reports.
//! - *The parent is gone, closed, or has heard it already.* There is nobody to tell, and the errand is done.
//! - *A call arrives late that was made before another one was answered.* What it asks for may be done and over. Whoever
//!   cannot remember asks the run that wanted it whether it still waits ([`MutableState::awaits`]).
//! - *Nobody knows how a call ended.* It is made again. Only a definite refusal becomes a `...Failed` event, and only once
//!   no earlier call can be on its way any more that would do what the event denies.
use crate::{EventId, MutableState, NamespaceId, RunId, RunKey, TransferTask, WorkflowId, state::Child, wire};
use serde::{Deserialize, Serialize};
use temporalio_protos::temporal::api::{
    common::v1::{Priority, WorkflowExecution},
    enums::v1::{
        CancelExternalWorkflowExecutionFailedCause as CancelFailed, ParentClosePolicy,
        SignalExternalWorkflowExecutionFailedCause as SignalFailed,
        StartChildWorkflowExecutionFailedCause as StartFailed, WorkflowIdConflictPolicy,
    },
    history::v1::HistoryEvent,
    workflowservice::v1 as api,
};

/// What children are told when their parent closes.
const BY_PARENT_CLOSE_POLICY: &str = "by parent close policy";

/// One transfer task's business with other runs.
#[derive(Clone, Debug)]
pub enum Errand {
    /// Start it, tell the run that asked how that ended, let it begin. If that run has closed meanwhile, settle it.
    StartChild {
        child: Box<StartChild>,
        otherwise: ChildFate,
    },
    /// Its start is recorded: it may begin.
    BeginChild {
        child: RunKey,
        parent: OtherRun,
    },
    /// The run closed before it heard of the start.
    Settle(ChildFate),
    Signal(ToRun<api::SignalWorkflowExecutionRequest>),
    Cancel(ToRun<api::RequestCancelWorkflowExecutionRequest>),
    /// What came of it is known without asking anybody.
    Known(ErrandEnd),
    /// The run closed.
    Close {
        report: Option<ReportToParent>,
        children: Vec<ChildFate>,
    },
}

/// A request to a run of this namespace, on behalf of another.
#[derive(Clone, Debug)]
pub struct ToRun<T> {
    pub namespace_id: NamespaceId,
    pub from: OtherRun,
    pub request: T,
}

/// The run that acts on another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherRun {
    pub namespace_id: NamespaceId,
    pub workflow_id: WorkflowId,
    pub run_id: RunId,
    /// Its event that says so; 0 where a policy does.
    pub initiated_event_id: EventId,
    /// Refuse it unless the run that is acted on is its child.
    pub child_only: bool,
}

impl OtherRun {
    pub fn key(&self) -> RunKey {
        let Self { namespace_id, workflow_id, run_id, .. } = self.clone();
        RunKey { namespace_id, workflow_id, run_id }
    }
}

/// What happens to a child whose parent has closed.
#[derive(Clone, Debug)]
pub enum ChildFate {
    Terminate(ToRun<api::TerminateWorkflowExecutionRequest>),
    Cancel(ToRun<api::RequestCancelWorkflowExecutionRequest>),
    /// It goes on by itself: only its first workflow task may still be missing.
    Abandon {
        child: RunKey,
        parent: OtherRun,
    },
}

/// A request to start a run as another one's child.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StartChild {
    /// The child's.
    pub namespace_id: NamespaceId,
    #[serde(with = "wire")]
    pub request: api::StartWorkflowExecutionRequest,
    pub parent: RunKey,
    pub parent_namespace: String,
    pub initiated_event_id: EventId,
    /// The run at the root of the tree.
    #[serde(with = "wire")]
    pub root: WorkflowExecution,
}

/// Who is to hear that a child's last run has closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportToParent {
    pub parent: RunKey,
    pub initiated_event_id: EventId,
    pub child: RunKey,
    pub first_execution_run_id: RunId,
}

/// The last run of a child's chain has closed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChildClosed {
    pub initiated_event_id: EventId,
    pub workflow_id: WorkflowId,
    pub run_id: RunId,
    /// Of its chain: what its start was recorded with.
    pub first_execution_run_id: RunId,
    /// Its last event.
    #[serde(with = "wire")]
    pub closing: HistoryEvent,
}

/// How an errand ended, certainly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrandEnd {
    pub initiated_event_id: EventId,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// With its first run.
    ChildStarted(RunId),
    /// The causes are values of their protobuf enums.
    ChildStartFailed(i32),
    Signaled,
    SignalFailed(i32),
    CancelRequested,
    CancelFailed(i32),
}

impl Outcome {
    /// Whether it did not happen.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::ChildStartFailed(_) | Self::SignalFailed(_) | Self::CancelFailed(_) => true,
            Self::ChildStarted(_) | Self::Signaled | Self::CancelRequested => false,
        }
    }
}

impl MutableState {
    /// What a transfer task still has to do with other runs; `None` if nothing, or if it is a task for matching.
    pub fn errand(&self, task: &TransferTask) -> Option<Errand> {
        match task {
            TransferTask::WorkflowTask { .. } | TransferTask::ActivityTask { .. } => None,
            TransferTask::StartChild { initiated_event_id } => {
                self.child_errand(self.pending_child(*initiated_event_id)?)
            }
            TransferTask::SignalExternal { initiated_event_id } => self.signal_errand(*initiated_event_id),
            TransferTask::CancelExternal { initiated_event_id } => self.cancel_errand(*initiated_event_id),
            TransferTask::CloseExecution => self.close_errand(),
        }
    }

    /// Whether this run still waits to hear how such an errand ended. If not, a call of it that is made or arrives only now
    /// would do what nobody asks for any more.
    pub fn awaits(&self, task: &TransferTask) -> bool {
        matches!(self.errand(task), Some(Errand::StartChild { .. } | Errand::Signal(_) | Errand::Cancel(_)))
    }

    fn child_errand(&self, child: &Child) -> Option<Errand> {
        let start = self.child_start(child.initiated_event_id);
        match (start, self.is_open()) {
            (Some(start), open) => {
                // Of a closed run, only the children that it abandons may begin; the others are ended.
                let abandoned = child.attributes.parent_close_policy() == ParentClosePolicy::Abandon;
                let key = RunKey { run_id: start.run_id, ..self.child_key(child) };
                let parent = self.as_parent(child);
                (open || abandoned).then_some(Errand::BeginChild { child: key, parent })
            }
            (None, false) => Some(Errand::Settle(self.fate(child))),
            (None, true) => {
                Some(Errand::StartChild { child: Box::new(self.start_child(child)), otherwise: self.fate(child) })
            }
        }
    }

    fn start_child(&self, child: &Child) -> StartChild {
        let attributes = child.attributes.as_ref();
        let started = self.durable.started.as_ref();
        let mut request = api::StartWorkflowExecutionRequest {
            namespace: attributes.namespace.clone(),
            workflow_id: attributes.workflow_id.clone(),
            workflow_type: attributes.workflow_type.clone(),
            task_queue: attributes.task_queue.clone(),
            input: attributes.input.clone(),
            header: attributes.header.clone(),
            workflow_execution_timeout: attributes.workflow_execution_timeout,
            workflow_run_timeout: attributes.workflow_run_timeout,
            workflow_task_timeout: attributes.workflow_task_timeout,
            request_id: self.request_id(child.initiated_event_id),
            workflow_id_reuse_policy: attributes.workflow_id_reuse_policy,
            retry_policy: attributes.retry_policy.clone(),
            cron_schedule: attributes.cron_schedule.clone(),
            memo: attributes.memo.clone(),
            search_attributes: attributes.search_attributes.clone(),
            user_metadata: child.user_metadata.clone(),
            priority: merged(started.priority.as_ref(), attributes.priority.as_ref()),
            ..api::StartWorkflowExecutionRequest::default()
        };
        request.set_workflow_id_conflict_policy(WorkflowIdConflictPolicy::Fail);
        StartChild {
            namespace_id: NamespaceId(attributes.namespace_id.clone()),
            request,
            parent: self.key().clone(),
            parent_namespace: attributes.namespace.clone(),
            initiated_event_id: child.initiated_event_id,
            root: started.root_workflow_execution.clone().unwrap_or_else(|| self.execution()),
        }
    }

    /// What becomes of a child when this run closes. It is asked across the runs of its chain, and only as our child.
    fn fate(&self, child: &Child) -> ChildFate {
        let start = self.child_start(child.initiated_event_id);
        let first_execution_run_id = start.map_or(String::new(), |start| start.run_id.0);
        let attributes = child.attributes.as_ref();
        let workflow_execution =
            Some(WorkflowExecution { workflow_id: attributes.workflow_id.clone(), run_id: String::new() });
        let parent = self.as_parent(child);
        let from = OtherRun { initiated_event_id: 0, ..parent.clone() };
        let namespace_id = NamespaceId(attributes.namespace_id.clone());
        match attributes.parent_close_policy() {
            ParentClosePolicy::Abandon => ChildFate::Abandon { child: self.child_key(child), parent },
            ParentClosePolicy::RequestCancel => {
                let request = api::RequestCancelWorkflowExecutionRequest {
                    namespace: attributes.namespace.clone(),
                    workflow_execution,
                    identity: crate::HISTORY_SERVICE.to_owned(),
                    request_id: self.request_id(child.initiated_event_id),
                    first_execution_run_id,
                    ..api::RequestCancelWorkflowExecutionRequest::default()
                };
                ChildFate::Cancel(ToRun { namespace_id, from, request })
            }
            ParentClosePolicy::Terminate | ParentClosePolicy::Unspecified => {
                let request = api::TerminateWorkflowExecutionRequest {
                    namespace: attributes.namespace.clone(),
                    workflow_execution,
                    reason: BY_PARENT_CLOSE_POLICY.to_owned(),
                    identity: crate::HISTORY_SERVICE.to_owned(),
                    first_execution_run_id,
                    ..api::TerminateWorkflowExecutionRequest::default()
                };
                ChildFate::Terminate(ToRun { namespace_id, from, request })
            }
        }
    }

    fn signal_errand(&self, initiated_event_id: EventId) -> Option<Errand> {
        let signal = self.pending_signal(initiated_event_id).filter(|_| self.is_open())?;
        let attributes = signal.attributes.as_ref();
        if self.is_meant_by(attributes.workflow_execution.as_ref()) {
            let outcome = Outcome::SignalFailed(SignalFailed::ExternalWorkflowExecutionNotFound.into());
            return Some(Errand::Known(ErrandEnd { initiated_event_id, outcome }));
        }
        #[allow(deprecated, reason = "older workers still send it")]
        let control = attributes.control.clone();
        #[allow(deprecated, reason = "older workers still read it")]
        let request = api::SignalWorkflowExecutionRequest {
            namespace: attributes.namespace.clone(),
            workflow_execution: attributes.workflow_execution.clone(),
            signal_name: attributes.signal_name.clone(),
            input: attributes.input.clone(),
            identity: crate::HISTORY_SERVICE.to_owned(),
            request_id: self.request_id(initiated_event_id),
            control,
            header: attributes.header.clone(),
            ..api::SignalWorkflowExecutionRequest::default()
        };
        let from = self.as_other(initiated_event_id, attributes.child_workflow_only);
        Some(Errand::Signal(ToRun { namespace_id: NamespaceId(attributes.namespace_id.clone()), from, request }))
    }

    fn cancel_errand(&self, initiated_event_id: EventId) -> Option<Errand> {
        let cancel = self.pending_cancel(initiated_event_id).filter(|_| self.is_open())?;
        let attributes = cancel.attributes.as_ref();
        if self.is_meant_by(attributes.workflow_execution.as_ref()) {
            let outcome = Outcome::CancelFailed(CancelFailed::ExternalWorkflowExecutionNotFound.into());
            return Some(Errand::Known(ErrandEnd { initiated_event_id, outcome }));
        }
        let request = api::RequestCancelWorkflowExecutionRequest {
            namespace: attributes.namespace.clone(),
            workflow_execution: attributes.workflow_execution.clone(),
            identity: crate::HISTORY_SERVICE.to_owned(),
            request_id: self.request_id(initiated_event_id),
            reason: attributes.reason.clone(),
            ..api::RequestCancelWorkflowExecutionRequest::default()
        };
        let from = self.as_other(initiated_event_id, attributes.child_workflow_only);
        Some(Errand::Cancel(ToRun { namespace_id: NamespaceId(attributes.namespace_id.clone()), from, request }))
    }

    fn close_errand(&self) -> Option<Errand> {
        let closed = self.durable.closed.as_ref()?;
        let started = self.durable.started.as_ref();
        let parent = started.parent_workflow_execution.as_ref().filter(|_| closed.successor.is_none());
        let report = parent.map(|parent| ReportToParent {
            parent: RunKey {
                namespace_id: NamespaceId(started.parent_workflow_namespace_id.clone()),
                workflow_id: WorkflowId(parent.workflow_id.clone()),
                run_id: RunId(parent.run_id.clone()),
            },
            initiated_event_id: started.parent_initiated_event_id,
            child: self.key().clone(),
            first_execution_run_id: self.first_execution_run_id().clone(),
        });
        // Children that go on by themselves need nothing from here.
        let ended = self
            .pending_children()
            .filter(|child| child.attributes.parent_close_policy() != ParentClosePolicy::Abandon);
        let children: Vec<_> = ended.map(|child| self.fate(child)).collect();
        (report.is_some() || !children.is_empty()).then_some(Errand::Close { report, children })
    }

    fn request_id(&self, initiated_event_id: EventId) -> String {
        errand_request_id(&self.key().run_id, initiated_event_id)
    }

    /// Acting on oneself counts as acting on nobody, whichever run is meant; Temporal says so too.
    fn is_meant_by(&self, execution: Option<&WorkflowExecution>) -> bool {
        execution.is_some_and(|execution| execution.workflow_id == self.key().workflow_id.as_str())
    }

    fn execution(&self) -> WorkflowExecution {
        WorkflowExecution { workflow_id: self.key().workflow_id.0.clone(), run_id: self.key().run_id.0.clone() }
    }

    fn as_other(&self, initiated_event_id: EventId, child_only: bool) -> OtherRun {
        let RunKey { namespace_id, workflow_id, run_id } = self.key().clone();
        OtherRun { namespace_id, workflow_id, run_id, initiated_event_id, child_only }
    }

    fn as_parent(&self, child: &Child) -> OtherRun {
        self.as_other(child.initiated_event_id, true)
    }

    /// The child's workflow, whichever run of it is current.
    fn child_key(&self, child: &Child) -> RunKey {
        RunKey {
            namespace_id: NamespaceId(child.attributes.namespace_id.clone()),
            workflow_id: WorkflowId(child.attributes.workflow_id.clone()),
            run_id: RunId::default(),
        }
    }
}

/// One request id for one event, whenever and however often it is needed.
pub fn errand_request_id(run: &RunId, initiated_event_id: EventId) -> String {
    format!("{run}:{initiated_event_id}")
}

/// The child's own priority, completed by its parent's.
fn merged(base: Option<&Priority>, own: Option<&Priority>) -> Option<Priority> {
    let (Some(base), Some(own)) = (base, own) else { return own.or(base).cloned() };
    Some(Priority {
        priority_key: if own.priority_key == 0 { base.priority_key } else { own.priority_key },
        fairness_key: if own.fairness_key.is_empty() { &base.fairness_key } else { &own.fairness_key }.clone(),
        fairness_weight: if own.fairness_weight == 0.0 { base.fairness_weight } else { own.fairness_weight },
    })
}

impl Outcome {
    pub fn start_failed(cause: StartFailed) -> Self {
        Self::ChildStartFailed(cause.into())
    }

    pub fn signal_failed(cause: SignalFailed) -> Self {
        Self::SignalFailed(cause.into())
    }

    pub fn cancel_failed(cause: CancelFailed) -> Self {
        Self::CancelFailed(cause.into())
    }
}
