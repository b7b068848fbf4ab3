//! Workflow tasks: scheduled, started, then completed, failed or timed out. The first attempt writes its events as it
//! goes. Later attempts are *transient*: only the counter moves, and a completion writes scheduled and started after
//! the fact. A failure while a sticky queue is set only clears it, since the worker that held the cache may be gone.
use crate::{
    Decision, EphemeralChange, EventId, HISTORY_SERVICE, Time, TimerKind, TransferTask, WorkflowTaskStarted,
    WorkflowTaskTimeoutKind, WorkflowTaskToken,
    decision::Extras,
    planted_in,
    rules::durations,
    state::{MutableState, Sticky, WorkflowTask, WorkflowTaskEphemera},
};
use std::time::Duration;
use temporalio_protos::temporal::api::{
    common::v1::{WorkflowExecution, WorkflowType},
    deployment::v1::WorkerDeploymentVersion,
    enums::v1::{
        SuggestContinueAsNewReason, TaskQueueKind, TimeoutType, WorkerVersioningMode, WorkflowTaskFailedCause,
    },
    failure::v1::Failure,
    history::v1::{
        WorkflowTaskCompletedEventAttributes, WorkflowTaskFailedEventAttributes, WorkflowTaskTimedOutEventAttributes,
    },
    taskqueue::v1::TaskQueue,
    workflowservice::v1 as api,
};

/// Up to this attempt the timeout stays as it is; then it grows, so that a run that always fails costs less and less.
const GROWING_TIMEOUT_AFTER_ATTEMPT: i32 = 3;
const TIMEOUT_GROWTH_FIRST: Duration = Duration::from_secs(5);
const TIMEOUT_GROWTH_MAX: Duration = Duration::from_secs(600);

/// Who is told of a scheduled workflow task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    ToMatching,
    /// It is started at once and returned to the worker that just completed one.
    Inline,
}

/// How a workflow task that did not complete ended.
pub(crate) struct WorkflowTaskFailure {
    pub(crate) cause: WorkflowTaskFailedCause,
    pub(crate) failure: Option<Failure>,
    pub(crate) identity: String,
    pub(crate) binary_checksum: String,
}

