//! Activities: scheduled by a command, started by a poll, retried by the server, closed once. History hears of the
//! start only when the activity closes; until then attempts, heartbeats and the last failure are ephemeral.
use crate::{
    ActivityRef, ActivityTimeoutKind, Decision, EphemeralChange, EventId, Rejection, Time, TimerKind, TransferTask,
    decision::Extras,
    planted_in,
    rules::{
        durations, failure as failures,
        retry_policy::{self, RetryDecision},
    },
    state::{Activity, ActivityProgress, MutableState},
};
use std::time::Duration;
use temporalio_protos::temporal::api::{
    common::v1::RetryPolicy,
    enums::v1::RetryState,
    failure::v1::{Failure, failure::FailureInfo},
    history::v1::{
        ActivityTaskScheduledEventAttributes, ActivityTaskStartedEventAttributes, ActivityTaskTimedOutEventAttributes,
        history_event::Attributes,
    },
};

pub(crate) const ACTIVITY_NOT_FOUND: &str =
    "invalid activityID or activity already timed out or invoking workflow is completed";

/// What a caller that reports on an activity may name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reporting {
    /// Only a started attempt.
    Started,
    /// By id also one that waits: completing it from outside ends the waiting.
    StartedOrById,
}

impl MutableState {
    /// The pending activity that a caller means.
    ///
    /// # Errors
    /// There is none, or the token is of an attempt that is over.
    pub(crate) fn find_activity(
        &self,
        activity: &ActivityRef,
        reporting: Reporting,
        context: &crate::Context,
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
                let accepted = is_current || planted_in!(context, "accept-stale-activity-completion");
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

impl Decision<'_> {
    pub(crate) fn schedule_activity(&mut self, attributes: ActivityTaskScheduledEventAttributes, extras: Extras) {
        let scheduled_event_id = self.next_event_id();
        self.event_with(attributes, extras);
        self.offer_activity(scheduled_event_id);
        self.activity_timer(scheduled_event_id, ActivityTimeoutKind::ScheduleToStart);
        self.activity_timer(scheduled_event_id, ActivityTimeoutKind::ScheduleToClose);
    }

    /// Offers the current attempt to matching.
    pub(crate) fn offer_activity(&mut self, scheduled_event_id: EventId) {
        let Some((activity, progress)) = self.state.pending_activity(scheduled_event_id) else { return };
        let task = TransferTask::ActivityTask {
            scheduled_event_id,
            attempt: progress.attempt,
            task_queue: activity.task_queue().to_owned(),
            schedule_to_start_timeout: durations::limit(activity.attributes.schedule_to_start_timeout.as_ref()),
        };
        self.transfer(task);
    }

    /// A timer task for one deadline of the current attempt, if it has that deadline.
    pub(crate) fn activity_timer(&mut self, scheduled_event_id: EventId, timeout: ActivityTimeoutKind) {
        // Schedule-to-close is of all attempts: its one task is the first attempt's.
        let attempt = match timeout {
            ActivityTimeoutKind::ScheduleToClose => 1,
            _ => self.state.progress(scheduled_event_id).attempt,
        };
        let deadlines = self.state.activity_deadlines(scheduled_event_id);
        if let Some((time, _)) = deadlines.into_iter().find(|(_, kind)| *kind == timeout) {
            self.timer(time, TimerKind::ActivityTimeout { scheduled_event_id, attempt, timeout });
        }
    }

    pub(crate) fn change_activity(&mut self, scheduled_event_id: EventId, change: impl FnOnce(&mut ActivityProgress)) {
        let mut progress = Box::new(self.state.progress(scheduled_event_id).clone());
        change(&mut progress);
        self.ephemeral(EphemeralChange::ActivityProgress { scheduled_event_id, progress });
    }

    /// Schedules another attempt after `failure` if the rules allow one.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn retry_activity(&mut self, scheduled_event_id: EventId, failure: &Failure) -> Result<(), RetryState> {
        let activity = &self.state.durable.activities[&scheduled_event_id];
        let attempt = self.state.progress(scheduled_event_id).attempt;
        if activity.cancel_is_requested() {
            return Err(RetryState::CancelRequested);
        }
        let policy = self.retry_policy(activity);
        let expiration = activity.expiration();
        let now = self.now();
        let delay = match retry_policy::next_activity_retry(&policy, attempt, Some(failure), now, expiration) {
            RetryDecision::Retry { delay } => delay,
            RetryDecision::Stop(state) => return Err(state),
        };
        self.begin_next_attempt(scheduled_event_id, failure, delay);
        Ok(())
    }

    fn retry_policy(&self, activity: &Activity) -> RetryPolicy {
        let mut policy = activity.attributes.retry_policy.clone().unwrap_or_default();
        retry_policy::fill_defaults(&mut policy);
        if planted_in!(self.context, "retry-ignores-maximum-attempts") {
            policy.maximum_attempts = 0;
        }
        policy
    }

    fn begin_next_attempt(&mut self, scheduled_event_id: EventId, failure: &Failure, delay: Duration) {
        let now = self.now();
        let remembered = failures::last_failure(failure);
        self.change_activity(scheduled_event_id, |progress| {
            if let Some(start) = progress.started.take() {
                progress.last_worker_identity = start.identity;
            }
            progress.attempt += 1;
            progress.due_time = now.plus(delay);
            progress.offered = false;
            progress.last_failure = Some(remembered);
            progress.last_attempt_complete_time = Some(now);
        });
        let progress = self.state.progress(scheduled_event_id);
        let (due, attempt) = (progress.due_time, progress.attempt);
        self.timer(due, TimerKind::ActivityRetry { scheduled_event_id, attempt });
        self.activity_timer(scheduled_event_id, ActivityTimeoutKind::ScheduleToStart);
    }

    /// Closes an activity: its start, if it had one, and then how it ended. The caller schedules a workflow task.
    pub(crate) fn close_activity(&mut self, scheduled_event_id: EventId, closing: impl Into<Attributes>) {
        let progress = self.state.progress(scheduled_event_id);
        if let Some(start) = progress.started.clone() {
            let started = ActivityTaskStartedEventAttributes {
                scheduled_event_id,
                identity: start.identity,
                request_id: start.request_id,
                attempt: progress.attempt,
                last_failure: progress.last_failure.clone(),
                ..ActivityTaskStartedEventAttributes::default()
            };
            self.event_at(start.time, started, Extras::default());
        }
        self.event(closing);
    }

    /// An attempt or the whole activity ran out of time: another attempt, or the end.
    pub(crate) fn time_out_activity(&mut self, scheduled_event_id: EventId, timeout: ActivityTimeoutKind) {
        let mut failure = failures::activity_timeout(timeout);
        let Err(retry_state) = self.retry_activity(scheduled_event_id, &failure) else {
            self.probe("activity_retried_after_timeout");
            return;
        };
        if retry_state == RetryState::Timeout && timeout != ActivityTimeoutKind::ScheduleToStart {
            failure = failures::activity_out_of_time();
        }
        let progress = self.state.progress(scheduled_event_id);
        if let Some(FailureInfo::TimeoutFailureInfo(info)) = &mut failure.failure_info {
            info.last_heartbeat_details.clone_from(&progress.heartbeat_details);
        }
        failure.cause = progress.last_failure.clone().map(Box::new);
        let closing = ActivityTaskTimedOutEventAttributes {
            failure: Some(failure),
            scheduled_event_id,
            retry_state: retry_state.into(),
            ..ActivityTaskTimedOutEventAttributes::default()
        };
        self.close_activity(scheduled_event_id, closing);
        self.schedule_workflow_task();
    }
}
