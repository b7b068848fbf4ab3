//! Values: one byte of format version, then the content.
//!
//! Small records are MessagePack maps, so that a field can be added with a default; run states, events and tasks are
//! taken as they are, since they are most of what is written.
use crate::{RunRecord, StoreError};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// The only format so far.
const FORMAT: u8 = 1;

pub fn encode_record(record: &impl Serialize) -> Vec<u8> {
    let mut value = vec![FORMAT];
    rmp_serde::encode::write_named(&mut value, record).expect("our records hold nothing that MessagePack cannot");
    value
}

pub fn decode_record<T: DeserializeOwned>(value: &[u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(content(value)?).map_err(|error| StoreError::Corrupt(format!("a record: {error}")))
}

pub fn encode_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(1 + bytes.len());
    value.push(FORMAT);
    value.extend_from_slice(bytes);
    value
}

pub fn decode_bytes(value: &[u8]) -> Result<Bytes, StoreError> {
    Ok(Bytes::copy_from_slice(content(value)?))
}

pub fn encode_run(version: u64, state: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(9 + state.len());
    value.push(FORMAT);
    value.extend_from_slice(&version.to_be_bytes());
    value.extend_from_slice(state);
    value
}

pub fn decode_run(value: &[u8]) -> Result<RunRecord, StoreError> {
    let (version, state) = split_run(value)?;
    Ok(RunRecord { version, state: Bytes::copy_from_slice(state) })
}

/// A run's version without copying its state.
pub fn decode_run_version(value: &[u8]) -> Result<u64, StoreError> {
    Ok(split_run(value)?.0)
}

fn split_run(value: &[u8]) -> Result<(u64, &[u8]), StoreError> {
    let (version, state) =
        content(value)?.split_first_chunk().ok_or_else(|| StoreError::Corrupt("a run without a version".into()))?;
    Ok((u64::from_be_bytes(*version), state))
}

fn content(value: &[u8]) -> Result<&[u8], StoreError> {
    match value {
        [FORMAT, content @ ..] => Ok(content),
        [other, ..] => Err(StoreError::Corrupt(format!("a value of unknown format {other}"))),
        [] => Err(StoreError::Corrupt("an empty value".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RangeId, ShardRecord};
    use tempest_core::Time;

    #[test]
    fn records_and_runs_come_back() {
        let record = ShardRecord {
            range_id: RangeId(3),
            sequence: u64::MAX,
            timeline_bases: Vec::new(),
            time: Time(-5),
            owner: "node".into(),
        };
        assert_eq!(decode_record::<ShardRecord>(&encode_record(&record)), Ok(record));
        let run = decode_run(&encode_run(7, b"state")).unwrap();
        assert_eq!((run.version, &run.state[..]), (7, &b"state"[..]));
        assert_eq!(decode_bytes(&encode_bytes(b"")), Ok(Bytes::new()));
    }

    #[test]
    fn an_unknown_format_is_said_to_be_damage() {
        for value in [&[][..], &[2, 0], &[1, 0, 0]] {
            assert!(matches!(decode_run(value), Err(StoreError::Corrupt(_))), "{value:?}");
        }
        assert!(matches!(decode_record::<ShardRecord>(&[1, 0xc1]), Err(StoreError::Corrupt(_))));
    }
}
