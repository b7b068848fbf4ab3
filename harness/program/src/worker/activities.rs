//! Activity tasks: each does what its script says.
use super::{Habit, Worker, pause};
use crate::calls::ask;
use crate::plan::End;
use crate::replay::{StepInput, failure, input_of, payloads};
use crate::{Execution, plan::Attempt};
use std::sync::Arc;
use std::time::Duration;
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_rt::task::TaskGroup;
use tokio::sync::Semaphore;
use tonic::Status;

/// Activities at once.
const ACTIVITIES_MAX: usize = 100;

/// Polls and executes without end.
pub(super) async fn serve(worker: Worker, tasks: TaskGroup) {
    let slots = Arc::new(Semaphore::new(ACTIVITIES_MAX));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        match poll(&worker).await {
            Ok(task) if !task.task_token.is_empty() => {
                let worker = worker.clone();
                tasks.spawn(async move {
                    execute(&worker, task).await;
                    drop(slot);
                });
            }
            Ok(_) => {}
            Err(_) => pause().await,
        }
    }
}

async fn poll(worker: &Worker) -> Result<api::PollActivityTaskQueueResponse, Status> {
    let request = api::PollActivityTaskQueueRequest {
        namespace: worker.namespace.clone(),
        task_queue: Some(TaskQueue { name: worker.task_queue.clone(), ..Default::default() }),
        identity: worker.identity.clone(),
        ..Default::default()
    };
    ask(worker.calls.as_ref(), "PollActivityTaskQueue", &request).await
}

/// How far an attempt came.
enum Said {
    /// The server wants no more of it.
    Enough,
    Cancelled,
    Done,
}

async fn execute(worker: &Worker, task: api::PollActivityTaskQueueResponse) {
    let attempt = u32::try_from(task.attempt).unwrap_or(0);
    let input: StepInput = match input_of(task.input.as_ref()) {
        Ok(input) => input,
        Err(why) => {
            worker.ledger.objected(&task.activity_id, &format!("an activity was given {why}"));
            return;
        }
    };
    let script = input.activity.attempt(attempt);
    let details = task.heartbeat_details.as_ref().and_then(|details| input_of::<u32>(Some(details)).ok());
    let run_id = task.workflow_execution.as_ref().map(|execution| execution.run_id.clone()).unwrap_or_default();
    worker.ledger.began(Execution { run_id, path: input.path, attempt, details });
    let said = beat(worker, &task, details.unwrap_or(0), script).await;
    let _ = match said {
        Said::Enough => Ok(()),
        Said::Cancelled => cancelled(worker, &task).await,
        Said::Done => {
            sleep(script.after_ms).await;
            end(worker, &task, attempt, script.end).await
        }
    };
}

/// Goes on beating where the details of the last heartbeat stand.
async fn beat(worker: &Worker, task: &api::PollActivityTaskQueueResponse, done: u32, script: Attempt) -> Said {
    for beat in done + 1..=script.beats {
        sleep(script.every_ms).await;
        let request = api::RecordActivityTaskHeartbeatRequest {
            namespace: worker.namespace.clone(),
            identity: worker.identity.clone(),
            task_token: task.task_token.clone(),
            details: Some(payloads(&beat)),
            ..Default::default()
        };
        let heard: Result<api::RecordActivityTaskHeartbeatResponse, Status> =
            ask(worker.calls.as_ref(), "RecordActivityTaskHeartbeat", &request).await;
        match heard {
            Ok(heard) if heard.cancel_requested => return Said::Cancelled,
            Ok(_) => {}
            Err(status) if crate::calls::is_unknown(&status) => {}
            Err(_) => return Said::Enough,
        }
    }
    Said::Done
}

async fn sleep(ms: u64) {
    tempest_rt::time::sleep(Duration::from_millis(ms)).await;
}

async fn cancelled(worker: &Worker, task: &api::PollActivityTaskQueueResponse) -> Result<(), Status> {
    let request = api::RespondActivityTaskCanceledRequest {
        namespace: worker.namespace.clone(),
        identity: worker.identity.clone(),
        task_token: task.task_token.clone(),
        details: Some(payloads(&worker.identity)),
        ..Default::default()
    };
    let send = || async {
        let sent: Result<api::RespondActivityTaskCanceledResponse, Status> =
            ask(worker.calls.as_ref(), "RespondActivityTaskCanceled", &request).await;
        sent.map(drop)
    };
    worker.answer(send).await
}

async fn end(worker: &Worker, task: &api::PollActivityTaskQueueResponse, attempt: u32, end: End) -> Result<(), Status> {
    match end {
        End::Silent => Ok(()),
        End::Succeeds => completed(worker, task, attempt).await,
        End::Fails | End::FailsForGood => {
            let request = api::RespondActivityTaskFailedRequest {
                namespace: worker.namespace.clone(),
                identity: worker.identity.clone(),
                task_token: task.task_token.clone(),
                failure: Some(failure("as the script says", end == End::FailsForGood)),
                ..Default::default()
            };
            let send = || async {
                let sent: Result<api::RespondActivityTaskFailedResponse, Status> =
                    ask(worker.calls.as_ref(), "RespondActivityTaskFailed", &request).await;
                sent.map(drop)
            };
            worker.answer(send).await
        }
    }
}

async fn completed(worker: &Worker, task: &api::PollActivityTaskQueueResponse, attempt: u32) -> Result<(), Status> {
    let mut request = api::RespondActivityTaskCompletedRequest {
        namespace: worker.namespace.clone(),
        identity: worker.identity.clone(),
        task_token: task.task_token.clone(),
        result: Some(payloads(&attempt)),
        ..Default::default()
    };
    worker.habits.spoil_token(&mut request.task_token);
    if request.task_token != task.task_token {
        let _: Result<api::RespondActivityTaskCompletedResponse, Status> =
            ask(worker.calls.as_ref(), "RespondActivityTaskCompleted", &request).await;
        request.task_token.clone_from(&task.task_token);
    }
    let send = || async {
        let sent: Result<api::RespondActivityTaskCompletedResponse, Status> =
            ask(worker.calls.as_ref(), "RespondActivityTaskCompleted", &request).await;
        sent.map(drop)
    };
    worker.habits.dawdle().await;
    let answered = worker.answer(send).await;
    if worker.habits.has(Habit::AnswersTwice) {
        let _ = send().await;
    }
    answered
}
