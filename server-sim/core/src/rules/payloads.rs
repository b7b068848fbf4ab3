//! Payloads of the server's own making.
use std::collections::HashMap;
use temporalio_protos::temporal::api::common::v1::{Payload, Payloads};

/// Nil, its JSON, or an empty list: as a field it removes what is there, as in Temporal.
pub(crate) fn says_nothing(payload: &Payload) -> bool {
    matches!(payload.data.as_slice(), b"" | b"null" | b"[]")
}

/// Without the fields that say nothing; nothing if there are no others.
pub(crate) fn fields_that_say_something(mut fields: HashMap<String, Payload>) -> Option<HashMap<String, Payload>> {
    fields.retain(|_, value| !says_nothing(value));
    Some(fields).filter(|kept| !kept.is_empty())
}

/// A string as the default data converters write it. `text` needs no escaping: it is ours.
pub(crate) fn text(text: &str) -> Payloads {
    let payload = Payload {
        metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
        data: format!("\"{text}\"").into_bytes(),
        ..Payload::default()
    };
    Payloads { payloads: vec![payload] }
}
