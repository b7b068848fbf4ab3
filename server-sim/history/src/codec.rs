//! The bytes of what this role stores. Each begins with a version byte, so that a later version can tell them apart.
use bytes::Bytes;
use tempest_core::{HistoryTask, MutableState};
use tempest_store::StoreError;

const STATE_VERSION: u8 = 1;
const TASK_VERSION: u8 = 1;

pub fn encode_state(state: &MutableState) -> Bytes {
    encode(STATE_VERSION, state)
}

/// # Errors
/// `Corrupt` if the bytes are no state that this version knows.
pub fn decode_state(bytes: &[u8]) -> Result<MutableState, StoreError> {
    decode(STATE_VERSION, bytes, "a run's state")
}

pub fn encode_task(task: &HistoryTask) -> Bytes {
    encode(TASK_VERSION, task)
}

/// # Errors
/// `Corrupt` if the bytes are no history task that this version knows.
pub fn decode_task(bytes: &[u8]) -> Result<HistoryTask, StoreError> {
    decode(TASK_VERSION, bytes, "a history task")
}

fn encode(version: u8, value: &impl serde::Serialize) -> Bytes {
    let mut bytes = vec![version];
    rmp_serde::encode::write_named(&mut bytes, value).expect("our records are maps of plain values: they encode");
    bytes.into()
}

fn decode<T: serde::de::DeserializeOwned>(version: u8, bytes: &[u8], what: &str) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((found, rest)) if *found == version => {
            rmp_serde::from_slice(rest).map_err(|error| StoreError::Corrupt(format!("{what} does not decode: {error}")))
        }
        Some((found, _)) => Err(StoreError::Corrupt(format!("{what} is of version {found}, expected {version}"))),
        None => Err(StoreError::Corrupt(format!("{what} is empty"))),
    }
}
