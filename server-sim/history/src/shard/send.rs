//! Gives workflow and activity tasks to matching.
use std::time::Duration;
use tempest_api::{AddActivityTask, AddWorkflowTask, MatchingService, ServiceError, ServiceResult};
use tempest_core::{RunKey, TransferTask};

/// By how much a transfer task is sent late where the simulation wants it so: as if matching were far away or busy, and
/// longer than deletions wait.
const SENT_LATE_BY: Duration = Duration::from_secs(2);

pub(super) async fn send(
    matching: &dyn MatchingService,
    run: RunKey,
    task: TransferTask,
    late: bool,
) -> ServiceResult<()> {
    if late {
        tempest_rt::time::sleep(SENT_LATE_BY).await;
    }
    match task {
        TransferTask::WorkflowTask { scheduled_event_id, stamp, task_queue, sticky_for, schedule_to_start_timeout } => {
            let add = AddWorkflowTask {
                run,
                scheduled_event_id,
                stamp,
                task_queue,
                sticky_for: sticky_for.clone(),
                schedule_to_start_timeout,
            };
            match (matching.add_workflow_task(add.clone()).await, sticky_for) {
                // The normal queue takes it at once and no event is written, as in Temporal
                // (transfer_queue_active_task_executor.go): stickiness ends when another queue starts the task.
                (Err(ServiceError::StickyWorkerUnavailable), Some(normal)) => {
                    tempest_rt::probe!("history-sticky-worker-unavailable");
                    matching.add_workflow_task(AddWorkflowTask { task_queue: normal, sticky_for: None, ..add }).await
                }
                (result, _) => result,
            }
        }
        TransferTask::ActivityTask { scheduled_event_id, attempt, task_queue, schedule_to_start_timeout } => {
            matching
                .add_activity_task(AddActivityTask {
                    run,
                    scheduled_event_id,
                    attempt,
                    task_queue,
                    schedule_to_start_timeout,
                })
                .await
        }
        // These ask for cross-workflow calls, which the machine tells apart before.
        TransferTask::StartChild { .. }
        | TransferTask::SignalExternal { .. }
        | TransferTask::CancelExternal { .. }
        | TransferTask::CloseExecution => Ok(()),
    }
}
