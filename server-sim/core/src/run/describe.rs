//! DescribeWorkflowExecution: the run as a whole; what is pending says its parts.
use crate::{EventId, MutableState, Time, rules::durations};
use std::collections::{BTreeMap, HashMap};
use temporalio_protos::temporal::api::{
    common::v1::{Memo, Payload, SearchAttributes, WorkflowExecution, WorkflowType},
    enums::v1::{EventType, TaskQueueKind},
    taskqueue::v1::TaskQueue,
    workflow::v1::{RequestIdInfo, WorkflowExecutionConfig, WorkflowExecutionExtendedInfo, WorkflowExecutionInfo},
    workflowservice::v1 as api,
};

impl MutableState {
    /// What DescribeWorkflowExecution says.
    pub fn describe(&self) -> api::DescribeWorkflowExecutionResponse {
        api::DescribeWorkflowExecutionResponse {
            execution_config: Some(self.config()),
            workflow_execution_info: Some(self.info()),
            pending_activities: self.describe_activities(),
            pending_children: self.describe_children(),
            pending_workflow_task: self.describe_workflow_task(),
            workflow_extended_info: Some(self.extended_info()),
            ..api::DescribeWorkflowExecutionResponse::default()
        }
    }

    fn config(&self) -> WorkflowExecutionConfig {
        let started = self.durable.started.as_ref();
        WorkflowExecutionConfig {
            task_queue: Some(TaskQueue {
                name: self.task_queue().to_owned(),
                kind: TaskQueueKind::Normal.into(),
                ..TaskQueue::default()
            }),
            workflow_execution_timeout: started.workflow_execution_timeout,
            workflow_run_timeout: started.workflow_run_timeout,
            default_workflow_task_timeout: started.workflow_task_timeout,
            user_metadata: Option::clone(&self.durable.user_metadata),
        }
    }

    fn info(&self) -> WorkflowExecutionInfo {
        let durable = &self.durable;
        let started = durable.started.as_ref();
        let execution =
            WorkflowExecution { workflow_id: self.key().workflow_id.0.clone(), run_id: self.key().run_id.0.clone() };
        let closed = durable.closed.as_ref();
        WorkflowExecutionInfo {
            r#type: Some(WorkflowType { name: durable.workflow_type().to_owned() }),
            start_time: Some(durable.start_time.to_proto()),
            close_time: closed.map(|closed| closed.time.to_proto()),
            execution_duration: closed.map(|closed| durations::to_wire(closed.time.since(durable.execution_time()))),
            status: self.status().into(),
            history_length: durable.next_event_id - 1,
            history_size_bytes: durable.history_size_bytes,
            external_payload_count: durable.external_payload_count,
            external_payload_size_bytes: durable.external_payload_bytes,
            parent_namespace_id: started.parent_workflow_namespace_id.clone(),
            parent_execution: started.parent_workflow_execution.clone(),
            execution_time: Some(durable.execution_time().to_proto()),
            memo: Some(Memo { fields: fields(&durable.memo) }),
            search_attributes: Some(SearchAttributes { indexed_fields: fields(&durable.search_attributes) }),
            task_queue: self.task_queue().to_owned(),
            state_transition_count: i64::try_from(self.version()).unwrap_or(i64::MAX),
            root_execution: Some(started.root_workflow_execution.clone().unwrap_or_else(|| execution.clone())),
            execution: Some(execution),
            first_run_id: durable.first_execution_run_id.0.clone(),
            priority: started.priority.clone(),
            ..WorkflowExecutionInfo::default()
        }
    }

    fn extended_info(&self) -> WorkflowExecutionExtendedInfo {
        WorkflowExecutionExtendedInfo {
            execution_expiration_time: self.durable.execution_expiration().map(Time::to_proto),
            run_expiration_time: self.durable.run_expiration().map(Time::to_proto),
            cancel_requested: self.cancellation_is_requested(),
            original_start_time: Some(self.durable.start_time.to_proto()),
            request_id_infos: self.request_id_infos(),
            ..WorkflowExecutionExtendedInfo::default()
        }
    }

    fn request_id_infos(&self) -> HashMap<String, RequestIdInfo> {
        let info = |id: &str, event_type: EventType, event_id: Option<EventId>| {
            let (event_id, buffered) = (event_id.unwrap_or_default(), event_id.is_none());
            (id.to_owned(), RequestIdInfo { event_type: event_type.into(), event_id, buffered })
        };
        let start = Some(self.auxiliary.start_request_id.as_str()).filter(|id| !id.is_empty());
        let start = start.map(|id| info(id, EventType::WorkflowExecutionStarted, Some(1)));
        let attached = self.attached_requests();
        let attached = attached.map(|(id, event)| info(id, EventType::WorkflowExecutionOptionsUpdated, event));
        start.into_iter().chain(attached).collect()
    }
}

fn fields(fields: &BTreeMap<String, Payload>) -> HashMap<String, Payload> {
    fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}
