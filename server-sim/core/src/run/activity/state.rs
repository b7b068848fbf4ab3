//! What a run knows of an activity: what its events say ([`Activity`]), and what they do not yet ([`ActivityProgress`]).
use crate::{
    ActivityRef, ActivityTimeoutKind, Context, EventId, MutableState, Rejection, Time, planted_in, rules::durations,
    wire,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use temporalio_protos::temporal::api::{
    common::v1::Payloads, failure::v1::Failure, history::v1::ActivityTaskScheduledEventAttributes,
};

pub(crate) const ACTIVITY_NOT_FOUND: &str =
    "invalid activityID or activity already timed out or invoking workflow is completed";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    pub scheduled_event_id: EventId,
    pub scheduled_time: Time,
    /// Without input and header: a worker gets these from the event.
    #[serde(with = "wire::shared")]
    pub attributes: Arc<ActivityTaskScheduledEventAttributes>,
    /// 0 if it was not asked for.
    #[serde(default)]
    pub cancel_requested_event_id: EventId,
    /// 0 until the started event is written, which happens just before the closing one.
    #[serde(default)]
    pub started_event_id: EventId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActivityProgress {
    pub attempt: i32,
    /// When this attempt was or will be offered.
    pub due_time: Time,
    /// Its backoff, if it had one, is over: matching has it or is being told.
    pub offered: bool,
    pub started: Option<ActivityStart>,
    #[serde(with = "wire::option")]
    pub heartbeat_details: Option<Payloads>,
    pub last_heartbeat_time: Option<Time>,
    /// Of the last attempt that did not succeed.
    #[serde(with = "wire::option")]
    pub last_failure: Option<Failure>,
    pub last_worker_identity: String,
    pub last_attempt_complete_time: Option<Time>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityStart {
    pub time: Time,
    pub request_id: String,
    pub identity: String,
}

/// What a caller that reports on an activity may name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reporting {
    /// Only a started attempt.
    Started,
    /// By id also one that waits: completing it from outside ends the waiting.
    StartedOrById,
}

impl Activity {
    pub fn activity_id(&self) -> &str {
        &self.attributes.activity_id
    }

    pub fn cancel_is_requested(&self) -> bool {
        self.cancel_requested_event_id != 0
    }

    pub(crate) fn task_queue(&self) -> &str {
        self.attributes.task_queue.as_ref().map_or("", |queue| &queue.name)
    }

    /// Schedule-to-close counts from the first scheduling, over all attempts.
    pub(crate) fn expiration(&self) -> Option<Time> {
        durations::limit(self.attributes.schedule_to_close_timeout.as_ref())
            .map(|timeout| self.scheduled_time.plus(timeout))
    }
}

impl Default for ActivityProgress {
    fn default() -> Self {
        Self {
            attempt: 1,
            due_time: Time::ZERO,
            offered: true,
            started: None,
            heartbeat_details: None,
            last_heartbeat_time: None,
            last_failure: None,
            last_worker_identity: String::new(),
            last_attempt_complete_time: None,
        }
    }
}

impl MutableState {
    /// An activity that nothing has closed yet, not even in the buffer.
    pub(crate) fn pending_activity(&self, scheduled_event_id: EventId) -> Option<(&Activity, &ActivityProgress)> {
        let activity = self.durable.activities.get(&scheduled_event_id)?;
        let closing = self.auxiliary.buffered.activities_closing.contains(&scheduled_event_id);
        (!closing).then(|| (activity, self.progress(scheduled_event_id)))
    }

    pub(crate) fn pending_activities(&self) -> impl Iterator<Item = (&Activity, &ActivityProgress)> {
        self.durable.activities.keys().filter_map(|id| self.pending_activity(*id))
    }

    pub(crate) fn progress(&self, scheduled_event_id: EventId) -> &ActivityProgress {
        self.auxiliary.activities.get(&scheduled_event_id).expect("each activity has its progress: see invariants")
    }

    /// The pending activity that a caller means.
    ///
    /// # Errors
    /// There is none, or the token is of an attempt that is over.
    pub(crate) fn find_activity(
        &self,
        activity: &ActivityRef,
        reporting: Reporting,
        context: &Context,
    ) -> Result<EventId, Rejection> {
        if !self.is_open() {
            return Err(Rejection::NotFound(crate::WORKFLOW_COMPLETED.into()));
        }
        let not_found = || Rejection::NotFound(ACTIVITY_NOT_FOUND.into());
        match activity {
            ActivityRef::Token(token) => {
                let (_, progress) = self.pending_activity(token.scheduled_event_id).ok_or_else(not_found)?;
                let is_current = progress.attempt == token.attempt
                    && progress.started.as_ref().is_some_and(|start| start.time == token.started_time);
                let accepted = is_current || planted_in!(context, crate::planted::ACCEPT_STALE_ACTIVITY_COMPLETION);
                accepted.then_some(token.scheduled_event_id).ok_or_else(not_found)
            }
            ActivityRef::Id(id) if id.is_empty() => {
                Err(Rejection::InvalidArgument("activityID cannot be empty".into()))
            }
            ActivityRef::Id(id) => {
                let (activity, progress) = self.activity_by_id(id).ok_or_else(|| {
                    Rejection::NotFound(format!(
                        "cannot find pending activity with ActivityID {id}, check workflow execution history for more \
                         details"
                    ))
                })?;
                let accepted = progress.started.is_some() || reporting == Reporting::StartedOrById;
                accepted.then_some(activity.scheduled_event_id).ok_or_else(not_found)
            }
        }
    }

    pub(crate) fn activity_by_id(&self, activity_id: &str) -> Option<(&Activity, &ActivityProgress)> {
        self.pending_activities().find(|(activity, _)| activity.activity_id() == activity_id)
    }

    /// The deadlines of the current attempt with their kinds. Of two at the same time the first here counts.
    pub(crate) fn activity_deadlines(&self, scheduled_event_id: EventId) -> Vec<(Time, ActivityTimeoutKind)> {
        let Some((activity, progress)) = self.pending_activity(scheduled_event_id) else { return Vec::new() };
        let limit = |duration: Option<&_>, from: Time| durations::limit(duration).map(|limit| from.plus(limit));
        let attributes = &activity.attributes;
        let mut deadlines = Vec::new();
        match &progress.started {
            Some(start) => {
                let beat = progress.last_heartbeat_time.map_or(start.time, |beat| beat.max(start.time));
                deadlines.extend(
                    limit(attributes.start_to_close_timeout.as_ref(), start.time)
                        .map(|time| (time, ActivityTimeoutKind::StartToClose)),
                );
                deadlines.extend(
                    limit(attributes.heartbeat_timeout.as_ref(), beat)
                        .map(|time| (time, ActivityTimeoutKind::Heartbeat)),
                );
            }
            None => deadlines.extend(
                limit(attributes.schedule_to_start_timeout.as_ref(), progress.due_time)
                    .map(|time| (time, ActivityTimeoutKind::ScheduleToStart)),
            ),
        }
        deadlines.extend(activity.expiration().map(|time| (time, ActivityTimeoutKind::ScheduleToClose)));
        deadlines.sort_by_key(|(time, kind)| (*time, tie_break(*kind)));
        deadlines
    }
}

/// Temporal looks at timeouts that are due at the same time in this order.
fn tie_break(kind: ActivityTimeoutKind) -> u8 {
    match kind {
        ActivityTimeoutKind::StartToClose => 0,
        ActivityTimeoutKind::ScheduleToStart => 1,
        ActivityTimeoutKind::ScheduleToClose => 2,
        ActivityTimeoutKind::Heartbeat => 3,
    }
}
