//! Retry policies: their defaults, their validity, and whether and when there is another attempt.
use super::{durations, names};
use crate::Time;
use std::time::Duration;
use temporalio_protos::temporal::api::{
    common::v1::RetryPolicy,
    enums::v1::{RetryState, TimeoutType},
    failure::v1::{Failure, failure::FailureInfo},
};

const INITIAL_INTERVAL: Duration = Duration::from_secs(1);
const BACKOFF_COEFFICIENT: f64 = 2.0;
const MAXIMUM_INTERVAL_FACTOR: u32 = 100;
/// A non-retryable type with this prefix names a timeout, as in "TemporalTimeout:StartToClose".
const TIMEOUT_TYPE_PREFIX: &str = "TemporalTimeout:";

/// What comes after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    /// Another attempt, due so long from now.
    Retry { delay: Duration },
    /// It is over, and why.
    Stop(RetryState),
}

/// Fills what the policy leaves open: 1 s, doubling, at most 100 times the first interval, unlimited attempts.
pub fn fill_defaults(policy: &mut RetryPolicy) {
    if is_zero(policy.initial_interval.as_ref()) {
        policy.initial_interval = Some(durations::to_wire(INITIAL_INTERVAL));
    }
    if is_zero(policy.maximum_interval.as_ref()) {
        let longest = durations::value(policy.initial_interval.as_ref()).saturating_mul(MAXIMUM_INTERVAL_FACTOR);
        policy.maximum_interval = Some(durations::to_wire(longest));
    }
    if policy.backoff_coefficient == 0.0 {
        policy.backoff_coefficient = BACKOFF_COEFFICIENT;
    }
}

/// Checks a policy whose defaults are filled in. With one attempt at most nothing else is looked at.
///
/// # Errors
/// Temporal's words for the first thing wrong with it.
pub fn validate(policy: &mut RetryPolicy) -> Result<(), String> {
    if policy.maximum_attempts == 1 {
        return Ok(());
    }
    durations::validate_and_cap(policy.initial_interval.as_mut())
        .map_err(|error| format!("invalid InitialInterval set on retry policy: {error}"))?;
    if policy.backoff_coefficient.is_nan() || policy.backoff_coefficient < 1.0 {
        return Err("BackoffCoefficient cannot be less than 1 on retry policy.".into());
    }
    durations::validate_and_cap(policy.maximum_interval.as_mut())
        .map_err(|error| format!("invalid MaximumInterval set on retry policy: {error}"))?;
    let longest = durations::value(policy.maximum_interval.as_ref());
    if !longest.is_zero() && longest < durations::value(policy.initial_interval.as_ref()) {
        return Err("MaximumInterval cannot be less than InitialInterval on retry policy.".into());
    }
    if policy.maximum_attempts < 0 {
        return Err("MaximumAttempts cannot be negative on retry policy.".into());
    }
    for listed in &policy.non_retryable_error_types {
        if let Some(timeout) = listed.strip_prefix(TIMEOUT_TYPE_PREFIX)
            && !is_timeout_type(timeout)
        {
            return Err(format!("Invalid timeout type value: {timeout}."));
        }
    }
    Ok(())
}

/// Decides on the attempt after `attempt` (from 1) of an activity.
///
/// Schedule-to-start and schedule-to-close timeouts are the server's own deadlines: they end the activity with
/// `Timeout`. A delay that the failure asks for replaces the exponential one *and* its cap; asking for exactly zero
/// ends the activity with `Timeout` (odd, but so does Temporal: a zero delay under a zero cap counts as "no interval"),
/// while a negative one asks for the next attempt at once.
pub fn next_activity_retry(
    policy: &RetryPolicy,
    attempt: i32,
    failure: Option<&Failure>,
    now: Time,
    expiration: Option<Time>,
) -> RetryDecision {
    if let Some(TimeoutType::ScheduleToStart | TimeoutType::ScheduleToClose) = failure.and_then(timeout_of) {
        return RetryDecision::Stop(RetryState::Timeout);
    }
    let requested = failure.and_then(requested_delay);
    let longest = requested.unwrap_or_else(|| maximum_interval(policy));
    decide(policy, attempt, failure, now, expiration, requested, longest)
}

