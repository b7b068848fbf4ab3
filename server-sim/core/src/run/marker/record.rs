//! RecordMarker.
use crate::{
    Limits,
    run::{
        commands::{BadCommand, Commands, Handled},
        decision::Extras,
    },
};
use prost::Message;
use temporalio_protos::temporal::api::{
    command::v1::RecordMarkerCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::MarkerRecordedEventAttributes,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    command: RecordMarkerCommandAttributes,
    extras: Extras,
) -> Handled {
    validate(&command, &commands.decision.context.limits)?;
    let size = command.details.iter().map(|(name, value)| name.len() + value.encoded_len()).sum();
    commands.check_size(
        size,
        Cause::BadRecordMarkerAttributes,
        "RecordMarkerCommandAttributes.Details exceeds size limit.",
    )?;
    let attributes = MarkerRecordedEventAttributes {
        marker_name: command.marker_name,
        details: command.details,
        workflow_task_completed_event_id: commands.completed_event_id,
        header: command.header,
        failure: command.failure,
    };
    commands.decision.event_with(attributes, extras);
    Ok(())
}

fn validate(attributes: &RecordMarkerCommandAttributes, limits: &Limits) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(Cause::BadRecordMarkerAttributes, message);
    let name = &attributes.marker_name;
    if name.is_empty() {
        return Err(bad("MarkerName is not set on RecordMarkerCommand.".into()));
    }
    if name.len() > limits.id_bytes_max {
        return Err(bad(format!(
            "MarkerName on RecordMarkerCommand exceeds length limit. MarkerName={name} Length={} Limit={}",
            name.len(),
            limits.id_bytes_max
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::commands::testing;

    fn check(input: &str, expect: Result<(), &str>) {
        let attributes = RecordMarkerCommandAttributes { marker_name: input.into(), ..Default::default() };
        testing::check(Cause::BadRecordMarkerAttributes, validate(&attributes, &Limits::default()), expect);
    }

    #[test]
    fn a_marker_has_a_name() {
        check("version", Ok(()));
        check("", Err("MarkerName is not set on RecordMarkerCommand."));
        let long = "m".repeat(1001);
        let expect =
            format!("MarkerName on RecordMarkerCommand exceeds length limit. MarkerName={long} Length=1001 Limit=1000");
        check(&long, Err(&expect));
    }
}
