//! A worker without an SDK: what a run's code answers to a workflow task, from its history alone.
//!
//! [`replay`] goes through a history as an SDK does: task by task, each time letting the code see what happened before the
//! task was started, and comparing what the code then asks for with the events that came of it. Nothing is kept between two
//! calls, so a worker's cache is a history.
mod commands;
mod recorded;
mod run;
mod surroundings;

use crate::interpret::{RunInput, interpret};
pub use commands::{Names, SIGNAL, StepInput, UNATTENDED, WORKFLOW_TYPE, failure, input_of, payloads, retry_policy};
pub(crate) use commands::{duration, payload};
use futures::FutureExt;
use futures::task::noop_waker;
use recorded::{is_of_command, mismatch};
use run::Run;
use std::task::{Context, Poll};
use surroundings::Replayed;
use tempest_api::proto::command::v1::Command;
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::history::v1::history_event::Attributes;

/// What a run's code says at the end of a history.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To the workflow task that was started last and is not completed yet.
    Commands(Vec<Command>),
    /// No workflow task is waiting for an answer.
    Nothing,
}

/// Why a history cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    #[error("the history does not begin with a start by a program: {0}")]
    NotAProgram(String),
    #[error("the workflow task that completed with event {completed}: {what}")]
    NonDeterministic { completed: i64, what: String },
    #[error("event {event}: {what}")]
    Unexpected { event: i64, what: String },
}

/// Replays the whole history of a run, from its first event.
///
/// # Errors
/// The code asks for something else than the history says it did, or an event is about nothing that the code asked for.
pub fn replay(names: &Names, events: &[HistoryEvent]) -> Result<Answer, ReplayError> {
    let input = started(events)?;
    let run = Run::new(names.clone());
    let mut code = interpret(Replayed::new(run.clone()), input).boxed_local();
    let mut seen = 0;
    for task in tasks(events) {
        for event in &events[seen..task.started] {
            run.see(event)?;
        }
        run.pass_cancel_request_on();
        let end = advance(&run, &mut code);
        let commands = run.answer(end);
        let Some(completed) = task.completed else { return Ok(Answer::Commands(commands)) };
        let completed_id = events[completed].event_id;
        let recorded = events[completed + 1..].iter().take_while(|event| is_of_command(event, completed_id));
        let recorded: Vec<&HistoryEvent> = recorded.collect();
        if let Some(what) = mismatch(&commands, &recorded) {
            return Err(ReplayError::NonDeterministic { completed: completed_id, what });
        }
        run.sent(&recorded);
        seen = completed + 1 + recorded.len();
    }
    Ok(Answer::Nothing)
}

/// A workflow task whose answer counts: where its started event is, and its completed one if there is.
struct Task {
    started: usize,
    completed: Option<usize>,
}

/// Tasks that failed or timed out left nothing.
fn tasks(events: &[HistoryEvent]) -> Vec<Task> {
    let mut tasks = Vec::new();
    let mut started = None;
    for (index, event) in events.iter().enumerate() {
        match event.event_type() {
            EventType::WorkflowTaskStarted => started = Some(index),
            EventType::WorkflowTaskFailed | EventType::WorkflowTaskTimedOut => started = None,
            EventType::WorkflowTaskCompleted => {
                if let Some(started) = started.take() {
                    tasks.push(Task { started, completed: Some(index) });
                }
            }
            _ => {}
        }
    }
    if let Some(started) = started {
        tasks.push(Task { started, completed: None });
    }
    tasks
}

fn started(events: &[HistoryEvent]) -> Result<RunInput, ReplayError> {
    let first = events.first().and_then(|event| event.attributes.as_ref());
    let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) = first else {
        return Err(ReplayError::NotAProgram("its first event is not the start".to_owned()));
    };
    input_of(started.input.as_ref()).map_err(ReplayError::NotAProgram)
}

/// Lets the code go on until it waits for what is not there yet; how it ended, if it did.
fn advance(
    run: &Run,
    code: &mut futures::future::LocalBoxFuture<'static, crate::interpret::RunEnd>,
) -> Option<crate::interpret::RunEnd> {
    let waker = noop_waker();
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(end) = code.as_mut().poll(&mut context) {
            return Some(end);
        }
        if !run.hear_the_next() {
            return None;
        }
    }
}
