//! What is asked of children: that they start, that they begin, that they end with their parent.
use super::Child;
use crate::{
    ClosePolicyCall, CrossCall, KnownEvents, MutableState, NamespaceId, OtherRun, RunId, RunKey, StartChild, ToRun,
    WorkflowId, rules::priority::merged,
};
use temporalio_protos::temporal::api::{
    common::v1::WorkflowExecution,
    enums::v1::{ParentClosePolicy, WorkflowIdConflictPolicy},
    workflowservice::v1 as api,
};

/// What children are told when their parent closes.
const BY_PARENT_CLOSE_POLICY: &str = "by parent close policy";

impl MutableState {
    pub(crate) fn child_cross_call(&self, child: &Child, events: &KnownEvents) -> Option<CrossCall> {
        let start = self.child_start(child.initiated_event_id);
        match (start, self.is_open()) {
            (Some(start), _) => {
                let key = RunKey { run_id: start.run_id, ..self.child_key(child) };
                let parent = self.as_parent(child);
                self.child_is_due(child).then_some(CrossCall::BeginChild { child: key, parent })
            }
            (None, false) => Some(CrossCall::Settle(self.close_policy_call(child))),
            (None, true) => Some(CrossCall::StartChild {
                child: Box::new(self.start_child(child, events)),
                otherwise: self.close_policy_call(child),
            }),
        }
    }

    /// Whether the task that starts it still has something to do: of a closed run, only the children that it abandons may
    /// begin once they are started; the others are ended.
    pub(crate) fn child_is_due(&self, child: &Child) -> bool {
        let abandoned = child.attributes.parent_close_policy() == ParentClosePolicy::Abandon;
        self.is_open() || abandoned || self.child_start(child.initiated_event_id).is_none()
    }

    fn start_child(&self, child: &Child, events: &KnownEvents) -> StartChild {
        let (attributes, user_metadata) = events.child_initiated(child.initiated_event_id);
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
            user_metadata: user_metadata.cloned(),
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

    /// What becomes of the children when this run has closed. Those that go on by themselves need nothing.
    pub(crate) fn close_policy_calls(&self) -> Vec<ClosePolicyCall> {
        let abandoned = |child: &&Child| child.attributes.parent_close_policy() == ParentClosePolicy::Abandon;
        self.pending_children().filter(|child| !abandoned(child)).map(|child| self.close_policy_call(child)).collect()
    }

    /// What becomes of a child when this run closes. It is asked across the runs of its chain, and only as our child.
    fn close_policy_call(&self, child: &Child) -> ClosePolicyCall {
        let start = self.child_start(child.initiated_event_id);
        let first_execution_run_id = start.map_or(String::new(), |start| start.run_id.0);
        let attributes = child.attributes.as_ref();
        let workflow_execution =
            Some(WorkflowExecution { workflow_id: attributes.workflow_id.clone(), run_id: String::new() });
        let parent = self.as_parent(child);
        let from = OtherRun { initiated_event_id: 0, ..parent.clone() };
        let namespace_id = NamespaceId(attributes.namespace_id.clone());
        match attributes.parent_close_policy() {
            ParentClosePolicy::Abandon => ClosePolicyCall::Abandon { child: self.child_key(child), parent },
            ParentClosePolicy::RequestCancel => {
                let request = api::RequestCancelWorkflowExecutionRequest {
                    namespace: attributes.namespace.clone(),
                    workflow_execution,
                    identity: crate::HISTORY_SERVICE.to_owned(),
                    request_id: self.request_id(child.initiated_event_id),
                    first_execution_run_id,
                    ..api::RequestCancelWorkflowExecutionRequest::default()
                };
                ClosePolicyCall::Cancel(ToRun { namespace_id, from, request })
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
                ClosePolicyCall::Terminate(ToRun { namespace_id, from, request })
            }
        }
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
