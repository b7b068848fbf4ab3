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

/// Whether a later decision reads an event again: a state has no payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    Never,
    /// When what it asks for is handed on.
    Later,
    /// When its run is retried, if that may be.
    ToRetry,
}

/// One row for each kind of event: when it is written, whether it is read again, and the function of the part it belongs to
/// that applies it. A kind without a row does not compile.
macro_rules! events {
    (
        supported { $( $attributes:ident $order:ident $needed:ident $part:ident::$apply:ident; )* }
        unsupported { $( $unknown:ident $unknown_order:ident $unknown_needed:ident; )* }
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

        pub(crate) fn needed(attributes: &Attributes) -> Needed {
            match attributes {
                $( Attributes::$attributes(_) => Needed::$needed, )*
                $( Attributes::$unknown(_) => Needed::$unknown_needed, )*
            }
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
        WorkflowExecutionStartedEventAttributes                               AtOnce ToRetry start::started;
        WorkflowExecutionCompletedEventAttributes                             AtOnce Never   close::completed;
        WorkflowExecutionFailedEventAttributes                                AtOnce Never   close::failed;
        WorkflowExecutionTimedOutEventAttributes                              AtOnce Never   close::timed_out;
        WorkflowExecutionCanceledEventAttributes                              AtOnce Never   close::canceled;
        WorkflowExecutionTerminatedEventAttributes                            AtOnce Never   close::terminated;
        WorkflowExecutionContinuedAsNewEventAttributes                        AtOnce Never   close::continued_as_new;
        WorkflowExecutionSignaledEventAttributes                              Waits  Never   signal::signaled;
        WorkflowExecutionCancelRequestedEventAttributes                       Waits  Never   cancel::requested;
        WorkflowExecutionOptionsUpdatedEventAttributes                        Waits  Never   admission::options_updated;
        WorkflowTaskScheduledEventAttributes                                  AtOnce Never   workflow_task::scheduled;
        WorkflowTaskStartedEventAttributes                                    AtOnce Never   workflow_task::started;
        WorkflowTaskCompletedEventAttributes                                  AtOnce Never   workflow_task::completed;
        WorkflowTaskFailedEventAttributes                                     AtOnce Never   workflow_task::failed;
        WorkflowTaskTimedOutEventAttributes                                   AtOnce Never   workflow_task::timed_out;
        ActivityTaskScheduledEventAttributes                                  AtOnce Later   activity::scheduled;
        ActivityTaskCancelRequestedEventAttributes                            AtOnce Never   activity::cancel_requested;
        ActivityTaskStartedEventAttributes                                    Waits  Never   activity::started;
        ActivityTaskCompletedEventAttributes                                  Last   Never   activity::completed;
        ActivityTaskFailedEventAttributes                                     Last   Never   activity::failed;
        ActivityTaskTimedOutEventAttributes                                   Last   Never   activity::timed_out;
        ActivityTaskCanceledEventAttributes                                   Last   Never   activity::canceled;
        TimerStartedEventAttributes                                           AtOnce Never   timer::started;
        TimerCanceledEventAttributes                                          AtOnce Never   timer::canceled;
        TimerFiredEventAttributes                                             Waits  Never   timer::fired;
        MarkerRecordedEventAttributes                                         AtOnce Never   marker::recorded;
        UpsertWorkflowSearchAttributesEventAttributes                         AtOnce Never   properties::search_attributes_upserted;
        WorkflowPropertiesModifiedEventAttributes                             AtOnce Never   properties::modified;
        StartChildWorkflowExecutionInitiatedEventAttributes                   AtOnce Later   child::initiated;
        StartChildWorkflowExecutionFailedEventAttributes                      Waits  Never   child::start_failed;
        ChildWorkflowExecutionStartedEventAttributes                          Waits  Never   child::started;
        ChildWorkflowExecutionCompletedEventAttributes                        Last   Never   child::completed;
        ChildWorkflowExecutionFailedEventAttributes                           Last   Never   child::failed;
        ChildWorkflowExecutionCanceledEventAttributes                         Last   Never   child::canceled;
        ChildWorkflowExecutionTimedOutEventAttributes                         Last   Never   child::timed_out;
        ChildWorkflowExecutionTerminatedEventAttributes                       Last   Never   child::terminated;
        SignalExternalWorkflowExecutionInitiatedEventAttributes               AtOnce Later   external::signal_initiated;
        SignalExternalWorkflowExecutionFailedEventAttributes                  Waits  Never   external::signal_failed;
        ExternalWorkflowExecutionSignaledEventAttributes                      Waits  Never   external::signaled;
        RequestCancelExternalWorkflowExecutionInitiatedEventAttributes        AtOnce Never   external::cancel_initiated;
        RequestCancelExternalWorkflowExecutionFailedEventAttributes           Waits  Never   external::cancel_failed;
        ExternalWorkflowExecutionCancelRequestedEventAttributes               Waits  Never   external::cancel_requested;
    }
    unsupported {
        WorkflowExecutionUpdateAdmittedEventAttributes                    Waits Never;
        WorkflowExecutionUpdateAcceptedEventAttributes                    AtOnce Never;
        WorkflowExecutionUpdateRejectedEventAttributes                    Waits Never;
        WorkflowExecutionUpdateCompletedEventAttributes                   AtOnce Never;
        WorkflowPropertiesModifiedExternallyEventAttributes               Waits Never;
        ActivityPropertiesModifiedExternallyEventAttributes               Waits Never;
        WorkflowExecutionPausedEventAttributes                            Waits Never;
        WorkflowExecutionUnpausedEventAttributes                          Waits Never;
        WorkflowExecutionTimeSkippingTransitionedEventAttributes          Waits Never;
        NexusOperationScheduledEventAttributes                            AtOnce Never;
        NexusOperationStartedEventAttributes                              Waits Never;
        NexusOperationCompletedEventAttributes                            Waits Never;
        NexusOperationFailedEventAttributes                               Waits Never;
        NexusOperationCanceledEventAttributes                             Waits Never;
        NexusOperationTimedOutEventAttributes                             Waits Never;
        NexusOperationCancelRequestedEventAttributes                      AtOnce Never;
        NexusOperationCancelRequestCompletedEventAttributes               Waits Never;
        NexusOperationCancelRequestFailedEventAttributes                  Waits Never;
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
