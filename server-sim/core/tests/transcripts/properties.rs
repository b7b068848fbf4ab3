//! Memo and search attributes of a run.
use crate::prelude::*;
use temporalio_protos::temporal::api::{
    command::v1::{
        Command, ModifyWorkflowPropertiesCommandAttributes, UpsertWorkflowSearchAttributesCommandAttributes,
        command::Attributes,
    },
    common::v1::{Memo, Payload, Payloads, SearchAttributes, payload::ExternalPayloadDetails},
    history::v1::history_event::Attributes as EventAttributes,
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

#[test]
fn a_memo_that_grows_too_large_ends_its_run() {
    let mut story = Story::new();
    story.shard.limits.blob_bytes_max = 50;
    story.start_with(|request| request.memo = Some(Memo { fields: fields([("note", "gift")]) }));
    story.poll_workflow_task();
    story.complete(vec![modify([("colour", "a red as dark as wine"), ("note", "")])]);
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    story.complete(vec![modify([("size", "as large as there are")])]);
    insta::assert_snapshot!(story.text());
}

#[test]
fn search_attributes_that_grow_too_large_end_their_run() {
    let long = "x".repeat(2048);
    let many = |from: usize| {
        let fields = (from..from + 10).map(|n| (format!("A{n:02}"), long.clone()));
        let fields: Vec<(String, String)> = fields.collect();
        let fields: [(&str, &str); 10] = std::array::from_fn(|n| (fields[n].0.as_str(), fields[n].1.as_str()));
        upsert(fields)
    };
    let mut story = polled();
    story.complete(vec![many(0)]);
    story.signal("amend", "signal-1");
    story.poll_workflow_task();
    let refused = story.step(
        "worker upserts more",
        Input::CompleteWorkflowTask(
            story.workflow_task.clone(),
            Box::new(api::RespondWorkflowTaskCompletedRequest { commands: vec![many(10)], ..Default::default() }),
        ),
    );
    let message = "BadSearchAttributes: total size of search attributes 41240 exceeds size limit 40960";
    let Reply::Refused(Rejection::InvalidArgument(said)) = refused.unwrap().reply else { panic!("they are too large") };
    assert_eq!(said, message);
    assert_eq!(story.shard.runs[0].state.status(), WorkflowExecutionStatus::Terminated);
}

#[test]
fn a_field_that_says_nothing_is_not_begun_with() {
    let payload = |data: &[u8]| Payload { data: data.to_vec(), ..Default::default() };
    let started = |fields: &[(&str, &[u8])]| {
        let fields: std::collections::HashMap<_, _> =
            fields.iter().map(|(name, data)| ((*name).to_owned(), payload(data))).collect();
        let mut story = Story::new();
        story.start_with(|request| {
            request.memo = Some(Memo { fields: fields.clone() });
            request.search_attributes = Some(SearchAttributes { indexed_fields: fields });
        });
        let Some(EventAttributes::WorkflowExecutionStartedEventAttributes(started)) =
            story.shard.runs[0].history[0].attributes.clone()
        else {
            panic!("a run begins with its start")
        };
        (started.memo.map(|memo| memo.fields.len()), started.search_attributes.map(|sent| sent.indexed_fields.len()))
    };
    assert_eq!(started(&[("a", b"1"), ("b", b"null"), ("c", b""), ("d", b"[]")]), (Some(1), Some(1)));
    assert_eq!(started(&[("a", b"null")]), (None, None));
    assert_eq!(started(&[]), (None, None));
}

#[test]
fn payloads_that_are_stored_elsewhere_are_counted() {
    let stored_elsewhere = |sizes: &[i64]| {
        let details = |size_bytes: &i64| ExternalPayloadDetails { size_bytes: *size_bytes };
        let external_payloads = sizes.iter().map(details).collect();
        Some(Payloads { payloads: vec![Payload { external_payloads, ..Default::default() }] })
    };
    let mut story = Story::new();
    story.start_with(|request| request.input = stored_elsewhere(&[10, 20]));
    let mut request = signal("amend", "signal-1");
    request.input = stored_elsewhere(&[5]);
    let _ = story.step("client signals amend", Input::Signal(Box::new(request)));
    let info = story.shard.runs[0].state.describe().workflow_execution_info.unwrap();
    assert_eq!((info.external_payload_count, info.external_payload_size_bytes), (3, 35));
}
