//! A run as its worker sees it: what the code asked for, and what has become of it.
use super::ReplayError;
use super::commands::{self, Names};
use crate::interpret::{ActivityEnd, Asked, ChildEnd, ChildOrder, RunEnd, Timeout};
use crate::plan::CancelType;
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use tempest_api::proto::command::v1::Command;
use tempest_api::proto::enums::v1::TimeoutType;
use tempest_api::proto::failure::v1::Failure;
use tempest_api::proto::failure::v1::failure::FailureInfo;
use tempest_api::proto::history::v1::HistoryEvent;
use tempest_api::proto::history::v1::history_event::Attributes;

/// Shared by the code and its worker.
#[derive(Clone)]
pub(super) struct Run(Rc<RefCell<Inner>>);

/// Number of an operation of the run: where it stands in [`Inner::operations`].
pub(super) type Number = usize;

/// What the code asked for and waits for.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Activity(CancelType),
    /// With its timer id.
    Timer(String),
    Child {
        workflow_id: String,
        awaited: bool,
    },
    SignalOfAnother,
    CancelOfAnother,
}

/// What has become of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Activity(ActivityEnd),
    /// Whether it fired.
    Timer(bool),
    Child(ChildEnd),
    Asked(Asked),
}

struct Operation {
    kind: Kind,
    /// Id of the event that the server made of the command; nothing while it was not sent.
    event: Option<i64>,
    heard: Option<Heard>,
    cancel_asked: bool,
    /// A child that its parent does not wait for has been heard of before it ends.
    ended: bool,
}

impl Operation {
    /// The first end counts.
    fn end(&mut self, heard: Heard) {
        self.heard.get_or_insert(heard);
        self.ended = true;
    }
}

struct Inner {
    names: Names,
    operations: Vec<Operation>,
    /// Of the current task: with the operation that each begins.
    commands: Vec<(Option<Number>, Command)>,
    timers: u32,
    signals: VecDeque<String>,
    /// Changes whose version the code has asked for.
    versions: BTreeSet<String>,
    cancel_requested: Option<Box<dyn FnOnce()>>,
    was_cancelled: bool,
    /// What the code hears when it is polled again: it asked for it.
    next: Vec<(Number, Heard)>,
    progressed: bool,
}

impl Run {
    pub fn new(names: Names) -> Run {
        Run(Rc::new(RefCell::new(Inner {
            names,
            operations: Vec::new(),
            commands: Vec::new(),
            timers: 0,
            signals: VecDeque::new(),
            versions: BTreeSet::new(),
            cancel_requested: None,
            was_cancelled: false,
            next: Vec::new(),
            progressed: false,
        })))
    }

    pub fn workflow_id(&self) -> String {
        self.0.borrow().names.workflow_id.clone()
    }

    pub fn names(&self) -> Names {
        self.0.borrow().names.clone()
    }

    /// What is to be done when the workflow is asked to cancel itself.
    pub fn on_cancel_request(&self, act: impl FnOnce() + 'static) {
        self.0.borrow_mut().cancel_requested = Some(Box::new(act));
    }

    pub fn next_timer_id(&self) -> String {
        let mut inner = self.0.borrow_mut();
        inner.timers += 1;
        inner.timers.to_string()
    }

    /// Asks the server for something that is waited for.
    pub fn ask(&self, kind: Kind, command: Command) -> Number {
        let mut inner = self.0.borrow_mut();
        let number = inner.operations.len();
        inner.operations.push(Operation { kind, event: None, heard: None, cancel_asked: false, ended: false });
        inner.commands.push((Some(number), command));
        number
    }

    /// Asks the server for something that is not waited for.
    pub fn tell(&self, command: Command) {
        self.0.borrow_mut().commands.push((None, command));
    }

    /// Only the first question of a run is answered by a marker: the others know.
    pub fn ask_for_version(&self, change: &str) {
        if self.0.borrow_mut().versions.insert(change.to_owned()) {
            self.tell(commands::version(change));
        }
    }

    pub fn heard(&self, number: Number) -> Option<Heard> {
        self.0.borrow().operations[number].heard
    }

    /// Takes the oldest signal of that name.
    pub fn take_signal(&self, name: &str) -> bool {
        let mut inner = self.0.borrow_mut();
        let index = inner.signals.iter().position(|signal| signal == name);
        index.and_then(|index| inner.signals.remove(index)).is_some()
    }

