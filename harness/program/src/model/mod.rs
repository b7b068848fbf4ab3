//! What may have come of a program: given the history of one of its runs and what its activities' code did.
//!
//! A history says what the server made of what happened. The model walks it beside the program's plan: which attempts an
//! activity may have had, what may have ended it and in which state of its retries, which details each attempt may have been
//! given. Storms only widen what is allowed (an attempt that was started need not have been executed); nothing here depends
//! on when a fault was.
mod activity;
#[cfg(test)]
mod tests;

use crate::ledger::{Execution, Said};
use crate::replay::{Names, StepInput, WORKFLOW_TYPE, input_of, replay};
use activity::{Known, Scheduled, judge_activity};
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::history::v1::history_event::Attributes;

/// What does not fit, in words.
pub type Wrong = String;

/// Judges the history of one run.
///
/// `executions` are those of this run, in the order in which they began; `said` is what clients said of activities of its
/// workflow.
pub fn judge(workflow_id: &str, events: &[HistoryEvent], executions: &[Execution], said: &[Said]) -> Vec<Wrong> {
    if !is_program(events) {
        return Vec::new();
    }
    let names = Names { workflow_id: workflow_id.to_owned(), task_queue: String::new() };
    let mut wrong: Vec<Wrong> = replay(&names, events).err().map(|error| error.to_string()).into_iter().collect();
    for scheduled in scheduled(events) {
        let of_it = executions.iter().filter(|execution| execution.path == scheduled.input.path);
        let by_clients = said.iter().filter(|said| said.path == scheduled.input.path).map(|said| said.says);
        let known = Known { executed: of_it.collect(), by_clients: by_clients.collect() };
        wrong.extend(judge_activity(&scheduled, events, &known));
    }
    let known = |execution: &&Execution| scheduled_paths(events).any(|path| path == execution.path);
    let unknown = executions.iter().filter(|execution| !known(execution));
    wrong.extend(unknown.map(|execution| format!("activity {} was executed and never scheduled", execution.path)));
    wrong
}

fn is_program(events: &[HistoryEvent]) -> bool {
    match events.first().and_then(|event| event.attributes.as_ref()) {
        Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
            started.workflow_type.as_ref().is_some_and(|kind| kind.name == WORKFLOW_TYPE)
        }
        _ => false,
    }
}

fn scheduled(events: &[HistoryEvent]) -> impl Iterator<Item = Scheduled> + '_ {
    events.iter().filter_map(|event| match event.attributes.as_ref()? {
        Attributes::ActivityTaskScheduledEventAttributes(attributes) => {
            let input: StepInput = input_of(attributes.input.as_ref()).ok()?;
            let has = |timeout: Option<prost_wkt_types::Duration>| {
                timeout.is_some_and(|timeout| timeout.seconds > 0 || timeout.nanos > 0)
            };
            Some(Scheduled {
                event_id: event.event_id,
                input,
                has_schedule_to_start: has(attributes.schedule_to_start_timeout),
                has_schedule_to_close: has(attributes.schedule_to_close_timeout),
            })
        }
        _ => None,
    })
}

fn scheduled_paths(events: &[HistoryEvent]) -> impl Iterator<Item = &str> {
    events.iter().filter_map(|event| match event.attributes.as_ref()? {
        Attributes::ActivityTaskScheduledEventAttributes(attributes) => Some(attributes.activity_id.as_str()),
        _ => None,
    })
}
