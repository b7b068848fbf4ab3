//! The other half of `replay`: the frontier of a history, where a worker answers a task before it knows what follows.
//!
//! A replay compares what workflow code does with events that the replayer has already. Here it has them not: a worker gets
//! a history up to the start of a workflow task, as a poll would bring it, and the commands of its answer must be those
//! that the history goes on with. What differs was made of another history than the one that is stored.
//!
//! Passed over, because what is stored does not tell what a worker had to say:
//! - a task before which others failed or timed out since the last completed one: its worker may have seen the events in
//!   other portions;
//! - a task after which the marker of a local activity comes: the activity would be executed here and now;
//! - a history with updates: they come with a poll, not with the history.
use super::{Observations, RunObserved, Violation, events, replay};
use crate::draw::Decisions;
use crate::worker::{Answer, answers};
use crate::worker::{Registrations, TASK_QUEUE};
use std::collections::BTreeSet;
use tempest_api::proto::command::v1::{Command, command::Attributes as Asked};
use tempest_api::proto::common::v1::WorkflowExecution;
use tempest_api::proto::enums::v1::EventType;
use tempest_api::proto::history::v1::{History, HistoryEvent, history_event::Attributes};
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1::PollWorkflowTaskQueueResponse;

/// Marks what a local activity came to.
const LOCAL_ACTIVITY: &str = "core_local_activity";

/// A completed workflow task of a history.
struct Frontier<'a> {
    run: &'a RunObserved,
    /// Of the task's started and completed events.
    started: i64,
    completed: i64,
    /// The started event of the completed task before it; 0 if there is none.
    previous_started: i64,
}

/// Lets a worker answer up to `per_history` tasks of each history, drawn from the seed. Needs a tokio runtime; uses real
/// threads and real time.
pub async fn frontier(
    registrations: Registrations,
    observations: &Observations,
    decisions: &Decisions,
    per_history: u64,
) -> Vec<Violation> {
    let runs = observations.runs.values();
    let sampled: Vec<Frontier<'_>> = runs.flat_map(|run| sample(decisions, run, frontiers(run), per_history)).collect();
    if sampled.is_empty() || !registrations.has_workflows() {
        return Vec::new();
    }
    let tasks = sampled.iter().map(Frontier::task).collect();
    match answers(registrations, tasks).await {
        // The worker stands still at a task that it does not answer: later ones were never given to it.
        Ok(answers) => {
            let first_unanswered = answers.len();
            let answered = sampled.iter().zip(&answers).filter_map(|(frontier, answer)| frontier.judge(answer));
            let unanswered = sampled.get(first_unanswered).map(|frontier| frontier.differs("gave no answer", &[]));
            answered.chain(unanswered).collect()
        }
        Err(error) => {
            vec![Violation::new(replay::INVARIANT, format!("no worker for frontiers could be run: {error:#}"))]
        }
    }
}

/// A few of many, in their order, the same for the same seed; all if there are not so many.
fn sample<T>(decisions: &Decisions, run: &RunObserved, all: Vec<T>, count: u64) -> Vec<T> {
    let site = format!("frontier.{}", run.key.run_id);
    let mut left: Vec<usize> = (0..all.len()).collect();
    let mut chosen = BTreeSet::new();
    for ordinal in 0..count.min(all.len() as u64) {
        let index = decisions.below(&site, ordinal, left.len() as u64);
        chosen.insert(left.remove(usize::try_from(index).expect("below a length")));
    }
    all.into_iter().enumerate().filter(|(index, _)| chosen.contains(index)).map(|(_, one)| one).collect()
}