impl Decision<'_> {
    /// Schedules a workflow task for news that just arrived, unless one is pending or the run still waits to begin.
    pub(crate) fn schedule_workflow_task_for_news(&mut self) {
        if !self.state.waits_for_first_backoff() {
            self.schedule_workflow_task();
        }
    }

    /// Schedules a workflow task unless one is pending.
    pub(crate) fn schedule_workflow_task(&mut self) {
        self.schedule_workflow_task_as(self.now(), Offer::ToMatching);
    }

    pub(crate) fn schedule_workflow_task_as(&mut self, original_scheduled_time: Time, offer: Offer) {
        if self.state.workflow_task().is_some() {
            return;
        }
        let mut ephemera = self.state.ephemera.workflow_task.clone();
        if !self.state.ephemera.buffered.is_empty() {
            // There is news: whatever failed before may work now, so this is a first attempt with events of its own.
            ephemera.attempt = 1;
            self.flush_buffer();
        }
        ephemera.stamp += 1;
        ephemera.original_scheduled_time = original_scheduled_time;
        let sticky = self.state.ephemera.sticky.clone();
        let task = self.next_workflow_task(ephemera.attempt, sticky.as_ref());
        if ephemera.attempt == 1 {
            self.event(task.scheduled_attributes());
        } else {
            self.probe("transient_workflow_task");
            ephemera.transient = Some(task);
        }
        self.ephemeral(EphemeralChange::WorkflowTask(ephemera));
        if offer == Offer::ToMatching {
            self.offer_workflow_task(sticky.map(|sticky| sticky.schedule_to_start_timeout));
        }
    }

    fn next_workflow_task(&self, attempt: i32, sticky: Option<&Sticky>) -> WorkflowTask {
        let normal = self.state.task_queue().to_owned();
        WorkflowTask {
            scheduled_event_id: self.next_event_id(),
            scheduled_time: self.now(),
            attempt,
            timeout: workflow_task_timeout(&self.state, attempt),
            sticky_for: sticky.map(|_| normal.clone()),
            queue: sticky.map_or(normal, |sticky| sticky.queue.clone()),
            ..WorkflowTask::default()
        }
    }

    fn offer_workflow_task(&mut self, sticky_timeout: Option<Duration>) {
        let stamp = self.state.ephemera.workflow_task.stamp;
        let task = self.state.workflow_task().expect("a workflow task was just scheduled").clone();
        let timeout = sticky_timeout.filter(|timeout| !timeout.is_zero());
        if let Some(timeout) = timeout {
            let kind = TimerKind::WorkflowTaskTimeout {
                scheduled_event_id: task.scheduled_event_id,
                stamp,
                timeout: WorkflowTaskTimeoutKind::ScheduleToStart,
            };
            self.timer(task.scheduled_time.plus(timeout), kind);
        }
        self.transfer(TransferTask::WorkflowTask {
            scheduled_event_id: task.scheduled_event_id,
            stamp,
            task_queue: task.queue,
            sticky_for: task.sticky_for,
            schedule_to_start_timeout: timeout,
        });
    }

    /// Clears stickiness. A workflow task that waits on the sticky queue is offered on the normal one.
    pub(crate) fn reset_stickiness(&mut self) {
        if self.state.ephemera.sticky.is_none() {
            return;
        }
        self.ephemeral(EphemeralChange::Sticky(None));
        let Some(task) = self.state.workflow_task().filter(|task| !task.is_started()) else { return };
        let scheduled_event_id = task.scheduled_event_id;
        self.transfer(TransferTask::WorkflowTask {
            scheduled_event_id,
            stamp: self.state.ephemera.workflow_task.stamp,
            task_queue: self.state.task_queue().to_owned(),
            sticky_for: None,
            schedule_to_start_timeout: None,
        });
    }

    /// Starts the pending workflow task. A transient one whose ids were taken by newer events becomes a first attempt.
    pub(crate) fn start_workflow_task(&mut self, request_id: String, identity: String) {
        let mut task = self.state.workflow_task().expect("the caller found a pending workflow task").clone();
        let mut ephemera = self.state.ephemera.workflow_task.clone();
        if ephemera.transient.is_some() && task.scheduled_event_id != self.next_event_id() {
            self.probe("transient_workflow_task_became_normal");
            ephemera.transient = None;
            ephemera.attempt = 1;
            self.ephemeral(EphemeralChange::WorkflowTask(ephemera.clone()));
            task.attempt = 1;
            task.scheduled_event_id = self.next_event_id();
            self.event(task.scheduled_attributes());
        }
        let limits = &self.context.limits;
        task.started_time = self.now();
        task.request_id = request_id;
        task.identity = identity;
        task.history_size_bytes = self.state.durable.history_size_bytes;
        task.suggest_continue_as_new_reasons.clear();
        if task.history_size_bytes >= limits.history_bytes_suggest_continue_as_new {
            task.suggest_continue_as_new_reasons.push(SuggestContinueAsNewReason::HistorySizeTooLarge.into());
        }
        if self.next_event_id() >= limits.history_events_suggest_continue_as_new {
            task.suggest_continue_as_new_reasons.push(SuggestContinueAsNewReason::TooManyHistoryEvents.into());
        }
        task.suggest_continue_as_new = !task.suggest_continue_as_new_reasons.is_empty();
        let kind = TimerKind::WorkflowTaskTimeout {
            scheduled_event_id: task.scheduled_event_id,
            stamp: ephemera.stamp,
            timeout: WorkflowTaskTimeoutKind::StartToClose,
        };
        if ephemera.transient.is_none() || !planted_in!(self.context, "transient-task-without-timeout") {
            self.timer(self.now().plus(task.timeout), kind);
        }
        if ephemera.transient.is_some() {
            task.started_event_id = task.scheduled_event_id + 1;
            ephemera.transient = Some(task);
            self.ephemeral(EphemeralChange::WorkflowTask(ephemera));
        } else {
            self.event(task.started_attributes());
        }
    }

    /// Writes the completion of the started workflow task, with its scheduled and started events if it was transient.
    /// Returns the id of the completed event.
    pub(crate) fn complete_workflow_task(&mut self, request: &api::RespondWorkflowTaskCompletedRequest) -> EventId {
        let mut task = self.state.workflow_task().expect("the caller found a started workflow task").clone();
        let ephemera = &self.state.ephemera.workflow_task;
        let was_transient = ephemera.transient.is_some();
        let (stamp, original_scheduled_time) = (ephemera.stamp, ephemera.original_scheduled_time);
        let ended = WorkflowTaskEphemera { stamp, original_scheduled_time, ..WorkflowTaskEphemera::default() };
        self.ephemeral(EphemeralChange::WorkflowTask(ended));
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
        if self.state.ephemera.workflow_task.transient.is_none() {
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
        if self.state.ephemera.workflow_task.transient.is_none() {
            self.event(WorkflowTaskTimedOutEventAttributes {
                scheduled_event_id: task.scheduled_event_id,
                started_event_id: task.started_event_id,
                timeout_type: timeout_type.into(),
            });
        }
        self.workflow_task_did_not_complete(timeout == WorkflowTaskTimeoutKind::StartToClose, false);
    }

    fn workflow_task_did_not_complete(&mut self, counts: bool, close_attempted: bool) {
        let ephemera = &self.state.ephemera.workflow_task;
        let counts = counts && self.state.ephemera.sticky.is_none();
        let ended = WorkflowTaskEphemera {
            attempt: if counts { ephemera.attempt + 1 } else { 1 },
            stamp: ephemera.stamp,
            close_attempted,
            ..WorkflowTaskEphemera::default()
        };
        self.ephemeral(EphemeralChange::WorkflowTask(ended));
        if self.state.ephemera.sticky.is_some() {
            self.probe("sticky_cleared_by_failure");
            self.ephemeral(EphemeralChange::Sticky(None));
        }
        if planted_in!(self.context, "lose-buffered-events") {
            self.ephemeral(EphemeralChange::BufferEmptied);
        }
    }
}

