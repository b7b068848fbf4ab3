//! The four timeouts of an activity: what is not given follows from what is, and none outlives the run.
use crate::rules::durations;
use std::time::Duration;
use temporalio_protos::temporal::api::command::v1::ScheduleActivityTaskCommandAttributes;

/// Fills and clamps the timeouts; afterwards none is absent (the TypeScript SDK needs them all in history), and zero
/// means "none". `run_timeout` zero means that the run has none.
///
/// # Errors
/// Temporal's words for what is wrong with them.
pub(crate) fn normalize(
    attributes: &mut ScheduleActivityTaskCommandAttributes,
    run_timeout: Duration,
) -> Result<(), String> {
    for (timeout, name) in [
        (&mut attributes.schedule_to_close_timeout, "ScheduleToCloseTimeout"),
        (&mut attributes.schedule_to_start_timeout, "ScheduleToStartTimeout"),
        (&mut attributes.start_to_close_timeout, "StartToCloseTimeout"),
        (&mut attributes.heartbeat_timeout, "HeartbeatTimeout"),
    ] {
        durations::validate_and_cap(timeout.as_mut()).map_err(|error| format!("invalid {name}: {error}"))?;
    }
    let mut schedule_to_close = durations::value(attributes.schedule_to_close_timeout.as_ref());
    let mut schedule_to_start = durations::value(attributes.schedule_to_start_timeout.as_ref());
    let mut start_to_close = durations::value(attributes.start_to_close_timeout.as_ref());
    let mut heartbeat = durations::value(attributes.heartbeat_timeout.as_ref());

    if !schedule_to_close.is_zero() {
        schedule_to_start = shorter(schedule_to_start, schedule_to_close);
        start_to_close = shorter(start_to_close, schedule_to_close);
    } else if !start_to_close.is_zero() {
        schedule_to_close = run_timeout;
        if schedule_to_start.is_zero() {
            schedule_to_start = run_timeout;
        }
    } else {
        return Err(format!(
            "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. \
             ActivityId={} ActivityType={}",
            attributes.activity_id,
            attributes.activity_type.as_ref().map_or("", |activity_type| activity_type.name.as_str()),
        ));
    }
    if !run_timeout.is_zero() {
        for timeout in [&mut schedule_to_close, &mut schedule_to_start, &mut start_to_close, &mut heartbeat] {
            *timeout = (*timeout).min(run_timeout);
        }
    }
    heartbeat = heartbeat.min(start_to_close);

    attributes.schedule_to_close_timeout = Some(durations::to_wire(schedule_to_close));
    attributes.schedule_to_start_timeout = Some(durations::to_wire(schedule_to_start));
    attributes.start_to_close_timeout = Some(durations::to_wire(start_to_close));
    attributes.heartbeat_timeout = Some(durations::to_wire(heartbeat));
    Ok(())
}

/// `timeout` or, if there is none, `bound`; never longer than `bound`.
fn shorter(timeout: Duration, bound: Duration) -> Duration {
    if timeout.is_zero() { bound } else { timeout.min(bound) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Schedule-to-close, schedule-to-start, start-to-close, heartbeat, in seconds; -1 is not given.
    type Timeouts = [i64; 4];

    fn check(input: Timeouts, run_timeout: u64, expect: Result<Timeouts, &str>) {
        let wire = |seconds| (seconds != -1).then_some(prost_wkt_types::Duration { seconds, nanos: 0 });
        let mut attributes = ScheduleActivityTaskCommandAttributes {
            activity_id: "charge-1".into(),
            activity_type: Some("Charge".into()),
            schedule_to_close_timeout: wire(input[0]),
            schedule_to_start_timeout: wire(input[1]),
            start_to_close_timeout: wire(input[2]),
            heartbeat_timeout: wire(input[3]),
            ..Default::default()
        };
        let result = normalize(&mut attributes, Duration::from_secs(run_timeout)).map(|()| {
            [
                attributes.schedule_to_close_timeout.unwrap().seconds,
                attributes.schedule_to_start_timeout.unwrap().seconds,
                attributes.start_to_close_timeout.unwrap().seconds,
                attributes.heartbeat_timeout.unwrap().seconds,
            ]
        });
        assert_eq!(result, expect.map_err(str::to_owned), "{input:?} within {run_timeout}");
    }

    #[test]
    fn schedule_to_close_bounds_the_others() {
        check([10, -1, -1, -1], 0, Ok([10, 10, 10, 0]));
        check([10, 3, 4, 2], 0, Ok([10, 3, 4, 2]));
        check([10, 30, 40, 20], 0, Ok([10, 10, 10, 10]));
        check([10, 0, 0, 0], 0, Ok([10, 10, 10, 0]));
    }

    #[test]
    fn without_it_the_run_timeout_does() {
        check([-1, -1, 5, -1], 0, Ok([0, 0, 5, 0]));
        check([-1, 7, 5, 9], 0, Ok([0, 7, 5, 5]));
        check([-1, -1, 5, -1], 60, Ok([60, 60, 5, 0]));
        check([-1, 90, 80, 70], 60, Ok([60, 60, 60, 60]));
        check([100, -1, -1, 50], 60, Ok([60, 60, 60, 50]));
    }

    #[test]
    fn nonsense_is_refused() {
        let missing = "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. \
                       ActivityId=charge-1 ActivityType=Charge";
        check([-1, -1, -1, -1], 60, Err(missing));
        check([0, 5, 0, 5], 0, Err(missing));
        check([-2, -1, 5, -1], 0, Err("invalid ScheduleToCloseTimeout: negative duration"));
        check([-1, -2, 5, -1], 0, Err("invalid ScheduleToStartTimeout: negative duration"));
        check([-1, -1, -2, -1], 0, Err("invalid StartToCloseTimeout: negative duration"));
        check([-1, -1, 5, -2], 0, Err("invalid HeartbeatTimeout: negative duration"));
    }
}
