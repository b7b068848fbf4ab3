//! What is seen of activities: what they are owed, their size, what describes them, what holds of them.
use super::{Activity, ActivityProgress};
use crate::{
    ActivityTimeoutKind, EventId, MutableState, Owed, PartKey, Time, TimerKind, TransferTask,
    parts::Weigh,
    rules::{durations, retry_policy},
    run::size::ENTRY_BYTES,
};
use prost::Message;
use std::collections::BTreeSet;
use temporalio_protos::temporal::api::{
    activity::v1::ActivityOptions, enums::v1::PendingActivityState, taskqueue::v1::TaskQueue,
    workflow::v1::PendingActivityInfo,
};

impl MutableState {
    pub(crate) fn activities_are_owed(&self, owed: &mut Vec<Owed>) {
        self.pending_activities().for_each(|(activity, _)| self.activity_owes(activity.scheduled_event_id, owed));
    }

    fn activity_owes(&self, scheduled_event_id: EventId, owed: &mut Vec<Owed>) {
        let Some((activity, progress)) = self.pending_activity(scheduled_event_id) else { return };
        let attempt = progress.attempt;
        for (by, timeout) in self.activity_deadlines(scheduled_event_id) {
            // This deadline is of all attempts: its task was made by the first.
            let attempt = if timeout == ActivityTimeoutKind::ScheduleToClose { 1 } else { attempt };
            owed.push(Owed::Timer { by, kind: TimerKind::ActivityTimeout { scheduled_event_id, attempt, timeout } });
        }
        if progress.started.is_some() {
            return;
        }
        if !progress.offered {
            let kind = TimerKind::ActivityRetry { scheduled_event_id, attempt };
            owed.push(Owed::Timer { by: progress.due_time, kind });
            return;
        }
        owed.push(Owed::Transfer(TransferTask::ActivityTask {
            scheduled_event_id,
            attempt,
            task_queue: activity.task_queue().to_owned(),
            schedule_to_start_timeout: durations::limit(activity.attributes.schedule_to_start_timeout.as_ref()),
        }));
    }

    pub(crate) fn describe_activities(&self) -> Vec<PendingActivityInfo> {
        self.pending_activities().map(|(activity, progress)| describe(activity, progress)).collect()
    }

    pub(crate) fn activities_violation(&self, touched: &BTreeSet<PartKey>) -> Option<String> {
        let (durable, auxiliary) = (&self.durable, &self.auxiliary);
        let of_activity = |part: &PartKey| match part {
            PartKey::Activity(id) => self.activity_violation(*id),
            _ => None,
        };
        if durable.activities.len() != auxiliary.activities.len() {
            return Some("activities and their progress differ".into());
        }
        if let Some(broken) = touched.iter().find_map(of_activity) {
            return Some(broken);
        }
        let mut closing = auxiliary.buffered.activities_closing.iter();
        let unknown = closing.find(|id| !durable.activities.contains_key(id))?;
        Some(format!("activity {unknown} closes without being pending"))
    }
}

impl MutableState {
    fn activity_violation(&self, id: EventId) -> Option<String> {
        match (self.durable.activities.get(&id), self.auxiliary.activities.get(&id)) {
            (Some(_), Some(progress)) if progress.attempt < 1 => {
                Some(format!("activity {id} of attempt {}", progress.attempt))
            }
            (Some(_), Some(_)) | (None, None) => None,
            _ => Some(format!("activity {id} and its progress do not go together")),
        }
    }
}

fn describe(activity: &Activity, progress: &ActivityProgress) -> PendingActivityInfo {
    let attributes = activity.attributes.as_ref();
    let state = match (&progress.started, activity.cancel_is_requested()) {
        (_, true) => PendingActivityState::CancelRequested,
        (Some(_), false) => PendingActivityState::Started,
        (None, false) => PendingActivityState::Scheduled,
    };
    let mut policy = attributes.retry_policy.clone().unwrap_or_default();
    retry_policy::fill_defaults(&mut policy);
    let backs_off = state == PendingActivityState::Scheduled && !progress.offered;
    let since_last = progress.last_attempt_complete_time.map(|last| durations::to_wire(progress.due_time.since(last)));
    PendingActivityInfo {
        activity_id: attributes.activity_id.clone(),
        activity_type: attributes.activity_type.clone(),
        state: state.into(),
        heartbeat_details: progress.last_heartbeat_time.and(progress.heartbeat_details.clone()),
        last_heartbeat_time: progress.last_heartbeat_time.map(Time::to_proto),
        last_started_time: progress.started.as_ref().map(|start| start.time.to_proto()),
        attempt: progress.attempt,
        maximum_attempts: policy.maximum_attempts,
        scheduled_time: Some(progress.due_time.to_proto()),
        expiration_time: activity.expiration().map(Time::to_proto),
        last_failure: progress.last_failure.clone(),
        last_worker_identity: progress.last_worker_identity.clone(),
        last_attempt_complete_time: progress.last_attempt_complete_time.map(Time::to_proto),
        current_retry_interval: since_last.filter(|_| backs_off),
        next_attempt_schedule_time: backs_off.then(|| progress.due_time.to_proto()),
        priority: attributes.priority.clone(),
        activity_options: Some(ActivityOptions {
            task_queue: Some(TaskQueue {
                name: activity.task_queue().to_owned(),
                normal_name: activity.task_queue().to_owned(),
                ..TaskQueue::default()
            }),
            schedule_to_close_timeout: attributes.schedule_to_close_timeout,
            schedule_to_start_timeout: attributes.schedule_to_start_timeout,
            start_to_close_timeout: attributes.start_to_close_timeout,
            heartbeat_timeout: attributes.heartbeat_timeout,
            retry_policy: Some(policy),
            priority: attributes.priority.clone(),
            ..ActivityOptions::default()
        }),
        ..PendingActivityInfo::default()
    }
}

impl Weigh for Activity {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.attributes.encoded_len()
    }
}

impl Weigh for ActivityProgress {
    fn bytes(&self) -> usize {
        let start = self.started.as_ref().map_or(0, |start| start.request_id.len() + start.identity.len());
        ENTRY_BYTES
            + start
            + self.last_worker_identity.len()
            + self.heartbeat_details.as_ref().map_or(0, Message::encoded_len)
            + self.last_failure.as_ref().map_or(0, Message::encoded_len)
    }
}
