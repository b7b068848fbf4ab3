//! Payloads of the server's own making.
use temporalio_protos::temporal::api::common::v1::{Payload, Payloads};

/// A string as the default data converters write it. `text` needs no escaping: it is ours.
pub(crate) fn text(text: &str) -> Payloads {
    let payload = Payload {
        metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
        data: format!("\"{text}\"").into_bytes(),
        ..Payload::default()
    };
    Payloads { payloads: vec![payload] }
}
