//! Durations as the wire has them: absent, negative, absurdly long.
use prost_wkt_types::Duration as Wire;
use std::time::Duration;

/// 100 years of 365 days. Longer durations are cut to this, so that adding one to a time cannot overflow.
const SECONDS_MAX: i64 = 100 * 365 * 24 * 3600;

/// What protobuf allows: within 10,000 years of 365.25 days, nanoseconds below a second, both of one sign.
///
/// # Errors
/// What is wrong with it.
pub fn check(duration: &Wire) -> Result<(), &'static str> {
    const SECONDS_MAX: i64 = 315_576_000_000;
    if !(-SECONDS_MAX..=SECONDS_MAX).contains(&duration.seconds) {
        return Err("duration exceeds 10000 years");
    }
    if !(-999_999_999..=999_999_999).contains(&duration.nanos) {
        return Err("duration has out-of-range nanos");
    }
    if (duration.seconds > 0 && duration.nanos < 0) || (duration.seconds < 0 && duration.nanos > 0) {
        return Err("duration has seconds and nanos with different signs");
    }
    Ok(())
}

/// Checks a duration and cuts it to 100 years.
///
/// # Errors
/// Temporal's words for what is wrong with it.
pub fn validate_and_cap(duration: Option<&mut Wire>) -> Result<(), &'static str> {
    let Some(duration) = duration else { return Ok(()) };
    if (duration.seconds > 0 && duration.nanos < 0) || (duration.seconds < 0 && duration.nanos > 0) {
        return Err("duration has seconds and nanos with different signs");
    }
    if duration.seconds < 0 || duration.nanos < 0 {
        return Err("negative duration");
    }
    if duration.seconds >= SECONDS_MAX {
        *duration = Wire { seconds: SECONDS_MAX, nanos: 0 };
    }
    Ok(())
}

/// The value of a duration on the wire; absent and negative ones are zero.
pub fn value(duration: Option<&Wire>) -> Duration {
    let Some(duration) = duration else { return Duration::ZERO };
    Duration::from_nanos(u64::try_from(signed_nanos(duration).max(0)).expect("100 years of nanoseconds fit u64"))
}

/// Negative durations stay what they are; in both directions they are cut to 100 years.
pub(crate) fn signed_nanos(duration: &Wire) -> i128 {
    let nanos = i128::from(duration.seconds) * 1_000_000_000 + i128::from(duration.nanos);
    let longest = i128::from(SECONDS_MAX) * 1_000_000_000;
    nanos.clamp(-longest, longest)
}

pub fn to_wire(duration: Duration) -> Wire {
    Wire {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(SECONDS_MAX).min(SECONDS_MAX),
        nanos: i32::try_from(duration.subsec_nanos()).expect("nanoseconds below a second fit i32"),
    }
}

/// Puts another value in place of what is there. The same value stays as it was written: absent, or an explicit zero.
pub fn replace(duration: &mut Option<Wire>, by: Duration) {
    if value(duration.as_ref()) != by {
        *duration = Some(to_wire(by));
    }
}

/// A duration that limits something; zero on the wire means that nothing is limited.
pub fn limit(duration: Option<&Wire>) -> Option<Duration> {
    Some(value(duration)).filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: (i64, i32), expect: Result<(i64, i32), &str>) {
        let mut duration = Wire { seconds: input.0, nanos: input.1 };
        let result = validate_and_cap(Some(&mut duration)).map(|()| (duration.seconds, duration.nanos));
        assert_eq!(result, expect, "{input:?}");
    }

    #[test]
    fn negative_and_mixed_signs_are_refused_and_long_ones_cut() {
        check((0, 0), Ok((0, 0)));
        check((5, 7), Ok((5, 7)));
        check((-1, 0), Err("negative duration"));
        check((0, -1), Err("negative duration"));
        check((1, -1), Err("duration has seconds and nanos with different signs"));
        check((-1, 1), Err("duration has seconds and nanos with different signs"));
        check((SECONDS_MAX, 0), Ok((SECONDS_MAX, 0)));
        check((i64::MAX, 999_999_999), Ok((SECONDS_MAX, 0)));
        assert_eq!(validate_and_cap(None), Ok(()));
    }

    #[test]
    fn durations_are_those_of_protobuf() {
        let check =
            |seconds, nanos, expect: Result<(), &str>| assert_eq!(super::check(&Wire { seconds, nanos }), expect);
        check(315_576_000_000, 999_999_999, Ok(()));
        check(-5, -5, Ok(()));
        check(315_576_000_001, 0, Err("duration exceeds 10000 years"));
        check(i64::MIN, 0, Err("duration exceeds 10000 years"));
        check(0, 1_000_000_000, Err("duration has out-of-range nanos"));
        check(1, -1, Err("duration has seconds and nanos with different signs"));
    }

    #[test]
    fn what_is_absent_stays_so_unless_it_changes() {
        let zero = Some(Wire::default());
        for (before, by, after) in [
            (None, 0, None),
            (zero, 0, zero),
            (None, 5, Some(Wire { seconds: 5, nanos: 0 })),
            (Some(Wire { seconds: 5, nanos: 0 }), 0, zero),
        ] {
            let mut duration = before;
            replace(&mut duration, Duration::from_secs(by));
            assert_eq!(duration, after);
        }
    }

    #[test]
    fn values_survive_the_wire() {
        for duration in [Duration::ZERO, Duration::from_millis(1), Duration::new(7, 999_999_999)] {
            assert_eq!(value(Some(&to_wire(duration))), duration);
        }
        assert_eq!(value(None), Duration::ZERO);
        assert_eq!(value(Some(&Wire { seconds: -3, nanos: 0 })), Duration::ZERO);
    }
}
