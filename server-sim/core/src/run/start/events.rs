//! The first event.
use crate::{
    MutableState, PartKey, RunId,
    run::events::{Applied, At},
};
use std::{collections::BTreeMap, sync::Arc};
use temporalio_protos::temporal::api::history::v1::WorkflowExecutionStartedEventAttributes;

pub(crate) fn started(
    state: &mut MutableState,
    at: At<'_>,
    started: &WorkflowExecutionStartedEventAttributes,
) -> Applied {
    let durable = &mut state.durable;
    durable.user_metadata = at.event.user_metadata.clone().into();
    durable.start_time = at.time;
    durable.first_execution_run_id = RunId(started.first_execution_run_id.clone());
    let memo = started.memo.iter().flat_map(|memo| memo.fields.clone());
    durable.memo = memo.collect::<BTreeMap<_, _>>().into();
    let fields = started.search_attributes.iter().flat_map(|fields| fields.indexed_fields.clone());
    durable.search_attributes = fields.collect::<BTreeMap<_, _>>().into();
    durable.started = Arc::new(without_payloads(started));
    Ok(PartKey::Run)
}

/// What a state keeps of it: all but what only workers and a retry read. Each field is named, so that a new one is not
/// forgotten.
fn without_payloads(started: &WorkflowExecutionStartedEventAttributes) -> WorkflowExecutionStartedEventAttributes {
    #[allow(deprecated, reason = "older clients still send these")]
    WorkflowExecutionStartedEventAttributes {
        workflow_type: started.workflow_type.clone(),
        parent_workflow_namespace: started.parent_workflow_namespace.clone(),
        parent_workflow_namespace_id: started.parent_workflow_namespace_id.clone(),
        parent_workflow_execution: started.parent_workflow_execution.clone(),
        parent_initiated_event_id: started.parent_initiated_event_id,
        task_queue: started.task_queue.clone(),
        input: None,
        workflow_execution_timeout: started.workflow_execution_timeout,
        workflow_run_timeout: started.workflow_run_timeout,
        workflow_task_timeout: started.workflow_task_timeout,
        continued_execution_run_id: started.continued_execution_run_id.clone(),
        initiator: started.initiator,
        continued_failure: None,
        last_completion_result: None,
        original_execution_run_id: started.original_execution_run_id.clone(),
        identity: started.identity.clone(),
        first_execution_run_id: started.first_execution_run_id.clone(),
        retry_policy: started.retry_policy.clone(),
        attempt: started.attempt,
        workflow_execution_expiration_time: started.workflow_execution_expiration_time,
        cron_schedule: started.cron_schedule.clone(),
        first_workflow_task_backoff: started.first_workflow_task_backoff,
        memo: None,
        search_attributes: None,
        prev_auto_reset_points: started.prev_auto_reset_points.clone(),
        header: None,
        parent_initiated_event_version: started.parent_initiated_event_version,
        workflow_id: started.workflow_id.clone(),
        source_version_stamp: started.source_version_stamp.clone(),
        completion_callbacks: started.completion_callbacks.clone(),
        root_workflow_execution: started.root_workflow_execution.clone(),
        inherited_build_id: started.inherited_build_id.clone(),
        versioning_override: started.versioning_override.clone(),
        parent_pinned_worker_deployment_version: started.parent_pinned_worker_deployment_version.clone(),
        priority: started.priority.clone(),
        inherited_pinned_version: started.inherited_pinned_version.clone(),
        inherited_auto_upgrade_info: started.inherited_auto_upgrade_info.clone(),
        eager_execution_accepted: started.eager_execution_accepted,
        declined_target_version_upgrade: started.declined_target_version_upgrade.clone(),
        time_skipping_config: started.time_skipping_config.clone(),
        time_skipping_state_propagation: started.time_skipping_state_propagation,
    }
}