/// The tasks of a history whose answers can be judged.
fn frontiers(run: &RunObserved) -> Vec<Frontier<'_>> {
    if run.stored.iter().any(is_update) {
        return Vec::new();
    }
    let last_local_activity =
        run.stored.iter().filter(|event| is_local_activity(event)).map(|event| event.event_id).max();
    let (mut found, mut previous_started, mut undisturbed) = (Vec::new(), 0, true);
    for event in &run.stored {
        match &event.attributes {
            Some(Attributes::WorkflowTaskCompletedEventAttributes(a)) => {
                let (started, completed) = (a.started_event_id, event.event_id);
                let follows = run.event(started).is_some() && completed == started + 1;
                if undisturbed && follows && last_local_activity.is_none_or(|marker| marker < started) {
                    found.push(Frontier { run, started, completed, previous_started });
                }
                (previous_started, undisturbed) = (started, true);
            }
            Some(
                Attributes::WorkflowTaskFailedEventAttributes(_) | Attributes::WorkflowTaskTimedOutEventAttributes(_),
            ) => undisturbed = false,
            _ => {}
        }
    }
    found
}

fn is_update(event: &HistoryEvent) -> bool {
    matches!(
        event.event_type(),
        EventType::WorkflowExecutionUpdateAccepted
            | EventType::WorkflowExecutionUpdateCompleted
            | EventType::WorkflowExecutionUpdateAdmitted
    )
}

fn is_local_activity(event: &HistoryEvent) -> bool {
    match &event.attributes {
        Some(Attributes::MarkerRecordedEventAttributes(a)) => a.marker_name == LOCAL_ACTIVITY,
        _ => false,
    }
}

impl Frontier<'_> {
    /// The task as a poll would bring it.
    fn task(&self) -> PollWorkflowTaskQueueResponse {
        let known = self.run.stored.iter().take_while(|event| event.event_id <= self.started).cloned().collect();
        let workflow_type = match self.run.event(1).and_then(|event| event.attributes.as_ref()) {
            Some(Attributes::WorkflowExecutionStartedEventAttributes(a)) => a.workflow_type.clone(),
            _ => None,
        };
        PollWorkflowTaskQueueResponse {
            task_token: format!("{} {}", self.run.name(), self.started).into_bytes(),
            workflow_execution: Some(WorkflowExecution {
                workflow_id: self.run.key.workflow_id.0.clone(),
                run_id: self.run.key.run_id.0.clone(),
            }),
            workflow_type,
            workflow_execution_task_queue: Some(TaskQueue { name: TASK_QUEUE.to_owned(), ..Default::default() }),
            previous_started_event_id: self.previous_started,
            started_event_id: self.started,
            // Whatever it was in the run: of later attempts a worker does not tell that they failed.
            attempt: 1,
            history: Some(History { events: known }),
            ..Default::default()
        }
    }

    /// What the answer came to, as events say it.
    fn written(&self) -> Vec<String> {
        self.run.stored.iter().filter_map(|event| written(event, self.completed)).collect()
    }

    fn judge(&self, answer: &Answer) -> Option<Violation> {
        match answer {
            Answer::Completed(commands) => {
                let said: Vec<String> = commands.iter().map(asked).collect();
                (said != self.written()).then(|| self.differs("answers otherwise than the run did", &said))
            }
            Answer::Failed(why) => Some(self.differs("fails", std::slice::from_ref(why))),
        }
    }

    fn differs(&self, what: &str, said: &[String]) -> Violation {
        let task = self.run.event(self.started).map(events::line).unwrap_or_default();
        let what = format!("{}: a worker that has the history up to {task} {what}", self.run.name());
        Violation::new(replay::INVARIANT, what)
            .because(format!("it said: {}", said.join(", ")))
            .because(format!("the history goes on with: {}", self.written().join(", ")))
            .about(self.run)
    }
}

