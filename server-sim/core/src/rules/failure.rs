//! Failures that the server itself writes.
use super::names;
use crate::ActivityTimeoutKind;
use prost::Message;
use temporalio_protos::temporal::api::{
    enums::v1::TimeoutType,
    failure::v1::{ApplicationFailureInfo, Failure, ServerFailureInfo, TimeoutFailureInfo, failure::FailureInfo},
};

/// A pending activity keeps at most this much of its last failure.
const LAST_FAILURE_BYTES_MAX: usize = 4 * 1024;
const CAUSE_DEPTH_MAX: usize = 20;

const NOT_ENOUGH_TIME_FOR_RETRY: &str =
    "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying";
pub const FAILURE_EXCEEDS_LIMIT: &str = "Failure exceeds size limit.";

/// A failure of the server's own making.
pub fn server_failure(message: impl Into<String>, non_retryable: bool) -> Failure {
    Failure {
        message: message.into(),
        failure_info: Some(FailureInfo::ServerFailureInfo(ServerFailureInfo { non_retryable })),
        ..Default::default()
    }
}

pub(crate) fn timeout_failure(message: impl Into<String>, timeout: TimeoutType) -> Failure {
    Failure {
        message: message.into(),
        source: "Server".into(),
        failure_info: Some(FailureInfo::TimeoutFailureInfo(TimeoutFailureInfo {
            timeout_type: timeout.into(),
            ..Default::default()
        })),
        ..Default::default()
    }
}

/// An activity's timeout: "activity StartToClose timeout".
pub fn activity_timeout(timeout: ActivityTimeoutKind) -> Failure {
    let timeout = timeout_type(timeout);
    timeout_failure(format!("activity {} timeout", names::timeout_type(timeout)), timeout)
}

/// What an activity's history says when a timeout leaves no time for another attempt.
pub fn activity_out_of_time() -> Failure {
    timeout_failure(NOT_ENOUGH_TIME_FOR_RETRY, TimeoutType::ScheduleToClose)
}

/// A run's timeout, as its successor is told.
pub fn workflow_timeout() -> Failure {
    timeout_failure("workflow timeout", TimeoutType::StartToClose)
}

pub fn timeout_type(timeout: ActivityTimeoutKind) -> TimeoutType {
    match timeout {
        ActivityTimeoutKind::ScheduleToStart => TimeoutType::ScheduleToStart,
        ActivityTimeoutKind::ScheduleToClose => TimeoutType::ScheduleToClose,
        ActivityTimeoutKind::StartToClose => TimeoutType::StartToClose,
        ActivityTimeoutKind::Heartbeat => TimeoutType::Heartbeat,
    }
}

/// The failure a pending activity remembers: as it is, or above 4 KiB a server failure whose cause is the head of it.
pub fn last_failure(failure: &Failure) -> Failure {
    if failure.encoded_len() <= LAST_FAILURE_BYTES_MAX {
        return failure.clone();
    }
    let cause = head(failure, LAST_FAILURE_BYTES_MAX);
    Failure { cause: Some(Box::new(cause)), ..server_failure(FAILURE_EXCEEDS_LIMIT, false) }
}

/// About so many bytes of a failure: what matters most of it.
pub fn head(failure: &Failure, bytes_max: usize) -> Failure {
    truncate(failure, bytes_max, CAUSE_DEPTH_MAX)
}

/// Causes of a failure that are kept. Decoders of Protocol Buffers, ours and those of most SDKs, stop at a hundred nested
/// messages, and a failure in a page of history is nested four deep already: what is accepted must stay readable.
const CAUSES_MAX: usize = 60;

/// Drops what lies deeper than [`CAUSES_MAX`] causes.
pub fn cut_causes(failure: &mut Failure) {
    let mut at = failure;
    for _ in 0..CAUSES_MAX {
        match &mut at.cause {
            Some(cause) => at = cause,
            None => return,
        }
    }
    at.cause = None;
}

