//! An activity's deadlines and the ends of its backoffs.
use crate::{ActivityTimeoutKind, Decision, EventId, TimerKind, rules::failure as failures, run::fire_timer::is_over};
use temporalio_protos::temporal::api::{
    enums::v1::RetryState, failure::v1::failure::FailureInfo, history::v1::ActivityTaskTimedOutEventAttributes,
};

pub(crate) fn fire(
    decision: &mut Decision<'_>,
    scheduled_event_id: EventId,
    attempt: i32,
    timeout: ActivityTimeoutKind,
) {
    let Some((_, progress)) = decision.state.pending_activity(scheduled_event_id) else { return };
    if progress.attempt != attempt && timeout != ActivityTimeoutKind::ScheduleToClose {
        return;
    }
    let deadlines = decision.state.activity_deadlines(scheduled_event_id);
    let Some((first, kind)) = deadlines.first().copied() else { return };
    if first <= decision.now() {
        decision.time_out_activity(scheduled_event_id, kind);
    } else if deadlines.iter().any(|(_, kind)| *kind == timeout) {
        // A heartbeat has moved the deadline since this task was made.
        decision.probe("activity-deadline-moved");
        decision.activity_timer(scheduled_event_id, timeout);
    }
}

pub(crate) fn fire_retry(decision: &mut Decision<'_>, scheduled_event_id: EventId, attempt: i32) {
    let Some((_, progress)) = decision.state.pending_activity(scheduled_event_id) else { return };
    if progress.attempt != attempt || progress.offered {
        return;
    }
    let due = progress.due_time;
    let kind = TimerKind::ActivityRetry { scheduled_event_id, attempt };
    if is_over(decision, Some(due), &kind) {
        decision.change_activity(scheduled_event_id, |progress| progress.offered = true);
        decision.offer_activity(scheduled_event_id);
    }
}

impl Decision<'_> {
    /// An attempt or the whole activity ran out of time: another attempt, or the end.
    pub(crate) fn time_out_activity(&mut self, scheduled_event_id: EventId, timeout: ActivityTimeoutKind) {
        let mut failure = failures::activity_timeout(timeout);
        let Err(retry_state) = self.retry_activity(scheduled_event_id, &failure) else {
            self.probe("activity-retried-after-timeout");
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
