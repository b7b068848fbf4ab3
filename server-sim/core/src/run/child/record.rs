//! What history says of children: started or not, and how they closed.
use super::Child;
use crate::{ChildClosed, Decision, EventId, RunId, planted_in};
use temporalio_protos::temporal::api::{
    common::v1::WorkflowExecution,
    enums::v1::StartChildWorkflowExecutionFailedCause,
    history::v1::{
        ChildWorkflowExecutionCanceledEventAttributes, ChildWorkflowExecutionCompletedEventAttributes,
        ChildWorkflowExecutionFailedEventAttributes, ChildWorkflowExecutionStartedEventAttributes,
        ChildWorkflowExecutionTerminatedEventAttributes, ChildWorkflowExecutionTimedOutEventAttributes,
        StartChildWorkflowExecutionFailedEventAttributes, history_event::Attributes,
    },
};

impl Decision<'_> {
    pub(crate) fn record_child_started(&mut self, child: &Child, run_id: &RunId) {
        let (initiated, _) = self.context.events.child_initiated(child.initiated_event_id);
        let attributes = child.attributes.as_ref();
        self.event(ChildWorkflowExecutionStartedEventAttributes {
            namespace: attributes.namespace.clone(),
            namespace_id: attributes.namespace_id.clone(),
            initiated_event_id: child.initiated_event_id,
            workflow_execution: Some(execution(child, run_id)),
            workflow_type: attributes.workflow_type.clone(),
            header: initiated.header.clone(),
        });
    }

    pub(crate) fn record_child_start_failed(&mut self, child: &Child, cause: StartChildWorkflowExecutionFailedCause) {
        let attributes = child.attributes.as_ref();
        #[allow(deprecated, reason = "older workers still read it")]
        self.event(StartChildWorkflowExecutionFailedEventAttributes {
            namespace: attributes.namespace.clone(),
            namespace_id: attributes.namespace_id.clone(),
            workflow_id: attributes.workflow_id.clone(),
            workflow_type: attributes.workflow_type.clone(),
            cause: cause.into(),
            control: attributes.control.clone(),
            initiated_event_id: child.initiated_event_id,
            workflow_task_completed_event_id: attributes.workflow_task_completed_event_id,
        });
    }

    /// Records a child's end, and its start before it if that has not been heard of. False if it is none of our child's.
    pub(crate) fn record_child_closed(&mut self, child: &Child, closed: &ChildClosed) -> bool {
        let start = self.state.child_start(child.initiated_event_id);
        let same_chain = start.as_ref().is_none_or(|start| start.run_id == closed.first_execution_run_id);
        if child.attributes.workflow_id != closed.workflow_id.as_str() || !same_chain {
            return false;
        }
        if start.is_none() {
            self.probe("child-closed-before-started");
            if planted_in!(self.context, crate::planted::CHILD_CLOSED_BEFORE_STARTED_DROPPED) {
                return false;
            }
            self.record_child_started(child, &closed.first_execution_run_id);
        }
        let start = self.state.child_start(child.initiated_event_id).expect("its start was just recorded");
        let Some(attributes) = closing_attributes(child, start.event_id, closed) else { return false };
        self.event(attributes);
        true
    }
}

fn execution(child: &Child, run_id: &RunId) -> WorkflowExecution {
    WorkflowExecution { workflow_id: child.attributes.workflow_id.clone(), run_id: run_id.0.clone() }
}

/// What the parent's history says of the child's last event; `None` if that closes nothing for good.
fn closing_attributes(child: &Child, started_event_id: EventId, closed: &ChildClosed) -> Option<Attributes> {
    let initiated = child.attributes.as_ref();
    let (namespace, namespace_id) = (initiated.namespace.clone(), initiated.namespace_id.clone());
    let workflow_execution = Some(execution(child, &closed.run_id));
    let workflow_type = initiated.workflow_type.clone();
    let initiated_event_id = child.initiated_event_id;
    Some(match closed.closing.attributes.as_ref()? {
        Attributes::WorkflowExecutionCompletedEventAttributes(closing) => {
            ChildWorkflowExecutionCompletedEventAttributes {
                result: closing.result.clone(),
                namespace,
                namespace_id,
                workflow_execution,
                workflow_type,
                initiated_event_id,
                started_event_id,
            }
            .into()
        }
        Attributes::WorkflowExecutionFailedEventAttributes(closing) => ChildWorkflowExecutionFailedEventAttributes {
            failure: closing.failure.clone(),
            namespace,
            namespace_id,
            workflow_execution,
            workflow_type,
            initiated_event_id,
            started_event_id,
            retry_state: closing.retry_state,
        }
        .into(),
        Attributes::WorkflowExecutionCanceledEventAttributes(closing) => {
            ChildWorkflowExecutionCanceledEventAttributes {
                details: closing.details.clone(),
                namespace,
                namespace_id,
                workflow_execution,
                workflow_type,
                initiated_event_id,
                started_event_id,
            }
            .into()
        }
        Attributes::WorkflowExecutionTimedOutEventAttributes(closing) => {
            ChildWorkflowExecutionTimedOutEventAttributes {
                namespace,
                namespace_id,
                workflow_execution,
                workflow_type,
                initiated_event_id,
                started_event_id,
                retry_state: closing.retry_state,
            }
            .into()
        }
        Attributes::WorkflowExecutionTerminatedEventAttributes(_) => ChildWorkflowExecutionTerminatedEventAttributes {
            namespace,
            namespace_id,
            workflow_execution,
            workflow_type,
            initiated_event_id,
            started_event_id,
        }
        .into(),
        _ => return None,
    })
}
