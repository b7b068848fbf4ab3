//! Memo and search attributes of a run.
use crate::prelude::*;
use temporalio_protos::temporal::api::{
    command::v1::{
        Command, ModifyWorkflowPropertiesCommandAttributes, UpsertWorkflowSearchAttributesCommandAttributes,
        command::Attributes,
    },
    common::v1::{Memo, Payload, SearchAttributes},
};

fn fields<const N: usize>(fields: [(&str, &str); N]) -> std::collections::HashMap<String, Payload> {
    let payload = |text: &str| Payload { data: text.as_bytes().to_vec(), ..Default::default() };
    fields.into_iter().map(|(name, value)| (name.to_owned(), payload(value))).collect()
}

fn upsert<const N: usize>(indexed: [(&str, &str); N]) -> Command {
    let attributes = UpsertWorkflowSearchAttributesCommandAttributes {
        search_attributes: Some(SearchAttributes { indexed_fields: fields(indexed) }),
    };
    command(
        CommandType::UpsertWorkflowSearchAttributes,
        Attributes::UpsertWorkflowSearchAttributesCommandAttributes(attributes),
    )
}

fn modify<const N: usize>(memo: [(&str, &str); N]) -> Command {
    let attributes = ModifyWorkflowPropertiesCommandAttributes { upserted_memo: Some(Memo { fields: fields(memo) }) };
    command(CommandType::ModifyWorkflowProperties, Attributes::ModifyWorkflowPropertiesCommandAttributes(attributes))
}

#[test]
fn set_changed_and_removed() {
    let mut story = Story::new();
    story.start_with(|request| {
        request.memo = Some(Memo { fields: fields([("note", "gift"), ("colour", "red")]) });
        request.search_attributes = Some(SearchAttributes { indexed_fields: fields([("Customer", "7")]) });
    });
    story.poll_workflow_task();
    story.complete(vec![upsert([("State", "charged"), ("Customer", "null")]), modify([("colour", ""), ("size", "L")])]);
    story.describe();
    insta::assert_snapshot!(story.text());
}

#[test]
fn a_successor_begins_with_its_own() {
    let mut story = Story::new();
    story.start_with(|request| request.memo = Some(Memo { fields: fields([("note", "gift")]) }));
    story.pass_seconds(1);
    story.poll_workflow_task();
    story.complete(vec![
        modify([("note", "no gift")]),
        continue_as_new("2 books", |command| command.memo = Some(Memo { fields: fields([("part", "2")]) })),
    ]);
    story.describe();
    insta::assert_snapshot!(story.text());
}