/// Keeps what matters most first: type and flags, source, message, stack trace, then causes with what room is left.
fn truncate(failure: &Failure, bytes_max: usize, depth_max: usize) -> Failure {
    // Room for tags and lengths in the encoded message.
    const FIELD_OVERHEAD: usize = 4;
    let mut room = bytes_max;
    let mut head = |text: &str| {
        let kept = head_of(text, room).to_owned();
        if !kept.is_empty() {
            room = room.saturating_sub(kept.len() + FIELD_OVERHEAD);
        }
        kept
    };
    let failure_info = match &failure.failure_info {
        Some(FailureInfo::ApplicationFailureInfo(info)) => {
            Some(FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo {
                r#type: head(&info.r#type),
                non_retryable: info.non_retryable,
                ..Default::default()
            }))
        }
        Some(FailureInfo::ServerFailureInfo(info)) => Some(FailureInfo::ServerFailureInfo(*info)),
        _ => None,
    };
    let (source, message, stack_trace) = (head(&failure.source), head(&failure.message), head(&failure.stack_trace));
    let info_overhead = if failure_info.is_some() { 2 * FIELD_OVERHEAD } else { 0 };
    let room = room.saturating_sub(info_overhead + FIELD_OVERHEAD);
    let cause = failure.cause.as_ref().filter(|_| room > 0 && depth_max > 0);
    let cause = cause.map(|cause| Box::new(truncate(cause, room, depth_max - 1)));
    Failure { source, message, stack_trace, failure_info, cause, ..Default::default() }
}

/// At most so many bytes of a text, ending between two characters.
fn head_of(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_causes_has_an_end() {
        let chain = |causes: usize| {
            let mut failure = Failure { message: "the first".into(), ..Default::default() };
            for _ in 0..causes {
                failure = Failure { cause: Some(Box::new(failure)), ..Default::default() };
            }
            failure
        };
        let causes = |failure: &Failure| std::iter::successors(Some(failure), |at| at.cause.as_deref()).count() - 1;
        for (given, kept) in [(0, 0), (CAUSES_MAX, CAUSES_MAX), (CAUSES_MAX + 1, CAUSES_MAX), (90, CAUSES_MAX)] {
            let mut failure = chain(given);
            cut_causes(&mut failure);
            assert_eq!(causes(&failure), kept);
        }
    }

    #[test]
    fn timeouts_carry_temporals_words() {
        let check = |failure: Failure, message: &str, timeout: TimeoutType| {
            assert_eq!(failure.message, message);
            assert_eq!(failure.source, "Server");
            let Some(FailureInfo::TimeoutFailureInfo(info)) = failure.failure_info else { panic!("no timeout") };
            assert_eq!(info.timeout_type(), timeout);
        };
        use ActivityTimeoutKind::*;
        check(activity_timeout(StartToClose), "activity StartToClose timeout", TimeoutType::StartToClose);
        check(activity_timeout(Heartbeat), "activity Heartbeat timeout", TimeoutType::Heartbeat);
        check(activity_timeout(ScheduleToStart), "activity ScheduleToStart timeout", TimeoutType::ScheduleToStart);
        check(activity_out_of_time(), NOT_ENOUGH_TIME_FOR_RETRY, TimeoutType::ScheduleToClose);
        check(workflow_timeout(), "workflow timeout", TimeoutType::StartToClose);
    }

    #[test]
    fn long_failures_keep_their_head() {
        let check = |message: &str, stack_trace: &str, causes: usize| {
            let mut failure = server_failure("root", true);
            for _ in 0..causes {
                failure = Failure {
                    message: message.into(),
                    stack_trace: stack_trace.into(),
                    cause: Some(Box::new(failure)),
                    ..Default::default()
                };
            }
            let kept = last_failure(&failure);
            assert_eq!(kept.message, FAILURE_EXCEEDS_LIMIT);
            let size = kept.encoded_len();
            assert!(size <= LAST_FAILURE_BYTES_MAX + 64, "{size} bytes");
            assert!(message.starts_with(&kept.cause.expect("the head is the cause").message));
        };
        check(&"m".repeat(10_000), "", 1);
        check("é".repeat(5000).as_str(), "", 1);
        check("short", &"s".repeat(1000), 10);
        check("short", &"s".repeat(100), 100);
    }

    #[test]
    fn short_failures_stay_as_they_are() {
        let failure = activity_timeout(ActivityTimeoutKind::Heartbeat);
        assert_eq!(last_failure(&failure), failure);
    }
}
