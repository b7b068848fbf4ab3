//! A decision in the making: a working copy of the state to which each change is applied as it is made, so that later
//! steps see earlier ones, and the record of these changes.
use crate::{
    BUFFERED_EVENT_ID, Change, Context, EphemeralChange, EventId, MutableState, NewRun, Reply, RunChange, RunKey, Time,
    TimerKind, TimerTask, TransferTask, Transition, invariants,
};
use temporalio_protos::temporal::api::{
    common::v1::Link,
    history::v1::{HistoryEvent, history_event::Attributes},
    sdk::v1::UserMetadata,
};

pub(crate) struct Decision<'c> {
    pub(crate) context: &'c Context,
    pub(crate) state: MutableState,
    pub(crate) new_run: Option<Box<NewRun>>,
    changes: Vec<Change>,
    transfer_tasks: Vec<TransferTask>,
    timer_tasks: Vec<TimerTask>,
    probes: Vec<&'static str>,
}

/// What an event carries beside its attributes.
#[derive(Default)]
pub(crate) struct Extras {
    pub(crate) user_metadata: Option<UserMetadata>,
    pub(crate) links: Vec<Link>,
}

impl<'c> Decision<'c> {
    pub(crate) fn about(state: &MutableState, context: &'c Context) -> Self {
        Self::with(state.clone(), context)
    }

    /// A run that does not exist yet.
    pub(crate) fn opening(key: RunKey, context: &'c Context) -> Self {
        Self::with(MutableState::empty(key), context)
    }

    fn with(state: MutableState, context: &'c Context) -> Self {
        Self {
            context,
            state,
            new_run: None,
            changes: Vec::new(),
            transfer_tasks: Vec::new(),
            timer_tasks: Vec::new(),
            probes: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.context.now
    }

    /// Records that something happened: in history, or in the buffer if its kind waits there.
    pub(crate) fn event(&mut self, attributes: impl Into<Attributes>) {
        self.event_with(attributes, Extras::default());
    }

    pub(crate) fn event_with(&mut self, attributes: impl Into<Attributes>, extras: Extras) {
        self.event_at(self.now(), attributes, extras);
    }

    /// Some events tell of an earlier time: an activity's start is written when it closes.
    pub(crate) fn event_at(&mut self, time: Time, attributes: impl Into<Attributes>, extras: Extras) {
        let attributes = attributes.into();
        let waits = crate::entities::buffer::waits_in_buffer(&attributes);
        let event = HistoryEvent {
            event_id: if waits { BUFFERED_EVENT_ID } else { self.next_event_id() },
            event_time: Some(time.to_proto()),
            event_type: attributes.event_type().into(),
            attributes: Some(attributes),
            user_metadata: extras.user_metadata,
            links: extras.links,
            ..HistoryEvent::default()
        };
        if waits {
            self.ephemeral(EphemeralChange::EventBuffered(Box::new(event)));
        } else {
            self.change(Change::Event(Box::new(event)));
        }
    }

    pub(crate) fn next_event_id(&self) -> EventId {
        self.state.next_event_id()
    }

    /// Writes one event that already has its id.
    pub(crate) fn append(&mut self, event: HistoryEvent) {
        self.change(Change::Event(Box::new(event)));
    }

    pub(crate) fn ephemeral(&mut self, change: EphemeralChange) {
        self.change(Change::Ephemeral(change));
    }

    fn change(&mut self, change: Change) {
        self.state.apply_step(&change);
        self.changes.push(change);
    }

    pub(crate) fn transfer(&mut self, task: TransferTask) {
        self.transfer_tasks.push(task);
    }

    pub(crate) fn timer(&mut self, fire_time: Time, kind: TimerKind) {
        self.timer_tasks.push(TimerTask { fire_time, kind });
    }

    pub(crate) fn probe(&mut self, name: &'static str) {
        self.probes.push(name);
    }

    pub(crate) fn new_run_id(&self) -> String {
        self.context.new_run_id.0.clone()
    }

    /// The finished decision on an existing run.
    pub(crate) fn finish(mut self, reply: Reply) -> Transition {
        self.settle();
        let changed = !self.changes.is_empty() || !self.transfer_tasks.is_empty() || !self.timer_tasks.is_empty();
        if changed {
            invariants::assert_holds(&self.state);
        }
        let run = changed.then(|| RunChange {
            events: events_of(&self.changes),
            changes: self.changes,
            transfer_tasks: self.transfer_tasks,
            timer_tasks: self.timer_tasks,
        });
        Transition { run, new_run: self.new_run, reply, probes: self.probes }
    }

    /// The finished decision to open a run; its probes go to whoever opens it.
    pub(crate) fn finish_new_run(mut self) -> (Box<NewRun>, Vec<&'static str>) {
        self.settle();
        let change = RunChange {
            events: events_of(&self.changes),
            changes: self.changes,
            transfer_tasks: self.transfer_tasks,
            timer_tasks: self.timer_tasks,
        };
        let mut state = MutableState::empty(self.state.key().clone());
        state.apply(&change);
        let new_run = NewRun {
            run_id: state.key().run_id.clone(),
            state,
            events: change.events,
            transfer_tasks: change.transfer_tasks,
            timer_tasks: change.timer_tasks,
            becomes_current: true,
        };
        (Box::new(new_run), self.probes)
    }
}

fn events_of(changes: &[Change]) -> Vec<HistoryEvent> {
    changes
        .iter()
        .filter_map(|change| match change {
            Change::Event(event) => Some(event.as_ref().clone()),
            Change::Ephemeral(_) => None,
        })
        .collect()
}