    /// The code no longer wants it.
    pub fn cancel(&self, number: Number) {
        let mut inner = self.0.borrow_mut();
        let Inner { operations, commands, next, progressed, .. } = &mut *inner;
        let operation = &mut operations[number];
        if operation.ended || std::mem::replace(&mut operation.cancel_asked, true) {
            return;
        }
        let was_sent = operation.event.is_some();
        if !was_sent {
            commands.retain(|(of, _)| *of != Some(number));
        }
        match (operation.kind.clone(), operation.event) {
            (Kind::Timer(id), _) => {
                operation.end(Heard::Timer(false));
                *progressed = true;
                if was_sent {
                    commands.push((None, commands::cancel_timer(&id)));
                }
            }
            (Kind::Activity(cancel), event) => {
                if let (Some(scheduled), CancelType::Try | CancelType::Wait) = (event, cancel) {
                    commands.push((None, commands::cancel_activity(scheduled)));
                }
                if !was_sent || cancel != CancelType::Wait {
                    next.push((number, Heard::Activity(ActivityEnd::Cancelled)));
                }
            }
            (Kind::Child { workflow_id, .. }, _) => {
                if was_sent {
                    commands.push((None, commands::cancel_child(&workflow_id)));
                } else {
                    next.push((number, Heard::Child(ChildEnd::Cancelled)));
                }
            }
            (Kind::SignalOfAnother | Kind::CancelOfAnother, _) => {}
        }
    }

    pub fn start_child(&self, order: &ChildOrder) -> Number {
        let command = commands::start_child(&self.names(), order);
        self.ask(Kind::Child { workflow_id: order.workflow_id.clone(), awaited: order.child.awaited }, command)
    }

    /// After the code was polled: lets it hear what its own cancellations come to. Whether it may go on now. (To code on the
    /// official SDK this is another activation, after the one that brought what happened.)
    pub fn hear_the_next(&self) -> bool {
        let mut inner = self.0.borrow_mut();
        let next = std::mem::take(&mut inner.next);
        let progressed = std::mem::take(&mut inner.progressed) || !next.is_empty();
        for (number, heard) in next {
            inner.operations[number].end(heard);
        }
        progressed
    }

    /// The answer to the current task, with the command that ends the run if it ends.
    pub fn answer(&self, end: Option<RunEnd>) -> Vec<Command> {
        let names = self.names();
        let inner = self.0.borrow();
        let asked = inner.commands.iter().map(|(_, command)| command.clone());
        asked.chain(end.map(|end| commands::end(&names, end))).collect()
    }

    /// The server has made these events of the commands.
    pub fn sent(&self, recorded: &[&HistoryEvent]) {
        let mut inner = self.0.borrow_mut();
        let commands = std::mem::take(&mut inner.commands);
        for ((number, _), event) in commands.into_iter().zip(recorded) {
            if let Some(number) = number {
                inner.operations[number].event = Some(event.event_id);
            }
        }
    }

    /// Shows the code an event that it did not cause.
    pub fn see(&self, event: &HistoryEvent) -> Result<(), ReplayError> {
        let Some(attributes) = event.attributes.as_ref() else { return Ok(()) };
        match attributes {
            Attributes::WorkflowExecutionSignaledEventAttributes(signaled) => {
                // A signal of another kind means nothing to a program.
                if let Ok(signal) = commands::input_of(signaled.input.as_ref()) {
                    self.0.borrow_mut().signals.push_back(signal);
                }
            }
            Attributes::WorkflowExecutionCancelRequestedEventAttributes(_) => self.0.borrow_mut().was_cancelled = true,
            Attributes::TimerFiredEventAttributes(fired) => {
                self.hear(event, fired.started_event_id, Heard::Timer(true))?;
            }
            _ => {
                if let Some((of, heard)) = of_activity(attributes).or_else(|| of_another(attributes)) {
                    self.hear(event, of, heard)?;
                } else if let Attributes::ChildWorkflowExecutionStartedEventAttributes(started) = attributes {
                    self.child_started(started.initiated_event_id);
                }
            }
        }
        Ok(())
    }

    /// Passes a cancel request on to the code, after all else that came with it: what has ended meanwhile is not asked to
    /// stop. (The official SDK sees to it likewise.)
    pub fn pass_cancel_request_on(&self) {
        let act = {
            let mut inner = self.0.borrow_mut();
            if inner.was_cancelled { inner.cancel_requested.take() } else { None }
        };
        if let Some(act) = act {
            act();
        }
    }

