//! StartTimer.
use crate::{
    Limits, TimerKind,
    rules::durations,
    run::{
        commands::{BadCommand, Commands, Handled, does_not_fit},
        decision::Extras,
    },
};
use temporalio_protos::temporal::api::{
    command::v1::StartTimerCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::TimerStartedEventAttributes,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    mut command: StartTimerCommandAttributes,
    extras: Extras,
) -> Handled {
    validate(&mut command, &commands.decision.context.limits)?;
    if commands.decision.state.find_timer(&command.timer_id).is_some() {
        let details = format!("TimerID: {}", command.timer_id);
        return Err(does_not_fit(Cause::StartTimerDuplicateId, "add-timer-started-event", &details));
    }
    let started_event_id = commands.decision.next_event_id();
    let expiry = commands.decision.now().plus(durations::value(command.start_to_fire_timeout.as_ref()));
    let attributes = TimerStartedEventAttributes {
        timer_id: command.timer_id,
        start_to_fire_timeout: command.start_to_fire_timeout,
        workflow_task_completed_event_id: commands.completed_event_id,
    };
    commands.decision.event_with(attributes, extras);
    commands.decision.timer(expiry, TimerKind::UserTimer { started_event_id });
    Ok(())
}

fn validate(attributes: &mut StartTimerCommandAttributes, limits: &Limits) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(Cause::BadStartTimerAttributes, message);
    validate_id(&attributes.timer_id, "StartTimerCommand", limits).map_err(bad)?;
    durations::validate_and_cap(attributes.start_to_fire_timeout.as_mut()).map_err(|error| {
        let id = &attributes.timer_id;
        bad(format!("An invalid StartToFireTimeout is set on StartTimerCommand: {error}. TimerId={id}"))
    })
}

pub(super) fn validate_id(id: &str, command: &str, limits: &Limits) -> Result<(), String> {
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
    use super::*;
    use crate::run::commands::testing;

    #[test]
    fn a_timer_has_an_id_and_a_duration() {
        let check = |timer_id: &str, seconds: Option<i64>, expect| {
            let mut attributes = StartTimerCommandAttributes {
                timer_id: timer_id.into(),
                start_to_fire_timeout: seconds.map(|seconds| prost_wkt_types::Duration { seconds, nanos: 0 }),
            };
            testing::check(Cause::BadStartTimerAttributes, validate(&mut attributes, &Limits::default()), expect);
        };
        check("t", Some(1), Ok(()));
        check("t", None, Ok(()));
        check("", Some(1), Err("TimerId is not set on StartTimerCommand."));
        check(
            "t",
            Some(-1),
            Err("An invalid StartToFireTimeout is set on StartTimerCommand: negative duration. TimerId=t"),
        );
        let long = "t".repeat(1001);
        let expect =
            format!("TimerId on StartTimerCommand exceeds length limit. TimerId={long} Length=1001 Limit=1000");
        check(&long, Some(1), Err(&expect));
    }

    #[test]
    fn a_cancelled_timer_has_an_id() {
        let check = |id, expect| assert_eq!(validate_id(id, "CancelTimerCommand", &Limits::default()), expect);
        check("t", Ok(()));
        check("", Err("TimerId is not set on CancelTimerCommand.".to_owned()));
    }
}
