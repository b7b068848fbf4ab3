//! Task tokens: opaque to workers, ours to read back. A token names what must still be pending for it to count.
use serde::{Serialize, de::DeserializeOwned};
use tempest_core::{ActivityTaskToken, WorkflowTaskToken};

/// First byte of every token, so that a token of another kind or version is refused rather than misread.
const WORKFLOW: u8 = 1;
const ACTIVITY: u8 = 2;

#[derive(Debug, thiserror::Error)]
#[error("Error deserializing task token.")]
pub struct TokenError;

/// A kind of token.
pub trait TaskToken: Serialize + DeserializeOwned {
    const KIND: u8;
}

impl TaskToken for WorkflowTaskToken {
    const KIND: u8 = WORKFLOW;
}

impl TaskToken for ActivityTaskToken {
    const KIND: u8 = ACTIVITY;
}

pub fn encode_token<T: TaskToken>(token: &T) -> Vec<u8> {
    let mut bytes = vec![T::KIND];
    bytes.extend(rmp_serde::to_vec_named(token).expect("a token of strings and numbers always encodes"));
    bytes
}

fn decode<T: TaskToken>(bytes: &[u8]) -> Result<T, TokenError> {
    match bytes.split_first() {
        Some((kind, rest)) if *kind == T::KIND => rmp_serde::from_slice(rest).map_err(|_| TokenError),
        _ => Err(TokenError),
    }
}

/// # Errors
/// The bytes are not a workflow task token of ours.
pub fn decode_workflow_token(bytes: &[u8]) -> Result<WorkflowTaskToken, TokenError> {
    decode(bytes)
}

/// # Errors
/// The bytes are not an activity task token of ours.
pub fn decode_activity_token(bytes: &[u8]) -> Result<ActivityTaskToken, TokenError> {
    decode(bytes)
}