/// A command by its kind and what it names.
fn asked(command: &Command) -> String {
    match &command.attributes {
        Some(Asked::ScheduleActivityTaskCommandAttributes(a)) => {
            activity(&a.activity_id, a.activity_type.as_ref().map(|kind| kind.name.as_str()))
        }
        Some(Asked::RequestCancelActivityTaskCommandAttributes(a)) => cancel_activity(a.scheduled_event_id),
        Some(Asked::StartTimerCommandAttributes(a)) => timer(&a.timer_id),
        Some(Asked::CancelTimerCommandAttributes(a)) => cancel_timer(&a.timer_id),
        Some(Asked::RecordMarkerCommandAttributes(a)) => marker(&a.marker_name),
        Some(Asked::UpsertWorkflowSearchAttributesCommandAttributes(_)) => UPSERT.to_owned(),
        Some(Asked::ModifyWorkflowPropertiesCommandAttributes(_)) => MODIFY.to_owned(),
        Some(Asked::CompleteWorkflowExecutionCommandAttributes(_)) => COMPLETE.to_owned(),
        Some(Asked::FailWorkflowExecutionCommandAttributes(_)) => FAIL.to_owned(),
        Some(Asked::CancelWorkflowExecutionCommandAttributes(_)) => CANCEL.to_owned(),
        Some(Asked::ContinueAsNewWorkflowExecutionCommandAttributes(a)) => {
            continue_as_new(a.workflow_type.as_ref().map(|kind| kind.name.as_str()))
        }
        Some(Asked::StartChildWorkflowExecutionCommandAttributes(a)) => {
            child(&a.workflow_id, a.workflow_type.as_ref().map(|kind| kind.name.as_str()))
        }
        Some(Asked::SignalExternalWorkflowExecutionCommandAttributes(a)) => {
            signal(a.execution.as_ref().map(|execution| execution.workflow_id.as_str()), &a.signal_name)
        }
        Some(Asked::RequestCancelExternalWorkflowExecutionCommandAttributes(a)) => cancel_other(Some(&a.workflow_id)),
        // The server knows no other: it has refused them.
        _ => command.command_type().as_str_name().to_owned(),
    }
}

/// The same of an event, if that completed workflow task brought it about.
fn written(event: &HistoryEvent, completed: i64) -> Option<String> {
    use Attributes as A;
    let (by, what) = match event.attributes.as_ref()? {
        A::ActivityTaskScheduledEventAttributes(a) => {
            let kind = a.activity_type.as_ref().map(|kind| kind.name.as_str());
            (a.workflow_task_completed_event_id, activity(&a.activity_id, kind))
        }
        A::ActivityTaskCancelRequestedEventAttributes(a) => {
            (a.workflow_task_completed_event_id, cancel_activity(a.scheduled_event_id))
        }
        A::TimerStartedEventAttributes(a) => (a.workflow_task_completed_event_id, timer(&a.timer_id)),
        A::TimerCanceledEventAttributes(a) => (a.workflow_task_completed_event_id, cancel_timer(&a.timer_id)),
        A::StartChildWorkflowExecutionInitiatedEventAttributes(a) => {
            let kind = a.workflow_type.as_ref().map(|kind| kind.name.as_str());
            (a.workflow_task_completed_event_id, child(&a.workflow_id, kind))
        }
        A::SignalExternalWorkflowExecutionInitiatedEventAttributes(a) => {
            let to = a.workflow_execution.as_ref().map(|execution| execution.workflow_id.as_str());
            (a.workflow_task_completed_event_id, signal(to, &a.signal_name))
        }
        A::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(a) => {
            let to = a.workflow_execution.as_ref().map(|execution| execution.workflow_id.as_str());
            (a.workflow_task_completed_event_id, cancel_other(to))
        }
        A::MarkerRecordedEventAttributes(a) => (a.workflow_task_completed_event_id, marker(&a.marker_name)),
        A::UpsertWorkflowSearchAttributesEventAttributes(a) => (a.workflow_task_completed_event_id, UPSERT.to_owned()),
        A::WorkflowPropertiesModifiedEventAttributes(a) => (a.workflow_task_completed_event_id, MODIFY.to_owned()),
        A::WorkflowExecutionCompletedEventAttributes(a) => (a.workflow_task_completed_event_id, COMPLETE.to_owned()),
        A::WorkflowExecutionFailedEventAttributes(a) => (a.workflow_task_completed_event_id, FAIL.to_owned()),
        A::WorkflowExecutionCanceledEventAttributes(a) => (a.workflow_task_completed_event_id, CANCEL.to_owned()),
        A::WorkflowExecutionContinuedAsNewEventAttributes(a) => {
            let kind = a.workflow_type.as_ref().map(|kind| kind.name.as_str());
            (a.workflow_task_completed_event_id, continue_as_new(kind))
        }
        _ => return None,
    };
    (by == completed).then_some(what)
}

