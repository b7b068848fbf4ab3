//! How workflow tasks end: completed, failed, timed out.
use super::{WorkflowTask, WorkflowTaskAuxiliary};
use crate::{
    AuxiliaryChange, Decision, EventId, HISTORY_SERVICE, WorkflowTaskTimeoutKind, planted_in, run::decision::Extras,
};
use temporalio_protos::temporal::api::{
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::{TimeoutType, WorkerVersioningMode, WorkflowTaskFailedCause},
    failure::v1::Failure,
    history::v1::{
        WorkflowTaskCompletedEventAttributes, WorkflowTaskFailedEventAttributes, WorkflowTaskTimedOutEventAttributes,
    },
    workflowservice::v1 as api,
};

/// How a workflow task that did not complete ended.
pub(crate) struct WorkflowTaskFailure {
    pub(crate) cause: WorkflowTaskFailedCause,
    pub(crate) failure: Option<Failure>,
    pub(crate) identity: String,
    pub(crate) binary_checksum: String,
}

impl Decision<'_> {
    /// Writes the completion of the started workflow task, with its scheduled and started events if it was transient.
    /// Returns the id of the completed event.
    pub(crate) fn complete_workflow_task(&mut self, request: &api::RespondWorkflowTaskCompletedRequest) -> EventId {
        let mut task = self.state.workflow_task().expect("the caller found a started workflow task").clone();
        let auxiliary = &self.state.auxiliary.workflow_task;
        let was_transient = auxiliary.transient.is_some();
        let (stamp, original_scheduled_time) = (auxiliary.stamp, auxiliary.original_scheduled_time);
        let ended = WorkflowTaskAuxiliary { stamp, original_scheduled_time, ..WorkflowTaskAuxiliary::default() };
        self.auxiliary(AuxiliaryChange::WorkflowTask(ended));
        if was_transient {
            task.identity.clone_from(&request.identity);
            task.scheduled_event_id = self.next_event_id();
            self.event_at(task.scheduled_time, task.scheduled_attributes(), Extras::default());
            task.started_event_id = self.next_event_id();
            self.event_at(task.started_time, task.started_attributes(), Extras::default());
        }
        let completed_event_id = self.next_event_id();
        self.event(completed_attributes(&task, request));
        completed_event_id
    }

    /// The started workflow task failed; on its first attempt history says so.
    pub(crate) fn fail_workflow_task(&mut self, failure: WorkflowTaskFailure) {
        let task = self.state.workflow_task().expect("the caller found a started workflow task").clone();
        let close_attempted = failure.cause == WorkflowTaskFailedCause::UnhandledCommand;
        if self.state.auxiliary.workflow_task.transient.is_none() {
            #[allow(deprecated, reason = "Temporal still writes the binary checksum")]
            self.event(WorkflowTaskFailedEventAttributes {
                scheduled_event_id: task.scheduled_event_id,
                started_event_id: task.started_event_id,
                cause: failure.cause.into(),
                failure: failure.failure,
                identity: failure.identity,
                binary_checksum: failure.binary_checksum,
                ..WorkflowTaskFailedEventAttributes::default()
            });
        }
        self.workflow_task_did_not_complete(true, close_attempted);
    }

    /// Fails a started workflow task from the server's side, before the run is closed over its head.
    pub(crate) fn fail_started_workflow_task(&mut self, cause: WorkflowTaskFailedCause) {
        if !self.state.workflow_task_is_started() {
            return;
        }
        self.fail_workflow_task(WorkflowTaskFailure {
            cause,
            failure: None,
            identity: HISTORY_SERVICE.to_owned(),
            binary_checksum: String::new(),
        });
        self.flush_buffer();
    }

    pub(crate) fn time_out_workflow_task(&mut self, timeout: WorkflowTaskTimeoutKind) {
        let task = self.state.workflow_task().expect("the caller found a pending workflow task").clone();
        let timeout_type = match timeout {
            WorkflowTaskTimeoutKind::ScheduleToStart => TimeoutType::ScheduleToStart,
            WorkflowTaskTimeoutKind::StartToClose => TimeoutType::StartToClose,
        };
        if self.state.auxiliary.workflow_task.transient.is_none() {
            self.event(WorkflowTaskTimedOutEventAttributes {
                scheduled_event_id: task.scheduled_event_id,
                started_event_id: task.started_event_id,
                timeout_type: timeout_type.into(),
            });
        }
        self.workflow_task_did_not_complete(timeout == WorkflowTaskTimeoutKind::StartToClose, false);
    }

    fn workflow_task_did_not_complete(&mut self, counts: bool, close_attempted: bool) {
        let auxiliary = &self.state.auxiliary.workflow_task;
        let counts = counts && self.state.auxiliary.sticky.is_none();
        let ended = WorkflowTaskAuxiliary {
            attempt: if counts { auxiliary.attempt + 1 } else { 1 },
            stamp: auxiliary.stamp,
            close_attempted,
            ..WorkflowTaskAuxiliary::default()
        };
        self.auxiliary(AuxiliaryChange::WorkflowTask(ended));
        if self.state.auxiliary.sticky.is_some() {
            self.probe("sticky-cleared-by-failure");
            self.auxiliary(AuxiliaryChange::Sticky(None));
        }
        if planted_in!(self.context, crate::planted::LOSE_BUFFERED_EVENTS) {
            self.auxiliary(AuxiliaryChange::BufferEmptied);
        }
    }
}

fn completed_attributes(
    task: &WorkflowTask,
    request: &api::RespondWorkflowTaskCompletedRequest,
) -> WorkflowTaskCompletedEventAttributes {
    let versioned = request
        .deployment_options
        .as_ref()
        .filter(|options| options.worker_versioning_mode() == WorkerVersioningMode::Versioned);
    #[allow(deprecated, reason = "Temporal still copies these, and older SDKs still send them")]
    WorkflowTaskCompletedEventAttributes {
        scheduled_event_id: task.scheduled_event_id,
        started_event_id: task.started_event_id,
        identity: request.identity.clone(),
        binary_checksum: request.binary_checksum.clone(),
        worker_version: request.worker_version_stamp.clone(),
        sdk_metadata: request.sdk_metadata.clone(),
        metering_metadata: request.metering_metadata,
        worker_deployment_name: request
            .deployment_options
            .as_ref()
            .map_or_else(String::new, |options| options.deployment_name.clone()),
        deployment_version: versioned.map(|options| WorkerDeploymentVersion {
            deployment_name: options.deployment_name.clone(),
            build_id: options.build_id.clone(),
        }),
        // SDKs may claim a behaviour although their worker is not versioned.
        versioning_behavior: versioned.map_or(0, |_| request.versioning_behavior),
        ..WorkflowTaskCompletedEventAttributes::default()
    }
}
