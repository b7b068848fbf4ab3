//! What travels between nodes: an envelope around one question, and its answer.
//!
//! | bytes | are |
//! |---|---|
//! | the first | the version of the protocol |
//! | the rest | `{to, ask}` as MessagePack, variants and fields by name; Temporal's messages within as protobuf |
//!
//! Nodes of two builds work together while a cluster is upgraded. Within one version variants and optional fields are
//! added, and nothing else changes. So an older node understands a newer one, unless it is sent a variant that it does not
//! know: it refuses that, as it refuses an envelope of another version, with [`ServiceError::OtherVersion`] before it has
//! done anything. The caller may ask again: the next node that it finds, or the same one after its upgrade, may know more.
use crate::{ServiceError, ServiceResult};
use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Raised when something is removed or changes its meaning.
pub const PROTOCOL_VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Envelope<T, A> {
    to: T,
    ask: A,
}

pub(crate) fn seal(to: &impl Serialize, ask: &impl Serialize) -> Bytes {
    let mut bytes = vec![PROTOCOL_VERSION];
    rmp_serde::encode::write_named(&mut bytes, &Envelope { to, ask }).expect("calls are plain data: they encode");
    bytes.into()
}

/// # Errors
/// `OtherVersion`.
pub(crate) fn open<T: DeserializeOwned, A: DeserializeOwned>(envelope: &[u8]) -> ServiceResult<(T, A)> {
    match envelope.split_first() {
        Some((&PROTOCOL_VERSION, body)) => {
            let opened = rmp_serde::from_slice(body).map_err(|error| other_version(error.to_string()))?;
            let Envelope { to, ask } = opened;
            Ok((to, ask))
        }
        Some((version, _)) => Err(other_version(format!("it was asked in version {version}"))),
        None => Err(other_version("it was asked nothing".to_owned())),
    }
}

pub(crate) fn other_version(why: String) -> ServiceError {
    ServiceError::OtherVersion { speaks: PROTOCOL_VERSION, why }
}

pub(crate) fn encode_answer(answer: &impl Serialize) -> Bytes {
    rmp_serde::to_vec_named(answer).expect("answers are plain data: they encode").into()
}

/// # Errors
/// `OutcomeUnknown`: what was asked has been done, but what came of it cannot be read.
pub(crate) fn decode_answer<T: DeserializeOwned>(bytes: &[u8]) -> ServiceResult<T> {
    let unreadable =
        |error| ServiceError::OutcomeUnknown(format!("the other node answers in another version: {error}"));
    rmp_serde::from_slice(bytes).map_err(unreadable)
}