/// Decides on the run after one that failed or timed out, as its `attempt` (from 1). Here the policy's cap applies to
/// a requested delay as well, and a requested delay of zero becomes the cap.
pub fn next_workflow_retry(
    policy: &RetryPolicy,
    attempt: i32,
    failure: Option<&Failure>,
    now: Time,
    expiration: Option<Time>,
) -> RetryDecision {
    let longest = maximum_interval(policy);
    decide(policy, attempt, failure, now, expiration, failure.and_then(requested_delay), longest)
}

/// Whether a failure allows another attempt. Only the outermost failure is looked at, and types are compared exactly.
pub fn is_retryable(failure: Option<&Failure>, non_retryable_types: &[String]) -> bool {
    let Some(info) = failure.and_then(|failure| failure.failure_info.as_ref()) else { return true };
    match info {
        FailureInfo::TerminatedFailureInfo(_) | FailureInfo::CanceledFailureInfo(_) => false,
        FailureInfo::TimeoutFailureInfo(info) => match info.timeout_type() {
            timeout @ (TimeoutType::StartToClose | TimeoutType::Heartbeat) => {
                let name = format!("{TIMEOUT_TYPE_PREFIX}{}", names::timeout_type(timeout));
                !non_retryable_types.contains(&name)
            }
            _ => false,
        },
        FailureInfo::ServerFailureInfo(info) => !info.non_retryable,
        FailureInfo::ApplicationFailureInfo(info) => !info.non_retryable && !non_retryable_types.contains(&info.r#type),
        _ => true,
    }
}

/// Delays are compared as Go compares them: negative ones count.
type SignedNanos = i128;

fn decide(
    policy: &RetryPolicy,
    attempt: i32,
    failure: Option<&Failure>,
    now: Time,
    expiration: Option<Time>,
    requested: Option<SignedNanos>,
    longest: SignedNanos,
) -> RetryDecision {
    let attempt = attempt.max(1);
    if !is_retryable(failure, &policy.non_retryable_error_types) {
        return RetryDecision::Stop(RetryState::NonRetryableFailure);
    }
    if policy.maximum_attempts > 0 && attempt >= policy.maximum_attempts {
        return RetryDecision::Stop(RetryState::MaximumAttemptsReached);
    }
    let mut delay = requested.unwrap_or_else(|| exponential_delay(policy, attempt));
    if delay <= 0 && longest == 0 {
        return RetryDecision::Stop(RetryState::Timeout);
    }
    if longest != 0 && (delay <= 0 || delay > longest) {
        delay = longest;
    }
    let delay = Duration::from_nanos(u64::try_from(delay.max(0)).expect("durations are cut to 100 years"));
    if expiration.is_some_and(|expiration| now.plus(delay) > expiration) {
        return RetryDecision::Stop(RetryState::Timeout);
    }
    RetryDecision::Retry { delay }
}

/// First interval times coefficient to the power (attempt - 1), below 2^63 ns.
///
/// By squaring, and not with `powf`, whose last digit differs between platforms and would make runs differ.
fn exponential_delay(policy: &RetryPolicy, attempt: i32) -> SignedNanos {
    let mut nanos = durations::value(policy.initial_interval.as_ref()).as_nanos() as f64;
    let (mut factor, mut exponent) = (policy.backoff_coefficient, attempt - 1);
    while exponent > 0 {
        if exponent % 2 == 1 {
            nanos *= factor;
        }
        factor *= factor;
        exponent /= 2;
    }
    // A zero interval times infinity is not a number; the cast makes it zero, and infinity the largest value.
    SignedNanos::from((nanos as u64).min(i64::MAX as u64))
}

fn requested_delay(failure: &Failure) -> Option<SignedNanos> {
    match failure.failure_info.as_ref()? {
        FailureInfo::ApplicationFailureInfo(info) => info.next_retry_delay.as_ref().map(durations::signed_nanos),
        _ => None,
    }
}

fn maximum_interval(policy: &RetryPolicy) -> SignedNanos {
    policy.maximum_interval.as_ref().map_or(0, durations::signed_nanos).max(0)
}

fn timeout_of(failure: &Failure) -> Option<TimeoutType> {
    match failure.failure_info.as_ref()? {
        FailureInfo::TimeoutFailureInfo(info) => Some(info.timeout_type()),
        _ => None,
    }
}

fn is_zero(duration: Option<&prost_wkt_types::Duration>) -> bool {
    duration.is_none_or(|duration| duration.seconds == 0 && duration.nanos == 0)
}

/// Both spellings that Temporal's API knows: "StartToClose" and "TIMEOUT_TYPE_START_TO_CLOSE".
fn is_timeout_type(name: &str) -> bool {
    [TimeoutType::StartToClose, TimeoutType::ScheduleToStart, TimeoutType::ScheduleToClose, TimeoutType::Heartbeat]
        .into_iter()
        .any(|known| name == names::timeout_type(known) || name == known.as_str_name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::failure::{server_failure, timeout_failure};
    use temporalio_protos::temporal::api::failure::v1::{
        ApplicationFailureInfo, CanceledFailureInfo, TerminatedFailureInfo,
    };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn wire(seconds: i64) -> Option<prost_wkt_types::Duration> {
        Some(prost_wkt_types::Duration { seconds, nanos: 0 })
    }

    fn policy(initial: i64, coefficient: f64, maximum: i64, attempts: i32, types: &[&str]) -> RetryPolicy {
        RetryPolicy {
            initial_interval: wire(initial),
            backoff_coefficient: coefficient,
            maximum_interval: wire(maximum),
            maximum_attempts: attempts,
            non_retryable_error_types: types.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn application(name: &str, non_retryable: bool, delay: Option<i64>) -> Failure {
        Failure {
            message: "declined".into(),
            failure_info: Some(FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo {
                r#type: name.into(),
                non_retryable,
                next_retry_delay: delay.and_then(wire),
                ..Default::default()
            })),
            ..Default::default()
        }
    }

    fn with_info(info: FailureInfo) -> Failure {
        Failure { failure_info: Some(info), ..Default::default() }
    }

    #[test]
    fn an_empty_policy_is_filled() {
        let check = |mut input: RetryPolicy, expect: RetryPolicy| {
            fill_defaults(&mut input);
            assert_eq!(input, expect);
        };
        check(RetryPolicy::default(), policy(1, 2.0, 100, 0, &[]));
        check(RetryPolicy { initial_interval: wire(3), ..Default::default() }, policy(3, 2.0, 300, 0, &[]));
        check(policy(3, 1.5, 7, 4, &["A"]), policy(3, 1.5, 7, 4, &["A"]));
    }

    #[test]
    fn bad_policies_are_refused_with_temporals_words() {
        let check = |mut input: RetryPolicy, expect: Result<(), &str>| {
            assert_eq!(validate(&mut input), expect.map_err(str::to_owned), "{input:?}");
        };
        check(policy(1, 2.0, 100, 0, &["A", "TemporalTimeout:Heartbeat"]), Ok(()));
        check(policy(1, 1.0, 0, 2, &[]), Ok(()));
        check(policy(-1, 0.0, -1, 1, &[]), Ok(()));
        check(policy(-1, 2.0, 100, 0, &[]), Err("invalid InitialInterval set on retry policy: negative duration"));
        check(policy(1, 0.5, 100, 0, &[]), Err("BackoffCoefficient cannot be less than 1 on retry policy."));
        check(policy(1, f64::NAN, 100, 0, &[]), Err("BackoffCoefficient cannot be less than 1 on retry policy."));
        check(policy(1, 2.0, -1, 0, &[]), Err("invalid MaximumInterval set on retry policy: negative duration"));
        check(policy(5, 2.0, 4, 0, &[]), Err("MaximumInterval cannot be less than InitialInterval on retry policy."));
        check(policy(1, 2.0, 4, -1, &[]), Err("MaximumAttempts cannot be negative on retry policy."));
        check(policy(1, 2.0, 4, 0, &["TemporalTimeout:Never"]), Err("Invalid timeout type value: Never."));
        check(policy(1, 2.0, 4, 0, &["TemporalTimeout:Unspecified"]), Err("Invalid timeout type value: Unspecified."));
    }

    #[test]
    fn activities_back_off_until_something_stops_them() {
        let check = |policy: &RetryPolicy, attempt: i32, failure: &Failure, expect: Result<u64, RetryState>| {
            let decision = next_activity_retry(policy, attempt, Some(failure), Time::ZERO, Some(Time(60_000_000_000)));
            let expect = match expect {
                Ok(delay) => RetryDecision::Retry { delay: seconds(delay) },
                Err(state) => RetryDecision::Stop(state),
            };
            assert_eq!(decision, expect, "attempt {attempt}, {failure:?}");
        };
        let declined = application("Declined", false, None);
        let plain = policy(1, 2.0, 100, 0, &[]);
        check(&plain, 0, &declined, Ok(1));
        check(&plain, 1, &declined, Ok(1));
        check(&plain, 2, &declined, Ok(2));
        check(&plain, 6, &declined, Ok(32));
        // The seventh would start after the deadline of 60 s.
        check(&plain, 7, &declined, Err(RetryState::Timeout));
        check(&policy(1, 2.0, 5, 0, &[]), 4, &declined, Ok(5));
        check(&policy(1, 2.0, 60, 0, &[]), i32::MAX, &declined, Ok(60));
        check(&policy(1, 1.0, 60, 0, &[]), i32::MAX, &declined, Ok(1));

        let thrice = policy(1, 2.0, 100, 3, &["Fraud", "TemporalTimeout:Heartbeat"]);
        check(&thrice, 2, &declined, Ok(2));
        check(&thrice, 3, &declined, Err(RetryState::MaximumAttemptsReached));
        check(&thrice, 1, &application("Fraud", false, None), Err(RetryState::NonRetryableFailure));
        check(&thrice, 1, &application("fraud", false, None), Ok(1));
        check(&thrice, 1, &application("Declined", true, None), Err(RetryState::NonRetryableFailure));
        check(&thrice, 3, &application("Fraud", false, None), Err(RetryState::NonRetryableFailure));
        let wrapped = Failure {
            cause: Some(Box::new(application("Fraud", false, None))),
            ..application("Declined", false, None)
        };
        check(&thrice, 1, &wrapped, Ok(1));
        check(&thrice, 1, &timeout_failure("", TimeoutType::Heartbeat), Err(RetryState::NonRetryableFailure));
        check(&thrice, 1, &timeout_failure("", TimeoutType::StartToClose), Ok(1));
        check(&thrice, 1, &timeout_failure("", TimeoutType::ScheduleToStart), Err(RetryState::Timeout));
        check(&thrice, 1, &timeout_failure("", TimeoutType::ScheduleToClose), Err(RetryState::Timeout));
        check(&thrice, 1, &server_failure("", true), Err(RetryState::NonRetryableFailure));
        check(&thrice, 1, &server_failure("", false), Ok(1));
        let canceled = with_info(FailureInfo::CanceledFailureInfo(CanceledFailureInfo::default()));
        check(&thrice, 1, &canceled, Err(RetryState::NonRetryableFailure));
        let terminated = with_info(FailureInfo::TerminatedFailureInfo(TerminatedFailureInfo::default()));
        check(&thrice, 1, &terminated, Err(RetryState::NonRetryableFailure));

        // A requested delay overrides exponent and cap, not the deadline.
        let capped = policy(1, 2.0, 5, 0, &[]);
        check(&capped, 3, &application("Declined", false, Some(20)), Ok(20));
        check(&capped, 3, &application("Declined", false, Some(61)), Err(RetryState::Timeout));
        check(&capped, 3, &application("Declined", false, Some(0)), Err(RetryState::Timeout));
        check(&capped, 3, &application("Declined", false, Some(-5)), Ok(0));
        check(&thrice, 3, &application("Declined", false, Some(-5)), Err(RetryState::MaximumAttemptsReached));
    }

    #[test]
    fn a_retried_run_respects_its_cap() {
        let check = |failure: Option<Failure>, expiration: Option<i64>, expect: RetryDecision| {
            let expiration = expiration.map(|seconds| Time(seconds * 1_000_000_000));
            let policy = policy(1, 2.0, 5, 0, &[]);
            assert_eq!(next_workflow_retry(&policy, 2, failure.as_ref(), Time::ZERO, expiration), expect);
        };
        check(None, None, RetryDecision::Retry { delay: seconds(2) });
        check(None, Some(2), RetryDecision::Retry { delay: seconds(2) });
        check(None, Some(1), RetryDecision::Stop(RetryState::Timeout));
        check(Some(application("A", false, Some(3))), None, RetryDecision::Retry { delay: seconds(3) });
        check(Some(application("A", false, Some(20))), None, RetryDecision::Retry { delay: seconds(5) });
        check(Some(application("A", false, Some(0))), None, RetryDecision::Retry { delay: seconds(5) });
        check(Some(application("A", false, Some(-5))), None, RetryDecision::Retry { delay: seconds(5) });
        let late = timeout_failure("workflow timeout", TimeoutType::StartToClose);
        check(Some(late), None, RetryDecision::Retry { delay: seconds(2) });
    }
}
