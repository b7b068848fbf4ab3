//! How one history event changes a state: the one function shared by live changes and by rebuilding.
use super::{
    Activity, ActivityProgress, Child, Closed, CopyOnWrite, ExternalCancel, ExternalSignal, MutableState, PartKey,
    UserTimer, WorkflowTask,
    others::{answered, started_child},
};
use crate::{EventId, RunId, Time, rules::durations};
use prost::Message;
use std::{collections::BTreeMap, sync::Arc};
use temporalio_protos::temporal::api::{
    common::v1::Payload,
    enums::v1::{TaskQueueKind, WorkflowExecutionStatus as Status},
    history::v1::{
        ActivityTaskScheduledEventAttributes, HistoryEvent, WorkflowExecutionStartedEventAttributes,
        WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes, history_event::Attributes,
    },
};

/// The part that an event changes, or why it cannot follow the events before it.
type Applied = Result<PartKey, String>;

/// The timer whose firing this event tells.
pub(super) fn timer_fired(event: &HistoryEvent) -> Option<EventId> {
    match &event.attributes {
        Some(Attributes::TimerFiredEventAttributes(fired)) => Some(fired.started_event_id),
        _ => None,
    }
}

/// The activity that this event closes.
pub(crate) fn closed_activity(event: &HistoryEvent) -> Option<EventId> {
    match &event.attributes {
        Some(Attributes::ActivityTaskCompletedEventAttributes(closed)) => Some(closed.scheduled_event_id),
        Some(Attributes::ActivityTaskFailedEventAttributes(closed)) => Some(closed.scheduled_event_id),
        Some(Attributes::ActivityTaskTimedOutEventAttributes(closed)) => Some(closed.scheduled_event_id),
        Some(Attributes::ActivityTaskCanceledEventAttributes(closed)) => Some(closed.scheduled_event_id),
        _ => None,
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
        let part = self
            .fold(event, attributes)
            .map_err(|why| format!("event {} ({}): {why}", event.event_id, attributes.event_type().as_str_name()))?;
        self.durable.next_event_id += 1;
        self.durable.history_size_bytes += size_without_task_id(event);
        Ok(part)
    }

    fn fold(&mut self, event: &HistoryEvent, attributes: &Attributes) -> Applied {
        let (id, time) = (event.event_id, event.event_time.as_ref().map_or(Time::ZERO, Time::from_proto));
        match attributes {
            Attributes::WorkflowExecutionStartedEventAttributes(started) => {
                self.durable.user_metadata = event.user_metadata.clone().into();
                self.started(time, started);
            }
            Attributes::WorkflowExecutionCompletedEventAttributes(closed) => {
                self.closed(Status::Completed, time, &closed.new_execution_run_id);
            }
            Attributes::WorkflowExecutionFailedEventAttributes(closed) => {
                self.closed(Status::Failed, time, &closed.new_execution_run_id);
            }
            Attributes::WorkflowExecutionTimedOutEventAttributes(closed) => {
                self.closed(Status::TimedOut, time, &closed.new_execution_run_id);
            }
            Attributes::WorkflowExecutionContinuedAsNewEventAttributes(closed) => {
                self.closed(Status::ContinuedAsNew, time, &closed.new_execution_run_id);
            }
            Attributes::WorkflowExecutionCanceledEventAttributes(_) => self.closed(Status::Canceled, time, ""),
            Attributes::WorkflowExecutionTerminatedEventAttributes(_) => self.closed(Status::Terminated, time, ""),
            Attributes::WorkflowExecutionSignaledEventAttributes(_) => self.durable.signal_count += 1,
            Attributes::WorkflowExecutionCancelRequestedEventAttributes(_) => self.durable.cancel_requested = true,

            Attributes::WorkflowTaskScheduledEventAttributes(scheduled) => {
                return self.workflow_task_scheduled(id, time, scheduled);
            }
            Attributes::WorkflowTaskStartedEventAttributes(started) => {
                return self.workflow_task_started(id, time, started);
            }
            Attributes::WorkflowTaskCompletedEventAttributes(completed) => {
                self.workflow_task_ended(completed.scheduled_event_id)?;
                self.durable.previous_started_event_id = completed.started_event_id;
            }
            Attributes::WorkflowTaskFailedEventAttributes(failed) => {
                return self.workflow_task_ended(failed.scheduled_event_id);
            }
            Attributes::WorkflowTaskTimedOutEventAttributes(timed_out) => {
                return self.workflow_task_ended(timed_out.scheduled_event_id);
            }

            Attributes::ActivityTaskScheduledEventAttributes(scheduled) => {
                return self.activity_scheduled(id, time, scheduled);
            }
            Attributes::ActivityTaskStartedEventAttributes(started) => {
                self.activity(started.scheduled_event_id)?.started_event_id = id;
                return Ok(PartKey::Activity(started.scheduled_event_id));
            }
            Attributes::ActivityTaskCancelRequestedEventAttributes(requested) => {
                // The activity may have closed while its closing event waited in the buffer.
                self.activity(requested.scheduled_event_id)?.cancel_requested_event_id = id;
                return Ok(PartKey::Activity(requested.scheduled_event_id));
            }
            Attributes::ActivityTaskCompletedEventAttributes(closed) => {
                return self.activity_closed(closed.scheduled_event_id);
            }
            Attributes::ActivityTaskFailedEventAttributes(closed) => {
                return self.activity_closed(closed.scheduled_event_id);
            }
            Attributes::ActivityTaskTimedOutEventAttributes(closed) => {
                return self.activity_closed(closed.scheduled_event_id);
            }
            Attributes::ActivityTaskCanceledEventAttributes(closed) => {
                return self.activity_closed(closed.scheduled_event_id);
            }

            Attributes::TimerStartedEventAttributes(started) => {
                let expiry = time.plus(durations::value(started.start_to_fire_timeout.as_ref()));
                let timer = UserTimer { timer_id: started.timer_id.clone(), started_event_id: id, expiry };
                self.durable.timers.insert(id, timer);
                return Ok(PartKey::Timer(id));
            }
            Attributes::TimerFiredEventAttributes(ended) => return self.timer_ended(ended.started_event_id),
            Attributes::TimerCanceledEventAttributes(ended) => return self.timer_ended(ended.started_event_id),

            Attributes::UpsertWorkflowSearchAttributesEventAttributes(upserted) => {
                let fields = upserted.search_attributes.as_ref().map(|fields| &fields.indexed_fields);
                for (name, value) in fields.into_iter().flatten() {
                    upsert(&mut self.durable.search_attributes, name, value);
                }
            }
            Attributes::WorkflowPropertiesModifiedEventAttributes(modified) => {
                let fields = modified.upserted_memo.as_ref().map(|memo| &memo.fields);
                for (name, value) in fields.into_iter().flatten() {
                    upsert(&mut self.durable.memo, name, value);
                }
            }
            Attributes::MarkerRecordedEventAttributes(_) => {}
            _ => return self.fold_about_others(event, attributes),
        }
        Ok(PartKey::Run)
    }

    /// What was asked of other runs, and what they answered.
    fn fold_about_others(&mut self, event: &HistoryEvent, attributes: &Attributes) -> Applied {
        let id = event.event_id;
        match attributes {
            Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(initiated) => {
                let child = Child {
                    initiated_event_id: id,
                    attributes: Arc::new(initiated.clone()),
                    user_metadata: event.user_metadata.clone(),
                    started: None,
                };
                self.durable.children.insert(id, child);
                Ok(PartKey::Child(id))
            }
            Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(initiated) => {
                let signal = ExternalSignal { initiated_event_id: id, attributes: Arc::new(initiated.clone()) };
                self.durable.signals.insert(id, signal);
                Ok(PartKey::Signal(id))
            }
            Attributes::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(initiated) => {
                let cancel = ExternalCancel { initiated_event_id: id, attributes: Arc::new(initiated.clone()) };
                self.durable.cancels.insert(id, cancel);
                Ok(PartKey::Cancel(id))
            }
            _ => self.fold_answer(event),
        }
    }

    fn fold_answer(&mut self, event: &HistoryEvent) -> Applied {
        if let Some((initiated, start)) = started_child(event) {
            let child = self.durable.children.get_mut(&initiated).filter(|child| child.started.is_none());
            child.ok_or_else(|| format!("no child {initiated} waits to start"))?.started = Some(start);
            return Ok(PartKey::Child(initiated));
        }
        let initiated = answered(event).ok_or("no rule says what it does")?;
        let (known, part) = match event.attributes {
            Some(
                Attributes::ExternalWorkflowExecutionSignaledEventAttributes(_)
                | Attributes::SignalExternalWorkflowExecutionFailedEventAttributes(_),
            ) => (self.durable.signals.remove(&initiated), PartKey::Signal(initiated)),
            Some(
                Attributes::ExternalWorkflowExecutionCancelRequestedEventAttributes(_)
                | Attributes::RequestCancelExternalWorkflowExecutionFailedEventAttributes(_),
            ) => (self.durable.cancels.remove(&initiated), PartKey::Cancel(initiated)),
            _ => (self.durable.children.remove(&initiated), PartKey::Child(initiated)),
        };
        known.then_some(part).ok_or_else(|| format!("nothing that event {initiated} began is pending"))
    }

    fn started(&mut self, time: Time, started: &WorkflowExecutionStartedEventAttributes) {
        let durable = &mut self.durable;
        durable.start_time = time;
        durable.first_execution_run_id = RunId(started.first_execution_run_id.clone());
        let memo = started.memo.iter().flat_map(|memo| memo.fields.clone());
        durable.memo = memo.collect::<BTreeMap<_, _>>().into();
        let fields = started.search_attributes.iter().flat_map(|fields| fields.indexed_fields.clone());
        durable.search_attributes = fields.collect::<BTreeMap<_, _>>().into();
        durable.started = Arc::new(started.clone());
    }

    /// Nothing waits in a closed run: its workflow task, buffer and stickiness end with it.
    fn closed(&mut self, status: Status, time: Time, successor: &str) {
        let successor = (!successor.is_empty()).then(|| RunId(successor.to_owned()));
        self.durable.closed = Some(Closed { status: status.into(), time, successor });
        self.durable.workflow_task = None;
        self.ephemera.workflow_task.transient = None;
        self.ephemera.sticky = None;
        self.ephemera.empty_buffer();
    }

    fn workflow_task_scheduled(
        &mut self,
        id: EventId,
        time: Time,
        scheduled: &WorkflowTaskScheduledEventAttributes,
    ) -> Applied {
        if let Some(pending) = &self.durable.workflow_task {
            return Err(format!("workflow task {} is still pending", pending.scheduled_event_id));
        }
        let queue = scheduled.task_queue.clone().unwrap_or_default();
        let task = WorkflowTask {
            scheduled_event_id: id,
            scheduled_time: time,
            attempt: scheduled.attempt,
            timeout: durations::value(scheduled.start_to_close_timeout.as_ref()),
            sticky_for: (queue.kind == i32::from(TaskQueueKind::Sticky)).then_some(queue.normal_name),
            queue: queue.name,
            ..WorkflowTask::default()
        };
        self.durable.workflow_task = Some(CopyOnWrite::from(task));
        Ok(PartKey::Run)
    }

    fn workflow_task_started(
        &mut self,
        id: EventId,
        time: Time,
        started: &WorkflowTaskStartedEventAttributes,
    ) -> Applied {
        let task = self
            .durable
            .workflow_task
            .as_mut()
            .filter(|task| task.scheduled_event_id == started.scheduled_event_id && !task.is_started())
            .ok_or_else(|| format!("no workflow task {} waits to start", started.scheduled_event_id))?;
        task.started_event_id = id;
        task.started_time = time;
        task.request_id.clone_from(&started.request_id);
        task.identity.clone_from(&started.identity);
        task.suggest_continue_as_new = started.suggest_continue_as_new;
        task.suggest_continue_as_new_reasons.clone_from(&started.suggest_continue_as_new_reasons);
        task.history_size_bytes = started.history_size_bytes;
        Ok(PartKey::Run)
    }

    fn workflow_task_ended(&mut self, scheduled_event_id: EventId) -> Applied {
        self.durable
            .workflow_task
            .take_if(|task| task.scheduled_event_id == scheduled_event_id)
            .map(|_| PartKey::Run)
            .ok_or_else(|| format!("no workflow task {scheduled_event_id} is pending"))
    }

    fn activity_scheduled(
        &mut self,
        id: EventId,
        time: Time,
        scheduled: &ActivityTaskScheduledEventAttributes,
    ) -> Applied {
        let activity = Activity {
            scheduled_event_id: id,
            scheduled_time: time,
            attributes: Arc::new(scheduled.clone()),
            cancel_requested_event_id: 0,
            started_event_id: 0,
        };
        self.durable.activities.insert(id, activity);
        self.ephemera.activities.insert(id, ActivityProgress { due_time: time, ..ActivityProgress::default() });
        Ok(PartKey::Activity(id))
    }

    fn activity(&mut self, scheduled_event_id: EventId) -> Result<&mut Activity, String> {
        self.durable
            .activities
            .get_mut(&scheduled_event_id)
            .ok_or_else(|| format!("no activity {scheduled_event_id} is pending"))
    }

    fn activity_closed(&mut self, scheduled_event_id: EventId) -> Applied {
        self.activity(scheduled_event_id)?;
        self.durable.activities.remove(&scheduled_event_id);
        self.ephemera.activities.remove(&scheduled_event_id);
        Ok(PartKey::Activity(scheduled_event_id))
    }

    fn timer_ended(&mut self, started_event_id: EventId) -> Applied {
        self.durable
            .timers
            .remove(&started_event_id)
            .then_some(PartKey::Timer(started_event_id))
            .ok_or_else(|| format!("no timer {started_event_id} is running"))
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

/// A payload that says nothing removes its field: nil, its JSON, or an empty list, as in Temporal.
fn upsert(fields: &mut BTreeMap<String, Payload>, name: &str, value: &Payload) {
    if matches!(value.data.as_slice(), b"" | b"null" | b"[]") {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value.clone());
    }
}
