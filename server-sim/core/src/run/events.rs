//! The registry of events: which part each kind belongs to, when it is written, and how it changes a state. Applying an
//! event is the one function shared by live changes and by rebuilding.
use crate::{EventId, MutableState, PartKey, Time};
use prost::Message;
use temporalio_protos::temporal::api::{
    enums::v1::EventType,
    history::v1::{HistoryEvent, history_event::Attributes},
};

/// The part of the state that an event changes, or why it cannot follow the events before it.
pub(crate) type Applied = Result<PartKey, String>;

/// An event, and what every part wants to know of it.
#[derive(Clone, Copy)]
pub(crate) struct At<'e> {
    pub(crate) id: EventId,
    pub(crate) time: Time,
    pub(crate) event: &'e HistoryEvent,
}

/// When an event is written that comes about while a worker holds a workflow task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// What workflow tasks and their commands say, and the end of the run.
    AtOnce,
    /// What others do to a run: after the workflow task, which was decided without it.
    Waits,
    /// The same, behind everything else that waits: what closes an activity or a child, as in Temporal.
    Last,
}

/// One row for each kind of event: when it is written, and the function of the part it belongs to that applies it. A kind
/// without a row does not compile.
macro_rules! events {
    (
        supported { $( $attributes:ident $order:ident $part:ident::$apply:ident; )* }
        unsupported { $( $unknown:ident $unknown_order:ident; )* }
    ) => {
        pub(crate) fn order(attributes: &Attributes) -> Order {
            match attributes {
                $( Attributes::$attributes(_) => Order::$order, )*
                $( Attributes::$unknown(_) => Order::$unknown_order, )*
            }
        }

        /// Whether events of this type are written, and applied when a run is rebuilt from its history.
        pub fn supports_event(kind: EventType) -> bool {
            let supported = [$( Attributes::$attributes(Default::default()).event_type() ),*];
            supported.contains(&kind)
        }

        fn apply(state: &mut MutableState, at: At<'_>, attributes: &Attributes) -> Applied {
            match attributes {
                $( Attributes::$attributes(attributes) => crate::run::$part::events::$apply(state, at, attributes), )*
                $( Attributes::$unknown(_) => Err("no rule says what it does".into()), )*
            }
        }
    };
}

