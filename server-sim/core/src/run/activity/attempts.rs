//! One attempt after the other: offered to matching, retried after a failure, until one closes the activity.
use super::{Activity, ActivityProgress};
use crate::{
    ActivityTimeoutKind, AuxiliaryChange, Decision, EventId, TimerKind, TransferTask, planted_in,
    rules::{
        durations, failure as failures,
        retry_policy::{self, RetryDecision},
    },
    run::decision::Extras,
};
use std::time::Duration;
use temporalio_protos::temporal::api::{
    common::v1::RetryPolicy,
    enums::v1::RetryState,
    failure::v1::Failure,
    history::v1::{
        ActivityTaskScheduledEventAttributes, ActivityTaskStartedEventAttributes, history_event::Attributes,
    },
};

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
        self.auxiliary(AuxiliaryChange::ActivityProgress { scheduled_event_id, progress });
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
        let policy = self.activity_retry_policy(activity);
        let expiration = activity.expiration();
        let now = self.now();
        let delay = match retry_policy::next_activity_retry(&policy, attempt, Some(failure), now, expiration) {
            RetryDecision::Retry { delay } => delay,
            RetryDecision::Stop(state) => return Err(state),
        };
        self.begin_next_attempt(scheduled_event_id, failure, delay);
        Ok(())
    }

    fn activity_retry_policy(&self, activity: &Activity) -> RetryPolicy {
        let mut policy = activity.attributes.retry_policy.clone().unwrap_or_default();
        retry_policy::fill_defaults(&mut policy);
        if planted_in!(self.context, crate::planted::RETRY_IGNORES_MAXIMUM_ATTEMPTS) {
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
}
