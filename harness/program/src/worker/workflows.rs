//! Workflow tasks: polled, replayed, answered.
use super::{Habit, Worker, pause};
use crate::calls::ask;
use crate::replay::{Answer, Names, failure, replay};
use prost_wkt_types::Duration as WireDuration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tempest_api::proto::command::v1::Command;
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::enums::v1::{EventType, TaskQueueKind, WorkflowTaskFailedCause};
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::taskqueue::v1::{StickyExecutionAttributes, TaskQueue};
use tempest_api::proto::workflowservice::v1 as api;
use tonic::Status;

/// How long a task may wait for this worker before any may have it.
const STICKY_S: i64 = 5;

/// Histories of runs whose last task this worker answered, up to that task's start. The oldest leaves first.
#[derive(Clone)]
pub(super) struct Cache(Arc<Mutex<Kept>>);

struct Kept {
    room: usize,
    order: u64,
    runs: BTreeMap<String, (u64, Vec<HistoryEvent>)>,
}

impl Cache {
    pub fn new(room: usize) -> Cache {
        Cache(Arc::new(Mutex::new(Kept { room, order: 0, runs: BTreeMap::new() })))
    }

    fn with<T>(&self, body: impl FnOnce(&mut Kept) -> T) -> T {
        body(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, run_id: &str) -> Option<Vec<HistoryEvent>> {
        self.with(|kept| kept.runs.remove(run_id).map(|(_, events)| events))
    }

    fn put(&self, run_id: &str, events: Vec<HistoryEvent>) {
        self.with(|kept| {
            kept.order += 1;
            kept.runs.insert(run_id.to_owned(), (kept.order, events));
            while kept.runs.len() > kept.room {
                let oldest = kept.runs.iter().min_by_key(|(_, (order, _))| *order).map(|(run, _)| run.clone());
                oldest.and_then(|run| kept.runs.remove(&run));
            }
        });
    }
}

/// Polls a queue, the worker's own if `sticky` names it, and answers its tasks one after the other, without end.
pub(super) async fn serve(worker: &Worker, cache: &Cache, sticky: Option<&str>) {
    loop {
        match poll(worker, sticky).await {
            Ok(task) if !task.task_token.is_empty() => {
                // What goes wrong with one task is tried again by the server, by a timeout.
                let _ = work(worker, cache, task).await;
            }
            Ok(_) => {}
            Err(_) => pause().await,
        }
    }
}

async fn poll(worker: &Worker, sticky: Option<&str>) -> Result<api::PollWorkflowTaskQueueResponse, Status> {
    let normal =
        TaskQueue { name: worker.task_queue.clone(), kind: TaskQueueKind::Normal.into(), ..Default::default() };
    let queue = match sticky {
        None => normal,
        Some(name) => TaskQueue {
            name: name.to_owned(),
            kind: TaskQueueKind::Sticky.into(),
            normal_name: worker.task_queue.clone(),
        },
    };
    let request = api::PollWorkflowTaskQueueRequest {
        namespace: worker.namespace.clone(),
        task_queue: Some(queue),
        identity: worker.identity.clone(),
        ..Default::default()
    };
    ask(worker.calls.as_ref(), "PollWorkflowTaskQueue", &request).await
}

async fn work(worker: &Worker, cache: &Cache, task: api::PollWorkflowTaskQueueResponse) -> Result<(), Status> {
    let Some(execution) = task.workflow_execution.clone() else { return Ok(()) };
    let run_id = execution.run_id.clone();
    let kept = if worker.habits.has(Habit::ForgetsRuns) { None } else { cache.take(&run_id) };
    let events = history(worker, &task, &execution, kept).await?;
    let names = Names { workflow_id: execution.workflow_id.clone(), task_queue: worker.task_queue.clone() };
    match replay(&names, &events) {
        Ok(Answer::Commands(_)) if worker.habits.has(Habit::FailsTasks) => {
            fail(worker, &task, WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure, "a whim").await
        }
        Ok(Answer::Commands(commands)) => {
            complete(worker, &task, commands).await?;
            cache.put(&run_id, events);
            Ok(())
        }
        // The task has an answer already: what was polled is of the past.
        Ok(Answer::Nothing) => Ok(()),
        Err(error) => {
            worker.ledger.objected(&run_id, &error.to_string());
            fail(worker, &task, WorkflowTaskFailedCause::NonDeterministicError, &error.to_string()).await
        }
    }
}

/// Everything up to the task's start: what the worker has, what came with the task, and what must be asked for.
async fn history(
    worker: &Worker,
    task: &api::PollWorkflowTaskQueueResponse,
    execution: &WorkflowExecution,
    kept: Option<Vec<HistoryEvent>>,
) -> Result<Vec<HistoryEvent>, Status> {
    let mut came = task.history.clone().unwrap_or_default().events;
    came.extend(pages(worker, execution, task.next_page_token.clone(), false).await?);
    let first = came.first().map_or(0, |event| event.event_id);
    let mut events = if first == 1 { Vec::new() } else { kept.unwrap_or_default() };
    let fits = first == 1 || events.last().is_some_and(|last| first <= last.event_id + 1);
    if !fits {
        events = pages(worker, execution, Vec::new(), true).await?;
    }
    let last = events.last().map_or(0, |event| event.event_id);
    events.extend(came.into_iter().filter(|event| event.event_id > last));
    events.retain(|event| event.event_id <= task.started_event_id);
    if events.last().is_none_or(|event| event.event_id < task.started_event_id) {
        // The start of a task that was tried before is in no history yet.
        let event_type = EventType::WorkflowTaskStarted.into();
        events.push(HistoryEvent { event_id: task.started_event_id, event_type, ..Default::default() });
    }
    Ok(events)
}

/// The pages from a token on; with `whole`, from the beginning.
async fn pages(
    worker: &Worker,
    execution: &WorkflowExecution,
    token: Vec<u8>,
    whole: bool,
) -> Result<Vec<HistoryEvent>, Status> {
    let (mut events, mut next_page_token, mut first) = (Vec::new(), token, whole);
    while first || !next_page_token.is_empty() {
        first = false;
        let request = api::GetWorkflowExecutionHistoryRequest {
            namespace: worker.namespace.clone(),
            execution: Some(execution.clone()),
            next_page_token,
            ..Default::default()
        };
        let page: api::GetWorkflowExecutionHistoryResponse =
            ask(worker.calls.as_ref(), "GetWorkflowExecutionHistory", &request).await?;
        events.extend(page.history.unwrap_or_default().events);
        next_page_token = page.next_page_token;
    }
    Ok(events)
}

async fn complete(
    worker: &Worker,
    task: &api::PollWorkflowTaskQueueResponse,
    commands: Vec<Command>,
) -> Result<(), Status> {
    let sticky = (worker.cached_runs > 0).then(|| StickyExecutionAttributes {
        worker_task_queue: Some(TaskQueue {
            name: worker.sticky_queue.clone(),
            kind: TaskQueueKind::Sticky.into(),
            normal_name: worker.task_queue.clone(),
        }),
        schedule_to_start_timeout: Some(WireDuration { seconds: STICKY_S, nanos: 0 }),
    });
    let mut request = api::RespondWorkflowTaskCompletedRequest {
        namespace: worker.namespace.clone(),
        identity: worker.identity.clone(),
        task_token: task.task_token.clone(),
        commands,
        sticky_attributes: sticky,
        ..Default::default()
    };
    worker.habits.spoil_token(&mut request.task_token);
    let send = || async {
        let sent: Result<api::RespondWorkflowTaskCompletedResponse, Status> =
            ask(worker.calls.as_ref(), "RespondWorkflowTaskCompleted", &request).await;
        sent.map(drop)
    };
    worker.habits.dawdle().await;
    let answered = worker.answer(send).await;
    if worker.habits.has(Habit::AnswersTwice) {
        let _ = send().await;
    }
    if request.task_token != task.task_token {
        // No server gave that token; this one was given.
        request.task_token.clone_from(&task.task_token);
        let right: Result<api::RespondWorkflowTaskCompletedResponse, Status> =
            ask(worker.calls.as_ref(), "RespondWorkflowTaskCompleted", &request).await;
        return right.map(drop);
    }
    answered
}

async fn fail(
    worker: &Worker,
    task: &api::PollWorkflowTaskQueueResponse,
    cause: WorkflowTaskFailedCause,
    why: &str,
) -> Result<(), Status> {
    let request = api::RespondWorkflowTaskFailedRequest {
        namespace: worker.namespace.clone(),
        identity: worker.identity.clone(),
        task_token: task.task_token.clone(),
        cause: cause.into(),
        failure: Some(failure(why, false)),
        ..Default::default()
    };
    let failed: api::RespondWorkflowTaskFailedResponse =
        ask(worker.calls.as_ref(), "RespondWorkflowTaskFailed", &request).await?;
    let _ = failed;
    Ok(())
}
