//! What other runs hear of the end: the parent, and the children.
use crate::{CrossCall, MutableState, NamespaceId, ReportToParent, RunId, RunKey, WorkflowId};

impl MutableState {
    pub(crate) fn close_cross_call(&self) -> Option<CrossCall> {
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
        let children = self.close_policy_calls();
        (report.is_some() || !children.is_empty()).then_some(CrossCall::Close { report, children })
    }
}