    /// Only a parent that does not wait for more hears of it.
    fn child_started(&self, initiated: i64) {
        let mut inner = self.0.borrow_mut();
        let of = inner.operations.iter_mut().find(|operation| operation.event == Some(initiated));
        if let Some(operation) = of
            && matches!(operation.kind, Kind::Child { awaited: false, .. })
        {
            operation.heard.get_or_insert(Heard::Child(ChildEnd::Started));
        }
    }

    fn hear(&self, event: &HistoryEvent, of: i64, heard: Heard) -> Result<(), ReplayError> {
        let mut inner = self.0.borrow_mut();
        let operation = inner.operations.iter_mut().find(|operation| operation.event == Some(of));
        match operation {
            Some(operation) => {
                operation.end(heard);
                Ok(())
            }
            // What became of a child's cancel request is heard from the child.
            None if matches!(heard, Heard::Asked(_)) => Ok(()),
            None => {
                let what =
                    format!("{} is about event {of}, which the code did not ask for", event.event_type().as_str_name());
                Err(ReplayError::Unexpected { event: event.event_id, what })
            }
        }
    }
}

fn of_activity(attributes: &Attributes) -> Option<(i64, Heard)> {
    let (scheduled, end) = match attributes {
        Attributes::ActivityTaskCompletedEventAttributes(completed) => {
            let attempt = commands::number_in(completed.result.as_ref()).unwrap_or(0);
            (completed.scheduled_event_id, ActivityEnd::Completed(attempt))
        }
        Attributes::ActivityTaskFailedEventAttributes(failed) => (failed.scheduled_event_id, ActivityEnd::Failed),
        Attributes::ActivityTaskTimedOutEventAttributes(timed_out) => {
            (timed_out.scheduled_event_id, ActivityEnd::TimedOut(timeout(timed_out.failure.as_ref())))
        }
        Attributes::ActivityTaskCanceledEventAttributes(canceled) => {
            (canceled.scheduled_event_id, ActivityEnd::Cancelled)
        }
        _ => return None,
    };
    Some((scheduled, Heard::Activity(end)))
}

fn timeout(failure: Option<&Failure>) -> Timeout {
    let info = failure.and_then(|failure| failure.failure_info.as_ref());
    match info {
        Some(FailureInfo::TimeoutFailureInfo(info)) => match info.timeout_type() {
            TimeoutType::ScheduleToStart => Timeout::ScheduleToStart,
            TimeoutType::ScheduleToClose => Timeout::ScheduleToClose,
            TimeoutType::Heartbeat => Timeout::Heartbeat,
            _ => Timeout::StartToClose,
        },
        _ => Timeout::StartToClose,
    }
}

/// Of a child, a signal or a cancel request.
fn of_another(attributes: &Attributes) -> Option<(i64, Heard)> {
    let heard = match attributes {
        Attributes::StartChildWorkflowExecutionFailedEventAttributes(failed) => {
            (failed.initiated_event_id, Heard::Child(ChildEnd::NotStarted))
        }
        Attributes::ChildWorkflowExecutionCompletedEventAttributes(ended) => {
            (ended.initiated_event_id, Heard::Child(ChildEnd::Completed))
        }
        Attributes::ChildWorkflowExecutionFailedEventAttributes(ended) => {
            (ended.initiated_event_id, Heard::Child(ChildEnd::Failed))
        }
        Attributes::ChildWorkflowExecutionTimedOutEventAttributes(ended) => {
            (ended.initiated_event_id, Heard::Child(ChildEnd::TimedOut))
        }
        Attributes::ChildWorkflowExecutionCanceledEventAttributes(ended) => {
            (ended.initiated_event_id, Heard::Child(ChildEnd::Cancelled))
        }
        Attributes::ChildWorkflowExecutionTerminatedEventAttributes(ended) => {
            (ended.initiated_event_id, Heard::Child(ChildEnd::Terminated))
        }
        Attributes::ExternalWorkflowExecutionSignaledEventAttributes(signaled) => {
            (signaled.initiated_event_id, Heard::Asked(Asked::Delivered))
        }
        Attributes::SignalExternalWorkflowExecutionFailedEventAttributes(failed) => {
            (failed.initiated_event_id, Heard::Asked(Asked::Refused))
        }
        Attributes::ExternalWorkflowExecutionCancelRequestedEventAttributes(requested) => {
            (requested.initiated_event_id, Heard::Asked(Asked::Delivered))
        }
        Attributes::RequestCancelExternalWorkflowExecutionFailedEventAttributes(failed) => {
            (failed.initiated_event_id, Heard::Asked(Asked::Refused))
        }
        _ => return None,
    };
    Some(heard)
}
