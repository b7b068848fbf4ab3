//! DescribeWorkflowExecution.
use super::{Activity, ActivityProgress, Child, MutableState};
use crate::rules::{durations, retry_policy};
use std::collections::{BTreeMap, HashMap};
use temporalio_protos::temporal::api::{
    activity::v1::ActivityOptions,
    common::v1::{Memo, Payload, SearchAttributes, WorkflowExecution, WorkflowType},
    enums::v1::{EventType, PendingActivityState, PendingWorkflowTaskState, TaskQueueKind},
    taskqueue::v1::TaskQueue,
    workflow::v1::{
        PendingActivityInfo, PendingChildExecutionInfo, PendingWorkflowTaskInfo, RequestIdInfo,
        WorkflowExecutionConfig, WorkflowExecutionExtendedInfo, WorkflowExecutionInfo,
    },
    workflowservice::v1 as api,
};

impl MutableState {
    /// What DescribeWorkflowExecution says.
    pub fn describe(&self) -> api::DescribeWorkflowExecutionResponse {
        api::DescribeWorkflowExecutionResponse {
            execution_config: Some(self.config()),
            workflow_execution_info: Some(self.info()),
            pending_activities: self
                .pending_activities()
                .map(|(activity, progress)| describe(activity, progress))
                .collect(),
            pending_children: self.pending_children().map(|child| self.describe_child(child)).collect(),
            pending_workflow_task: self.pending_workflow_task(),
            workflow_extended_info: Some(self.extended_info()),
            ..api::DescribeWorkflowExecutionResponse::default()
        }
    }

    fn describe_child(&self, child: &Child) -> PendingChildExecutionInfo {
        let start = self.child_start(child.initiated_event_id);
        let attributes = child.attributes.as_ref();
        PendingChildExecutionInfo {
            workflow_id: attributes.workflow_id.clone(),
            run_id: start.map_or(String::new(), |start| start.run_id.0),
            workflow_type_name: attributes.workflow_type.as_ref().map_or(String::new(), |kind| kind.name.clone()),
            initiated_id: child.initiated_event_id,
            parent_close_policy: attributes.parent_close_policy,
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
        let request =
            RequestIdInfo { event_type: EventType::WorkflowExecutionStarted.into(), event_id: 1, buffered: false };
        let request_ids = Some(self.ephemera.start_request_id.clone()).filter(|id| !id.is_empty());
        WorkflowExecutionExtendedInfo {
            execution_expiration_time: self.durable.execution_expiration().map(crate::Time::to_proto),
            run_expiration_time: self.durable.run_expiration().map(crate::Time::to_proto),
            cancel_requested: self.cancel_is_requested(),
            original_start_time: Some(self.durable.start_time.to_proto()),
            request_id_infos: request_ids.into_iter().map(|id| (id, request)).collect(),
            ..WorkflowExecutionExtendedInfo::default()
        }
    }

    fn pending_workflow_task(&self) -> Option<PendingWorkflowTaskInfo> {
        let task = self.workflow_task()?;
        let state = match task.is_started() {
            true => PendingWorkflowTaskState::Started,
            false => PendingWorkflowTaskState::Scheduled,
        };
        Some(PendingWorkflowTaskInfo {
            state: state.into(),
            scheduled_time: Some(task.scheduled_time.to_proto()),
            original_scheduled_time: Some(self.ephemera.workflow_task.original_scheduled_time.to_proto()),
            started_time: task.is_started().then(|| task.started_time.to_proto()),
            attempt: task.attempt,
        })
    }
}

fn fields(fields: &BTreeMap<String, Payload>) -> HashMap<String, Payload> {
    fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn describe(activity: &Activity, progress: &ActivityProgress) -> PendingActivityInfo {
    let attributes = activity.attributes.as_ref();
    let state = match (&progress.started, activity.cancel_is_requested()) {
        (_, true) => PendingActivityState::CancelRequested,
        (Some(_), false) => PendingActivityState::Started,
        (None, false) => PendingActivityState::Scheduled,
    };
    let mut policy = attributes.retry_policy.clone().unwrap_or_default();
    retry_policy::fill_defaults(&mut policy);
    let backs_off = state == PendingActivityState::Scheduled && !progress.offered;
    let since_last = progress.last_attempt_complete_time.map(|last| durations::to_wire(progress.due_time.since(last)));
    PendingActivityInfo {
        activity_id: attributes.activity_id.clone(),
        activity_type: attributes.activity_type.clone(),
        state: state.into(),
        heartbeat_details: progress.last_heartbeat_time.and(progress.heartbeat_details.clone()),
        last_heartbeat_time: progress.last_heartbeat_time.map(crate::Time::to_proto),
        last_started_time: progress.started.as_ref().map(|start| start.time.to_proto()),
        attempt: progress.attempt,
        maximum_attempts: policy.maximum_attempts,
        scheduled_time: Some(progress.due_time.to_proto()),
        expiration_time: activity.expiration().map(crate::Time::to_proto),
        last_failure: progress.last_failure.clone(),
        last_worker_identity: progress.last_worker_identity.clone(),
        last_attempt_complete_time: progress.last_attempt_complete_time.map(crate::Time::to_proto),
        current_retry_interval: since_last.filter(|_| backs_off),
        next_attempt_schedule_time: backs_off.then(|| progress.due_time.to_proto()),
        priority: attributes.priority.clone(),
        activity_options: Some(ActivityOptions {
            task_queue: Some(TaskQueue {
                name: activity.task_queue().to_owned(),
                normal_name: activity.task_queue().to_owned(),
                ..TaskQueue::default()
            }),
            schedule_to_close_timeout: attributes.schedule_to_close_timeout,
            schedule_to_start_timeout: attributes.schedule_to_start_timeout,
            start_to_close_timeout: attributes.start_to_close_timeout,
            heartbeat_timeout: attributes.heartbeat_timeout,
            retry_policy: Some(policy),
            priority: attributes.priority.clone(),
            ..ActivityOptions::default()
        }),
        ..PendingActivityInfo::default()
    }
}