fn workflow_task_timeout(state: &MutableState, attempt: i32) -> Duration {
    let timeout = durations::value(state.durable.started.workflow_task_timeout.as_ref());
    if attempt <= GROWING_TIMEOUT_AFTER_ATTEMPT {
        return timeout;
    }
    let doublings = u32::try_from(attempt - GROWING_TIMEOUT_AFTER_ATTEMPT - 1).expect("attempts count up").min(16);
    timeout + (TIMEOUT_GROWTH_FIRST * 2u32.pow(doublings)).min(TIMEOUT_GROWTH_MAX)
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

/// What the worker that got the started workflow task is sent. `partial`: it has the history up to its last one.
pub(crate) fn started_reply(state: &MutableState, partial: bool) -> WorkflowTaskStarted {
    let task = state.workflow_task().expect("the caller started it");
    let key = state.key();
    let transient_events = state.transient_events();
    let previous = state.durable.previous_started_event_id;
    let history_until = match transient_events.is_empty() {
        true => task.started_event_id,
        false => task.scheduled_event_id - 1,
    };
    WorkflowTaskStarted {
        response: api::PollWorkflowTaskQueueResponse {
            workflow_execution: Some(WorkflowExecution {
                workflow_id: key.workflow_id.0.clone(),
                run_id: key.run_id.0.clone(),
            }),
            workflow_type: Some(WorkflowType { name: state.durable.workflow_type().to_owned() }),
            previous_started_event_id: previous,
            started_event_id: task.started_event_id,
            attempt: task.attempt,
            workflow_execution_task_queue: Some(TaskQueue {
                name: state.task_queue().to_owned(),
                kind: TaskQueueKind::Normal.into(),
                ..TaskQueue::default()
            }),
            scheduled_time: Some(task.scheduled_time.to_proto()),
            started_time: Some(task.started_time.to_proto()),
            ..api::PollWorkflowTaskQueueResponse::default()
        },
        token: WorkflowTaskToken {
            namespace_id: key.namespace_id.clone(),
            workflow_id: key.workflow_id.clone(),
            run_id: key.run_id.clone(),
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            started_time: task.started_time,
            attempt: task.attempt,
        },
        history_from: if partial { previous + 1 } else { 1 },
        history_until,
        transient_events,
    }
}
