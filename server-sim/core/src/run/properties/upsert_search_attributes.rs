//! UpsertWorkflowSearchAttributes. Whether a search attribute is registered in the namespace is not known here.
use super::{fields_size, merged};
use crate::{
    rules::search_attributes,
    run::{
        commands::{BadCommand, Commands, Handled, check_search_attributes_size},
        decision::Extras,
    },
};
use temporalio_protos::temporal::api::{
    command::v1::UpsertWorkflowSearchAttributesCommandAttributes, common::v1::SearchAttributes,
    enums::v1::WorkflowTaskFailedCause as Cause, history::v1::UpsertWorkflowSearchAttributesEventAttributes,
};

pub(crate) fn handle(
    commands: &mut Commands<'_, '_>,
    command: UpsertWorkflowSearchAttributesCommandAttributes,
    extras: Extras,
) -> Handled {
    validate(&command)?;
    let upserted = command.search_attributes.as_ref().map(|fields| &fields.indexed_fields);
    commands.check_size(
        fields_size(upserted),
        Cause::BadSearchAttributes,
        "UpsertWorkflowSearchAttributesCommandAttributes exceeds size limit.",
    )?;
    let fields = merged(&commands.decision.state.durable.search_attributes, upserted);
    check_search_attributes_size(Some(&SearchAttributes { indexed_fields: fields }), Cause::BadSearchAttributes)?;
    let attributes = UpsertWorkflowSearchAttributesEventAttributes {
        workflow_task_completed_event_id: commands.completed_event_id,
        search_attributes: command.search_attributes,
    };
    commands.decision.event_with(attributes, extras);
    Ok(())
}

fn validate(attributes: &UpsertWorkflowSearchAttributesCommandAttributes) -> Result<(), BadCommand> {
    let bad = |message: String| BadCommand::new(Cause::BadSearchAttributes, message);
    match &attributes.search_attributes {
        None => Err(bad("SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand.".into())),
        Some(given) if given.indexed_fields.is_empty() => {
            Err(bad("IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.".into()))
        }
        Some(given) => search_attributes::validate(Some(given)).map_err(bad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::commands::testing;
    use temporalio_protos::temporal::api::common::v1::Payload;

    #[test]
    fn an_upsert_names_attributes() {
        let check = |search_attributes, expect| {
            testing::check(
                Cause::BadSearchAttributes,
                validate(&UpsertWorkflowSearchAttributesCommandAttributes { search_attributes }),
                expect,
            );
        };
        check(Some(SearchAttributes { indexed_fields: [("State".to_owned(), Payload::default())].into() }), Ok(()));
        let reserved = SearchAttributes { indexed_fields: [("RunId".to_owned(), Payload::default())].into() };
        check(Some(reserved), Err("RunId attribute can't be set in SearchAttributes"));
        check(None, Err("SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand."));
        check(
            Some(SearchAttributes::default()),
            Err("IndexedFields is not set on UpsertWorkflowSearchAttributesCommand."),
        );
    }
}
