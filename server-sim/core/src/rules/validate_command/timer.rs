//! StartTimer and CancelTimer.
use super::{BadCommand, not_set};
use crate::{Limits, rules::durations};
use temporalio_protos::temporal::api::{
    command::v1::{CancelTimerCommandAttributes, StartTimerCommandAttributes},
    enums::v1::WorkflowTaskFailedCause,
};

pub(super) fn start(attributes: Option<&mut StartTimerCommandAttributes>, limits: &Limits) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(WorkflowTaskFailedCause::BadStartTimerAttributes, message);
    let Some(attributes) = attributes else { return Err(bad(not_set("StartTimerCommand"))) };
    validate_id(&attributes.timer_id, "StartTimerCommand", limits).map_err(bad)?;
    durations::validate_and_cap(attributes.start_to_fire_timeout.as_mut()).map_err(|error| {
        let id = &attributes.timer_id;
        bad(format!("An invalid StartToFireTimeout is set on StartTimerCommand: {error}. TimerId={id}"))
    })
}

pub(super) fn cancel(attributes: Option<&CancelTimerCommandAttributes>, limits: &Limits) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(WorkflowTaskFailedCause::BadCancelTimerAttributes, message);
    let Some(attributes) = attributes else { return Err(bad(not_set("CancelTimerCommand"))) };
    validate_id(&attributes.timer_id, "CancelTimerCommand", limits).map_err(bad)
}

fn validate_id(id: &str, command: &str, limits: &Limits) -> Result<(), String> {
    if id.is_empty() {
        return Err(format!("TimerId is not set on {command}."));
    }
    if id.len() > limits.id_bytes_max {
        return Err(format!(
            "TimerId on {command} exceeds length limit. TimerId={id} Length={} Limit={}",
            id.len(),
            limits.id_bytes_max
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};
    use temporalio_protos::temporal::api::{command::v1::command::Attributes, enums::v1::CommandType};

    #[test]
    fn a_timer_has_an_id_and_a_duration() {
        let check = |timer_id: &str, seconds: Option<i64>, expect| {
            let attributes = Attributes::StartTimerCommandAttributes(StartTimerCommandAttributes {
                timer_id: timer_id.into(),
                start_to_fire_timeout: seconds.map(|seconds| prost_wkt_types::Duration { seconds, nanos: 0 }),
            });
            testing::check(CommandType::StartTimer, Some(attributes), expect);
        };
        check("t", Some(1), Ok(()));
        check("t", None, Ok(()));
        check("", Some(1), Err("BadStartTimerAttributes: TimerId is not set on StartTimerCommand."));
        check(
            "t",
            Some(-1),
            Err("BadStartTimerAttributes: \
                 An invalid StartToFireTimeout is set on StartTimerCommand: negative duration. TimerId=t"),
        );
        let long = "t".repeat(1001);
        let expect = format!(
            "BadStartTimerAttributes: \
             TimerId on StartTimerCommand exceeds length limit. TimerId={long} Length=1001 Limit=1000"
        );
        check(&long, Some(1), Err(&expect));
    }

    #[test]
    fn a_cancelled_timer_has_an_id() {
        let check = |timer_id: &str, expect| {
            let attributes =
                Attributes::CancelTimerCommandAttributes(CancelTimerCommandAttributes { timer_id: timer_id.into() });
            testing::check(CommandType::CancelTimer, Some(attributes), expect);
        };
        check("t", Ok(()));
        check("", Err("BadCancelTimerAttributes: TimerId is not set on CancelTimerCommand."));
    }
}
