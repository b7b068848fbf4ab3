//! Values, the same in every engine: MessagePack maps for small records, so that a field can be added with a default; run
//! states, events, tasks and ids as they are. What they mean belongs to the format version.
use crate::StoreError;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// The format of tables, keys and values, in every engine. Raised with every change that an older tempest would misread;
/// from 2 on a build either reads an older format or refuses it with a sentence.
///
/// 1: a run is one value. 2: a run is a row and its parts; values are the same in every engine, without a format byte of
/// their own. 3: history writes a run's parts, and payloads are in its events alone. 4: events that wait for the end of a
/// workflow task are parts.
pub const FORMAT_VERSION: u32 = 4;

pub fn encode_record(record: &impl Serialize) -> Bytes {
    rmp_serde::to_vec_named(record).expect("our records hold nothing that MessagePack cannot").into()
}

/// # Errors
/// `Corrupt` if it is not such a record.
pub fn decode_record<T: DeserializeOwned>(value: &[u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(value).map_err(|error| StoreError::Corrupt(format!("a record: {error}")))
}

/// # Errors
/// `Corrupt` if it is not UTF-8.
pub fn decode_text(value: &[u8]) -> Result<String, StoreError> {
    String::from_utf8(value.to_vec()).map_err(|_| StoreError::Corrupt("a name that is not UTF-8".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RangeId, ShardRecord};
    use tempest_core::Time;

    #[test]
    fn records_come_back() {
        let record = ShardRecord {
            range_id: RangeId(3),
            sequence: u64::MAX,
            timeline_bases: Vec::new(),
            time: Time(-5),
            owner: "node".into(),
        };
        assert_eq!(decode_record::<ShardRecord>(&encode_record(&record)), Ok(record));
    }

    #[test]
    fn what_makes_no_sense_is_said_to_be_damage() {
        for value in [&[][..], &[0xc1], &[0x81]] {
            assert!(matches!(decode_record::<ShardRecord>(value), Err(StoreError::Corrupt(_))), "{value:?}");
        }
        assert!(matches!(decode_text(&[0xff]), Err(StoreError::Corrupt(_))));
    }
}
