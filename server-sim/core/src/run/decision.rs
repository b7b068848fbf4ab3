//! A decision in the making: a working copy of the state to which each change is applied as it is made, so that later
//! steps see earlier ones. The copy shares with the state before whatever is not changed, and becomes the next state.
use super::events::{Order, order};
use super::invariants;
use crate::{
    AuxiliaryChange, BUFFERED_EVENT_ID, Change, Context, EventId, MutableState, PartKey, Reply, RunKey, RunWrite, Time,
    TimerKind, TimerTask, TransferTask, Transition,
};
use std::collections::BTreeSet;
use temporalio_protos::temporal::api::{
    common::v1::Link,
    history::v1::{HistoryEvent, history_event::Attributes},
    sdk::v1::UserMetadata,
};

pub(crate) struct Decision<'c> {
    pub(crate) context: &'c Context,
    pub(crate) state: Box<MutableState>,
    /// The run as it was; `None` if it does not exist yet.
    before: Option<&'c MutableState>,
    /// The run that is opened in the same transition.
    opened: Option<RunWrite>,
    events: Vec<HistoryEvent>,
    transfer_tasks: Vec<TransferTask>,
    timer_tasks: Vec<TimerTask>,
    touched: BTreeSet<PartKey>,
    trace: Vec<Change>,
    probes: Vec<&'static str>,
}

/// A finished decision to open a run. Its probes go to the transition that it becomes a part of.
pub(crate) struct Opened {
    pub(crate) run: RunWrite,
    pub(crate) probes: Vec<&'static str>,
}

/// What an event carries beside its attributes.
#[derive(Default)]
pub(crate) struct Extras {
    pub(crate) user_metadata: Option<UserMetadata>,
    pub(crate) links: Vec<Link>,
}

impl<'c> Decision<'c> {
    pub(crate) fn about(state: &'c MutableState, context: &'c Context) -> Self {
        Self::with(state.clone(), Some(state), context)
    }

    /// A run that does not exist yet.
    pub(crate) fn opening(key: RunKey, context: &'c Context) -> Self {
        Self::with(MutableState::empty(key), None, context)
    }

    fn with(state: MutableState, before: Option<&'c MutableState>, context: &'c Context) -> Self {
        Self {
            context,
            state: Box::new(state),
            before,
            opened: None,
            events: Vec::new(),
            transfer_tasks: Vec::new(),
            timer_tasks: Vec::new(),
            touched: BTreeSet::new(),
            trace: Vec::new(),
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
        let waits = order(&attributes) != Order::AtOnce;
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
            self.auxiliary(AuxiliaryChange::EventBuffered(Box::new(event)));
        } else {
            self.append(event);
        }
    }

    pub(crate) fn next_event_id(&self) -> EventId {
        self.state.next_event_id()
    }

    /// Writes one event that already has its id.
    pub(crate) fn append(&mut self, event: HistoryEvent) {
        if self.context.flags.traced {
            self.trace.push(Change::Event(Box::new(event.clone())));
        }
        let part = self.state.apply_event(&event).expect("a decision only makes events that can follow its state");
        self.touched.insert(part);
        self.events.push(event);
    }

    pub(crate) fn auxiliary(&mut self, change: AuxiliaryChange) {
        if self.context.flags.traced {
            self.trace.push(Change::Auxiliary(change.clone()));
        }
        self.touched.extend(self.state.auxiliary.apply(change));
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

    /// Another run begins in the same transition.
    pub(crate) fn open(&mut self, opened: Opened) {
        assert!(self.opened.is_none(), "one run takes the place of another");
        self.opened = Some(opened.run);
        self.probes.extend(opened.probes);
    }

    /// The run as it was decided on, if it was there.
    pub(crate) fn before(&self) -> Option<&'c MutableState> {
        self.before
    }

    /// Whether anything of the run is another than before; tasks are not of it.
    pub(crate) fn changes(&self) -> bool {
        !self.touched.is_empty()
    }

    /// The finished decision on an existing run, or what comes of it where the run is over its limits.
    pub(crate) fn finish(mut self, reply: Reply) -> Transition {
        if let (Some(exceeded), Some(before)) = (self.exceeded(), self.before) {
            return exceeded.terminate(before, self.context);
        }
        self.settle();
        let (opened, probes) = (self.opened.take(), std::mem::take(&mut self.probes));
        let changed = self.changes() || !self.transfer_tasks.is_empty() || !self.timer_tasks.is_empty();
        let runs = changed.then(|| self.into_write()).into_iter().chain(opened).collect();
        Transition { runs, reply, answers: Vec::new(), probes }
    }

    /// The finished decision to open a run.
    pub(crate) fn finish_new_run(mut self) -> Opened {
        self.settle();
        let probes = std::mem::take(&mut self.probes);
        Opened { run: self.into_write(), probes }
    }

    /// The parts whose own rows are to be written, or deleted.
    fn part_rows(&mut self) -> BTreeSet<PartKey> {
        let were_apart = self.before.is_some_and(MutableState::parts_are_apart);
        match (self.state.place_parts(self.context.limits.parts_in_row_bytes_max), were_apart) {
            (false, false) => BTreeSet::new(),
            (false, true) => self.touched.iter().copied().filter(|part| *part != PartKey::Run).collect(),
            (true, false) => self.state.part_keys().collect(),
            (true, true) => self.before.into_iter().flat_map(MutableState::part_keys).collect(),
        }
    }

    fn into_write(mut self) -> RunWrite {
        self.state.raise_version();
        let part_rows = self.part_rows();
        invariants::assert_holds(&self.state, &self.touched);
        if invariants::FOLLOWS_IS_ASSERTED {
            invariants::assert_follows(self.before, &self.events, &self.state, &self.touched);
        }
        RunWrite {
            expected_version: self.before.map(MutableState::version),
            state: self.state,
            events: self.events,
            transfer_tasks: self.transfer_tasks,
            timer_tasks: self.timer_tasks,
            touched: self.touched,
            part_rows,
            trace: self.trace,
        }
    }
}
