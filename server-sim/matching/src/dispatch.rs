//! One dispatch: history records the start, or says why not.
use crate::queue::{Shared, StartedTask};
use crate::task::QueuedTask;
use std::sync::Arc;
use tempest_api::{ResourceExhaustedCause, ServiceError};
use tempest_core::{RecordActivityTaskStarted, RecordWorkflowTaskStarted};
use tempest_rt::time::timeout;

/// What becomes of a task that history was asked to start.
#[derive(Debug)]
pub(crate) enum Verdict {
    Started(StartedTask),
    /// The task is not needed any more.
    Dropped,
    /// The task stays; perhaps its start is recorded, so it must be asked for with the same request id.
    Kept {
        /// The poll ends with this error instead of waiting on.
        fail_poll: Option<ServiceError>,
    },
}

/// Asks history to record the start of `task` for the poller `identity`.
pub(crate) async fn record_started(
    shared: &Arc<Shared>,
    task: &QueuedTask,
    request_id: String,
    identity: String,
) -> Verdict {
    let Some(history) = shared.history() else {
        return Verdict::Kept { fail_poll: None };
    };
    let recording = async {
        match task {
            QueuedTask::Workflow(task) => {
                let request = RecordWorkflowTaskStarted {
                    scheduled_event_id: task.scheduled_event_id,
                    stamp: task.stamp,
                    request_id,
                    identity,
                    polled_queue: task.task_queue.clone(),
                };
                history.record_workflow_task_started(&task.run, request).await.map(StartedTask::Workflow)
            }
            QueuedTask::Activity(task) => {
                let request = RecordActivityTaskStarted {
                    scheduled_event_id: task.scheduled_event_id,
                    attempt: task.attempt,
                    request_id,
                    identity,
                };
                history.record_activity_task_started(&task.run, request).await.map(StartedTask::Activity)
            }
        }
    };
    match timeout(shared.config.record_started_timeout, recording).await {
        Ok(Ok(started)) => Verdict::Started(started),
        Ok(Err(error)) => {
            let verdict = judge(&error);
            tracing::debug!(run = ?task.run(), %error, ?verdict, "a task was not started");
            verdict
        }
        Err(_) => {
            tempest_rt::probe!("matching-record-started-timed-out");
            Verdict::Kept { fail_poll: None }
        }
    }
}

/// What history's error means for the task.
fn judge(error: &ServiceError) -> Verdict {
    match error {
        ServiceError::NotFound(_)
        | ServiceError::NamespaceNotFound(_)
        | ServiceError::TaskAlreadyStarted
        | ServiceError::ObsoleteMatchingTask
        // Not transient: asking again gives the same answer, as in Temporal.
        | ServiceError::Internal(_)
        | ServiceError::DataLoss(_) => Verdict::Dropped,
        ServiceError::ResourceExhausted { cause, .. } if *cause != ResourceExhaustedCause::BusyWorkflow => {
            Verdict::Kept { fail_poll: Some(error.clone()) }
        }
        _ => Verdict::Kept { fail_poll: None },
    }
}
