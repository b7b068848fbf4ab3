//! Which signals a run has had, so that a repeat changes nothing. A run may have thousands: what one more costs must not
//! grow with them.
use crate::{
    CopyOnWrite, EventId, Part, PartKey, Parts,
    parts::{Keeps, Weigh},
    run::size::ENTRY_BYTES,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Request ids are spread over so many parts: about one in each when a run has as many signals as it may have.
const BUCKETS: u64 = 1 << 14;

/// The request ids of one bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalRequests {
    pub(crate) bucket: EventId,
    ids: BTreeSet<String>,
}

/// By bucket.
#[derive(Clone, Debug, Default)]
pub struct SeenSignals(Parts<SignalRequests>);

impl Weigh for SignalRequests {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.ids.iter().map(String::len).sum::<usize>()
    }
}

impl SeenSignals {
    pub fn contains(&self, request_id: &str) -> bool {
        self.0.get(&bucket(request_id)).is_some_and(|requests| requests.ids.contains(request_id))
    }

    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.values().flat_map(|requests| &requests.ids)
    }

    /// Returns the part of the state that has it.
    pub(crate) fn insert(&mut self, request_id: String) -> PartKey {
        let bucket = bucket(&request_id);
        if !self.0.contains_key(&bucket) {
            self.0.insert(bucket, SignalRequests { bucket, ids: BTreeSet::new() });
        }
        self.0.change(&bucket, |requests| requests.ids.insert(request_id));
        PartKey::SignalRequests(bucket)
    }
}

impl Keeps<SignalRequests> for SeenSignals {
    fn parts(&self) -> &Parts<SignalRequests> {
        &self.0
    }

    fn put(&mut self, bucket: EventId, requests: CopyOnWrite<SignalRequests>) {
        self.0.insert(bucket, requests);
    }
}

impl Part {
    /// The part that remembers this signal and no other.
    pub fn of_signal(request_id: &str) -> Self {
        let requests = SignalRequests { bucket: bucket(request_id), ids: [request_id.to_owned()].into() };
        Self::SignalRequests(requests.into())
    }
}

/// FNV-1a. Stored forever: a run's ids stay where they are.
fn bucket(request_id: &str) -> EventId {
    let hash = request_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    EventId::try_from(hash % BUCKETS).expect("there are few buckets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_again_and_they_are_spread() {
        let mut seen = SeenSignals::default();
        let id = |number: u32| format!("3f0e4a52-7a35-4d0c-9f53-{number:012}");
        for number in 0..10_000 {
            seen.insert(id(number));
        }
        assert!((0..10_000).all(|number| seen.contains(&id(number))) && !seen.contains(&id(10_000)));
        assert_eq!(seen.iter().count(), 10_000);
        let largest = seen.0.values().map(|requests| requests.ids.len()).max();
        assert!(largest < Some(10), "{largest:?} in one bucket");
    }
}
