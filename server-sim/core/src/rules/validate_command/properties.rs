//! UpsertWorkflowSearchAttributes and ModifyWorkflowProperties.
//!
//! Whether a search attribute is registered in the namespace is not known here.
use super::{BadCommand, not_set};
use temporalio_protos::temporal::api::{
    command::v1::{ModifyWorkflowPropertiesCommandAttributes, UpsertWorkflowSearchAttributesCommandAttributes},
    enums::v1::WorkflowTaskFailedCause,
};

pub(super) fn upsert_search_attributes(
    attributes: Option<&UpsertWorkflowSearchAttributesCommandAttributes>,
) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(WorkflowTaskFailedCause::BadSearchAttributes, message);
    let Some(attributes) = attributes else { return Err(bad(not_set("UpsertWorkflowSearchAttributesCommand"))) };
    match &attributes.search_attributes {
        None => Err(bad("SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand.".into())),
        Some(given) if given.indexed_fields.is_empty() => {
            Err(bad("IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.".into()))
        }
        Some(_) => Ok(()),
    }
}

pub(super) fn modify(attributes: Option<&ModifyWorkflowPropertiesCommandAttributes>) -> Result<(), BadCommand> {
    let bad = |message| BadCommand::new(WorkflowTaskFailedCause::BadModifyWorkflowPropertiesAttributes, message);
    let Some(attributes) = attributes else { return Err(bad(not_set("ModifyWorkflowPropertiesCommand"))) };
    match &attributes.upserted_memo {
        None => Err(bad("UpsertedMemo is not set on ModifyWorkflowPropertiesCommand.".into())),
        Some(memo) if memo.fields.is_empty() => {
            Err(bad("UpsertedMemo.Fields is not set on ModifyWorkflowPropertiesCommand.".into()))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};
    use temporalio_protos::temporal::api::{
        command::v1::command::Attributes,
        common::v1::{Memo, Payload, SearchAttributes},
        enums::v1::CommandType,
    };

    #[test]
    fn an_upsert_names_attributes() {
        let check = |search_attributes, expect| {
            let attributes = UpsertWorkflowSearchAttributesCommandAttributes { search_attributes };
            let attributes = Attributes::UpsertWorkflowSearchAttributesCommandAttributes(attributes);
            testing::check(CommandType::UpsertWorkflowSearchAttributes, Some(attributes), expect);
        };
        let filled = SearchAttributes { indexed_fields: [("State".to_owned(), Payload::default())].into() };
        check(Some(filled), Ok(()));
        check(None, Err("BadSearchAttributes: SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand."));
        check(
            Some(SearchAttributes::default()),
            Err("BadSearchAttributes: IndexedFields is not set on UpsertWorkflowSearchAttributesCommand."),
        );
    }

    #[test]
    fn a_modification_has_a_memo() {
        let check = |upserted_memo, expect| {
            let attributes = ModifyWorkflowPropertiesCommandAttributes { upserted_memo };
            let attributes = Attributes::ModifyWorkflowPropertiesCommandAttributes(attributes);
            testing::check(CommandType::ModifyWorkflowProperties, Some(attributes), expect);
        };
        check(Some(Memo { fields: [("note".to_owned(), Payload::default())].into() }), Ok(()));
        check(
            None,
            Err("BadModifyWorkflowPropertiesAttributes: UpsertedMemo is not set on ModifyWorkflowPropertiesCommand."),
        );
        check(
            Some(Memo::default()),
            Err("BadModifyWorkflowPropertiesAttributes: \
                 UpsertedMemo.Fields is not set on ModifyWorkflowPropertiesCommand."),
        );
    }
}
