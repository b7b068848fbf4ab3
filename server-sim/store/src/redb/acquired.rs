//! The ranges of shards that were acquired since the database was opened.
//!
//! No other process writes to the file, so what is here is what a look into the database would find; and a proof of
//! ownership, of which most answers that write nothing need one, needs neither a snapshot nor a thread that may block.
use crate::redb::engine::Placed;
use crate::{RangeId, ShardId, WriteAnswer, WriteRequest, Written};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Durable ones only.
#[derive(Debug, Default)]
pub struct Acquired(Mutex<BTreeMap<ShardId, RangeId>>);

impl Acquired {
    /// To be told of every batch that is durable before its callers are: no proof that is asked for later than an
    /// acquisition is answered may name the owner before it.
    pub fn note(&self, requests: &[Placed], answers: &[WriteAnswer]) {
        for ((_, request), answer) in requests.iter().zip(answers) {
            if let (WriteRequest::AcquireShard { shard, .. }, Ok(Written::Shard(record))) = (request, answer) {
                self.lock().insert(*shard, record.range_id);
            }
        }
    }

    /// The database is opened again, and another process may have had it meanwhile.
    pub fn forget(&self) {
        self.lock().clear();
    }

    /// The range of each shard, if all of them are known.
    pub fn ranges(&self, shards: &[ShardId]) -> Option<Vec<RangeId>> {
        let known = self.lock();
        shards.iter().map(|shard| known.get(shard).copied()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ShardId, RangeId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ShardRecord, StoreError, Timeline};

    #[test]
    fn what_was_acquired_is_known_and_nothing_else() {
        let acquired = Acquired::default();
        let request = |shard| {
            let owner = "node".to_owned();
            (Timeline(0), WriteRequest::AcquireShard { shard: ShardId(shard), expected: RangeId(0), owner })
        };
        let record = ShardRecord { range_id: RangeId(7), ..ShardRecord::default() };
        let refused = Err(StoreError::Conflict("another was faster".into()));
        acquired.note(&[request(1), request(2)], &[Ok(Written::Shard(record)), refused]);
        assert_eq!(acquired.ranges(&[ShardId(1), ShardId(1)]), Some(vec![RangeId(7), RangeId(7)]));
        assert_eq!(acquired.ranges(&[ShardId(1), ShardId(2)]), None);
        assert_eq!(acquired.ranges(&[]), Some(vec![]));
        acquired.forget();
        assert_eq!(acquired.ranges(&[ShardId(1)]), None);
    }
}