const UPSERT: &str = "upsert search attributes";
const MODIFY: &str = "modify properties";
const COMPLETE: &str = "complete";
const FAIL: &str = "fail";
const CANCEL: &str = "cancel";

fn activity(id: &str, kind: Option<&str>) -> String {
    format!("activity {id:?} of type {}", kind.unwrap_or_default())
}

fn cancel_activity(scheduled: i64) -> String {
    format!("cancel the activity of event {scheduled}")
}

fn timer(id: &str) -> String {
    format!("timer {id:?}")
}

fn cancel_timer(id: &str) -> String {
    format!("cancel timer {id:?}")
}

fn marker(name: &str) -> String {
    format!("marker {name:?}")
}

fn child(id: &str, kind: Option<&str>) -> String {
    format!("child {id:?} of type {}", kind.unwrap_or_default())
}

fn signal(to: Option<&str>, name: &str) -> String {
    format!("signal {name:?} to {:?}", to.unwrap_or_default())
}

fn cancel_other(id: Option<&str>) -> String {
    format!("cancel workflow {:?}", id.unwrap_or_default())
}

fn continue_as_new(kind: Option<&str>) -> String {
    format!("continue as new of type {}", kind.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::samples::{self, ACTIVITY, RUN, TIMER};
    use crate::draw::Seed;
    use tempest_api::proto::history::v1 as history;

    /// Judges all prefixes.
    fn judge(observations: &Observations) -> Vec<Violation> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there are threads");
        let decisions = Decisions::new(Seed(1), []);
        let judging = frontier(samples::registrations(), observations, &decisions, u64::MAX);
        let violations = runtime.block_on(judging);
        runtime.shutdown_background();
        violations
    }

    fn check(change: impl FnOnce(&mut Observations), expect: &[&str]) {
        samples::check(judge, change, expect);
    }

    const FIRST: &str = "order-1 / run-1: a worker that has the history up to event 3 WORKFLOW_TASK_STARTED answers \
                         otherwise than the run did";
    const THIRD: &str = "order-1 / run-1: a worker that has the history up to event 15 WORKFLOW_TASK_STARTED";

    /// What came after the first task's commands is none of its business.
    fn only_the_first(observations: &mut Observations) {
        samples::rewrite(observations, |events| events.truncate(6));
    }

    #[test]
    fn a_sound_history_goes_on_as_its_worker_says() {
        check(|_| {}, &[]);
        check(only_the_first, &[]);
    }

    #[test]
    fn an_activity_that_nobody_asked_for_is_noticed() {
        check(
            |observations| {
                only_the_first(observations);
                samples::alter!(observations, ACTIVITY, ActivityTaskScheduledEventAttributes, |a| {
                    a.activity_id = "2".to_owned();
                });
            },
            &[FIRST],
        );
    }

    /// The replayer compares no ids of timers.
    #[test]
    fn a_timer_that_nobody_asked_for_is_noticed() {
        check(
            |observations| {
                only_the_first(observations);
                samples::alter!(observations, TIMER, TimerStartedEventAttributes, |a| a.timer_id = "2".to_owned());
            },
            &[FIRST],
        );
    }

    #[test]
    fn a_command_that_was_not_written_is_noticed() {
        check(
            |observations| {
                only_the_first(observations);
                samples::replace(observations, TIMER, samples::signaled("signal-2"));
            },
            &[FIRST],
        );
    }

    /// The commands of the first task do not match: the last one cannot be done.
    #[test]
    fn a_task_that_no_worker_can_do_is_noticed() {
        let mut observations = samples::sound();
        samples::alter!(&mut observations, ACTIVITY, ActivityTaskScheduledEventAttributes, |a| {
            a.activity_id = "2".to_owned();
        });
        let violation = judge(&observations).pop().expect("there are some");
        assert_eq!(violation.what, format!("{THIRD} fails"));
        assert!(violation.evidence[0].contains("NON_DETERMINISTIC"), "{violation:?}");
    }

    /// The replayer has no objection: to it, the history ends before the answer.
    #[test]
    fn a_lost_end_is_noticed() {
        check(
            |observations| samples::rewrite(observations, |events| events.truncate(16)),
            &[&format!("{THIRD} answers otherwise than the run did")],
        );
    }

    #[test]
    fn what_differs_is_told() {
        let mut observations = samples::sound();
        samples::rewrite(&mut observations, |events| events.truncate(16));
        let run = &observations.runs[RUN];
        let last = frontiers(run).pop().expect("it has three");
        let violation = last.judge(&Answer::Completed(vec![Command::default()])).expect("nothing was written");
        assert_eq!(violation.evidence, ["it said: COMMAND_TYPE_UNSPECIFIED", "the history goes on with: "]);
    }

    #[test]
    fn tasks_are_those_of_polls() {
        let observations = samples::sound();
        let frontiers = frontiers(&observations.runs[RUN]);
        let told = |frontier: &Frontier<'_>| {
            let task = frontier.task();
            (task.history.map_or(0, |history| history.events.len()), task.previous_started_event_id)
        };
        assert_eq!(frontiers.iter().map(told).collect::<Vec<_>>(), [(3, 0), (11, 3), (15, 11)]);
        let written: Vec<String> = frontiers.iter().map(|frontier| frontier.written().join(", ")).collect();
        assert_eq!(written, ["activity \"1\" of type charge, timer \"1\"", "", "complete"]);
    }

    fn judged(change: impl FnOnce(&mut Observations)) -> Vec<i64> {
        let mut observations = samples::sound();
        change(&mut observations);
        frontiers(&observations.runs[RUN]).iter().map(|frontier| frontier.started).collect()
    }

    #[test]
    fn tasks_after_failed_ones_are_passed_over() {
        let failed = history::WorkflowTaskFailedEventAttributes { scheduled_event_id: 9, ..Default::default() };
        assert_eq!(judged(|observations| samples::replace(observations, 12, failed)), [3]);
        let timed_out = history::WorkflowTaskTimedOutEventAttributes { scheduled_event_id: 9, ..Default::default() };
        assert_eq!(judged(|observations| samples::replace(observations, 10, timed_out)), [3, 15]);
    }

    #[test]
    fn tasks_before_a_local_activity_are_passed_over() {
        let marker = history::MarkerRecordedEventAttributes {
            marker_name: LOCAL_ACTIVITY.to_owned(),
            workflow_task_completed_event_id: 12,
            ..Default::default()
        };
        assert_eq!(judged(|observations| samples::replace(observations, 13, marker)), [15]);
    }

    #[test]
    fn histories_with_updates_are_passed_over() {
        let update = history::WorkflowExecutionUpdateAcceptedEventAttributes::default();
        assert!(judged(|observations| samples::replace(observations, 13, update)).is_empty());
    }

    #[test]
    fn a_sample_is_the_seeds_and_in_order() {
        let run = samples::run(RUN, samples::events(RUN));
        let draw = |seed: u64, count: u64| {
            let decisions = Decisions::new(Seed(seed), []);
            sample(&decisions, &run, (0..100).collect::<Vec<u64>>(), count)
        };
        assert!(draw(1, 0).is_empty());
        assert_eq!(draw(1, 5).len(), 5);
        assert_eq!(draw(1, 5), draw(1, 5));
        assert_ne!(draw(1, 5), draw(2, 5));
        assert!(draw(1, 5).is_sorted());
        assert_eq!(draw(1, u64::MAX), (0..100).collect::<Vec<u64>>());
    }
}
