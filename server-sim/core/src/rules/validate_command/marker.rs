//! RecordMarker.
use super::{BadCommand, not_set};
use crate::Limits;
use temporalio_protos::temporal::api::{
    command::v1::RecordMarkerCommandAttributes, enums::v1::WorkflowTaskFailedCause,
};

pub(super) fn record(attributes: Option<&RecordMarkerCommandAttributes>, limits: &Limits) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(WorkflowTaskFailedCause::BadRecordMarkerAttributes, message);
    let Some(attributes) = attributes else { return Err(bad(not_set("RecordMarkerCommand"))) };
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
    use super::{super::testing, *};
    use temporalio_protos::temporal::api::{command::v1::command::Attributes, enums::v1::CommandType};

    fn check(input: &str, expect: Result<(), &str>) {
        let attributes = RecordMarkerCommandAttributes { marker_name: input.into(), ..Default::default() };
        let attributes = Attributes::RecordMarkerCommandAttributes(attributes);
        testing::check(CommandType::RecordMarker, Some(attributes), expect);
    }

    #[test]
    fn a_marker_has_a_name() {
        check("version", Ok(()));
        check("", Err("BadRecordMarkerAttributes: MarkerName is not set on RecordMarkerCommand."));
        let long = "m".repeat(1001);
        let expect = format!(
            "BadRecordMarkerAttributes: \
             MarkerName on RecordMarkerCommand exceeds length limit. MarkerName={long} Length=1001 Limit=1000"
        );
        check(&long, Err(&expect));
    }
}