events! {
    supported {
        WorkflowExecutionStartedEventAttributes                               AtOnce start::started;
        WorkflowExecutionCompletedEventAttributes                             AtOnce close::completed;
        WorkflowExecutionFailedEventAttributes                                AtOnce close::failed;
        WorkflowExecutionTimedOutEventAttributes                              AtOnce close::timed_out;
        WorkflowExecutionCanceledEventAttributes                              AtOnce close::canceled;
        WorkflowExecutionTerminatedEventAttributes                            AtOnce close::terminated;
        WorkflowExecutionContinuedAsNewEventAttributes                        AtOnce close::continued_as_new;
        WorkflowExecutionSignaledEventAttributes                              Waits  signal::signaled;
        WorkflowExecutionCancelRequestedEventAttributes                       Waits  cancel::requested;
        WorkflowExecutionOptionsUpdatedEventAttributes                        Waits  admission::options_updated;
        WorkflowTaskScheduledEventAttributes                                  AtOnce workflow_task::scheduled;
        WorkflowTaskStartedEventAttributes                                    AtOnce workflow_task::started;
        WorkflowTaskCompletedEventAttributes                                  AtOnce workflow_task::completed;
        WorkflowTaskFailedEventAttributes                                     AtOnce workflow_task::failed;
        WorkflowTaskTimedOutEventAttributes                                   AtOnce workflow_task::timed_out;
        ActivityTaskScheduledEventAttributes                                  AtOnce activity::scheduled;
        ActivityTaskCancelRequestedEventAttributes                            AtOnce activity::cancel_requested;
        ActivityTaskStartedEventAttributes                                    Waits  activity::started;
        ActivityTaskCompletedEventAttributes                                  Last   activity::completed;
        ActivityTaskFailedEventAttributes                                     Last   activity::failed;
        ActivityTaskTimedOutEventAttributes                                   Last   activity::timed_out;
        ActivityTaskCanceledEventAttributes                                   Last   activity::canceled;
        TimerStartedEventAttributes                                           AtOnce timer::started;
        TimerCanceledEventAttributes                                          AtOnce timer::canceled;
        TimerFiredEventAttributes                                             Waits  timer::fired;
        MarkerRecordedEventAttributes                                         AtOnce marker::recorded;
        UpsertWorkflowSearchAttributesEventAttributes                         AtOnce properties::search_attributes_upserted;
        WorkflowPropertiesModifiedEventAttributes                             AtOnce properties::modified;
        StartChildWorkflowExecutionInitiatedEventAttributes                   AtOnce child::initiated;
        StartChildWorkflowExecutionFailedEventAttributes                      Waits  child::start_failed;
        ChildWorkflowExecutionStartedEventAttributes                          Waits  child::started;
        ChildWorkflowExecutionCompletedEventAttributes                        Last   child::completed;
        ChildWorkflowExecutionFailedEventAttributes                           Last   child::failed;
        ChildWorkflowExecutionCanceledEventAttributes                         Last   child::canceled;
        ChildWorkflowExecutionTimedOutEventAttributes                         Last   child::timed_out;
        ChildWorkflowExecutionTerminatedEventAttributes                       Last   child::terminated;
        SignalExternalWorkflowExecutionInitiatedEventAttributes               AtOnce external::signal_initiated;
        SignalExternalWorkflowExecutionFailedEventAttributes                  Waits  external::signal_failed;
        ExternalWorkflowExecutionSignaledEventAttributes                      Waits  external::signaled;
        RequestCancelExternalWorkflowExecutionInitiatedEventAttributes        AtOnce external::cancel_initiated;
        RequestCancelExternalWorkflowExecutionFailedEventAttributes           Waits  external::cancel_failed;
        ExternalWorkflowExecutionCancelRequestedEventAttributes               Waits  external::cancel_requested;
    }
    unsupported {
        WorkflowExecutionUpdateAdmittedEventAttributes                    Waits;
        WorkflowExecutionUpdateAcceptedEventAttributes                    AtOnce;
        WorkflowExecutionUpdateRejectedEventAttributes                    Waits;
        WorkflowExecutionUpdateCompletedEventAttributes                   AtOnce;
        WorkflowPropertiesModifiedExternallyEventAttributes               Waits;
        ActivityPropertiesModifiedExternallyEventAttributes               Waits;
        WorkflowExecutionPausedEventAttributes                            Waits;
        WorkflowExecutionUnpausedEventAttributes                          Waits;
        WorkflowExecutionTimeSkippingTransitionedEventAttributes          Waits;
        NexusOperationScheduledEventAttributes                            AtOnce;
        NexusOperationStartedEventAttributes                              Waits;
        NexusOperationCompletedEventAttributes                            Waits;
        NexusOperationFailedEventAttributes                               Waits;
        NexusOperationCanceledEventAttributes                             Waits;
        NexusOperationTimedOutEventAttributes                             Waits;
        NexusOperationCancelRequestedEventAttributes                      AtOnce;
        NexusOperationCancelRequestCompletedEventAttributes               Waits;
        NexusOperationCancelRequestFailedEventAttributes                  Waits;
    }
}

impl<'e> At<'e> {
    fn of(event: &'e HistoryEvent) -> Self {
        Self { id: event.event_id, time: event.event_time.as_ref().map_or(Time::ZERO, Time::from_proto), event }
    }
}

impl MutableState {
    /// # Errors
    /// A sentence saying why this event cannot follow the ones before.
    pub(crate) fn apply_event(&mut self, event: &HistoryEvent) -> Applied {
        let attributes =
            event.attributes.as_ref().ok_or_else(|| format!("event {} has no attributes", event.event_id))?;
        if event.event_id != self.durable.next_event_id {
            return Err(format!("event {} where {} must follow", event.event_id, self.durable.next_event_id));
        }
        let is_start = matches!(attributes, Attributes::WorkflowExecutionStartedEventAttributes(_));
        if is_start != (event.event_id == 1) {
            return Err(format!("event {} is {}", event.event_id, attributes.event_type().as_str_name()));
        }
        if self.durable.closed.is_some() {
            return Err(format!("event {} follows the end of the run", event.event_id));
        }
        let part = apply(self, At::of(event), attributes)
            .map_err(|why| format!("event {} ({}): {why}", event.event_id, attributes.event_type().as_str_name()))?;
        self.durable.next_event_id += 1;
        self.durable.history_size_bytes += size_without_task_id(event);
        let (count, bytes) = super::external_payloads::referred_to(event);
        self.durable.external_payload_count += count;
        self.durable.external_payload_bytes = self.durable.external_payload_bytes.saturating_add(bytes);
        Ok(part)
    }
}

/// Field 5 (`task_id`) is stamped after the decision and must not count, or a rebuilt state would differ.
fn size_without_task_id(event: &HistoryEvent) -> i64 {
    let task_id = match event.task_id {
        0 => 0,
        id => 1 + prost::encoding::encoded_len_varint(id.cast_unsigned()),
    };
    i64::try_from(event.encoded_len() - task_id).expect("an event is far below 2^63 bytes")
}

/// The beginning of what this event ends, if it ends something that was asked of another run.
pub(crate) fn answered(event: &HistoryEvent) -> Option<EventId> {
    crate::run::child::events::ended_child(event).or_else(|| crate::run::external::events::answered(event))
}
