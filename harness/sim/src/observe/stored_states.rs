//! The states that commits write, put together from what each of them says: a commit names only the parts that it changes.
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use tempest_core::{MutableState, RunKey};
use tempest_store::{PartKey, RangeId, RunWrite, ShardCommit, StoreError};

/// A run as it is stored once a commit is applied.
#[derive(Clone, Debug)]
pub(crate) struct StoredState {
    row: Bytes,
    parts: Parts,
}

type Parts = Arc<BTreeMap<PartKey, Bytes>>;

impl StoredState {
    /// Of a run whose parts are all in its row.
    #[cfg(test)]
    pub(crate) fn of(state: &MutableState) -> Self {
        assert!(!state.parts_are_apart(), "a state of a test is small");
        Self { row: tempest_history::encode_row(state), parts: Parts::default() }
    }

    /// The same without a byte of its row.
    #[cfg(test)]
    pub(crate) fn damaged(self) -> Self {
        Self { row: Bytes::new(), ..self }
    }

    /// # Errors
    /// Why the server could not read it back.
    pub(crate) fn decode(&self) -> Result<MutableState, StoreError> {
        tempest_history::decode_run(&self.row, self.parts.iter())
    }
}

/// Which parts there are beside each version of each run.
///
/// Several commits may write the same version of a run, since some were never applied. A write rests on what its owner has
/// read or staged itself, and an owner that acquires the shard reads it behind all that owners before it on its timeline
/// could still write. So of several commits that wrote a version, it rests on that of the newest owner up to itself, of
/// those that its timeline began with or that are its own.
#[derive(Debug, Default)]
pub(super) struct StoredStates(BTreeMap<RunKey, BTreeMap<(u64, RangeId), Version>>);

#[derive(Debug)]
struct Version {
    /// Of the commit within its range.
    sequence: u64,
    parts: Parts,
}

impl StoredStates {
    /// What a commit makes of a run by this write. `began_with`: whether the commit's timeline began with an older one, by
    /// its range id and sequence.
    pub(super) fn written(
        &mut self,
        commit: &ShardCommit,
        write: &RunWrite,
        began_with: impl Fn(RangeId, u64) -> bool,
    ) -> StoredState {
        let range = commit.range_id;
        let versions = self.0.entry(write.key.clone()).or_default();
        let before = write.expected_version.and_then(|version| {
            let of_version = versions.range((version, RangeId(i64::MIN))..=(version, range));
            let known = |id: RangeId, of: &Version| id.timeline() == range.timeline() || began_with(id, of.sequence);
            of_version.rev().find(|((_, id), of)| known(*id, of)).map(|(_, of)| of.parts.clone())
        });
        let mut parts = before.unwrap_or_default();
        if !write.parts.is_empty() {
            let changed = Arc::make_mut(&mut parts);
            for part in &write.parts {
                match &part.body {
                    Some(body) => drop(changed.insert(part.key.clone(), body.clone())),
                    None => drop(changed.remove(&part.key)),
                }
            }
        }
        versions.insert((write.version, range), Version { sequence: commit.sequence, parts: parts.clone() });
        StoredState { row: write.row.clone(), parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_store::{PartId, PartWrite, Timeline};

    fn part(id: i64) -> PartKey {
        PartKey { kind: 1, id: PartId::Number(id) }
    }

    fn write(expected: Option<u64>, version: u64, put: &[i64], deleted: &[i64]) -> RunWrite {
        let put = put.iter().map(|id| PartWrite { key: part(*id), body: Some(Bytes::from(format!("{version}"))) });
        let deleted = deleted.iter().map(|id| PartWrite { key: part(*id), body: None });
        let parts = put.chain(deleted).collect();
        RunWrite { key: RunKey::default(), expected_version: expected, version, row: Bytes::new(), parts }
    }

    fn ids(state: &StoredState) -> Vec<(PartKey, Bytes)> {
        state.parts.iter().map(|(key, body)| (key.clone(), body.clone())).collect()
    }

    fn by(range_id: RangeId) -> ShardCommit {
        ShardCommit { range_id, ..ShardCommit::default() }
    }

    #[test]
    fn a_write_rests_on_what_its_owner_knew() {
        let mut states = StoredStates::default();
        let at = |id: i64, version: &'static str| (part(id), Bytes::from(version));
        let mut written = |range, write| ids(&states.written(&by(RangeId(range)), &write, |_, _| false));
        assert_eq!(written(1, write(None, 1, &[1, 2], &[])), [at(1, "1"), at(2, "1")]);
        // The first owner's second commit was never applied: the next owner began from the first.
        assert_eq!(written(1, write(Some(1), 2, &[3], &[1])), [at(2, "1"), at(3, "2")]);
        assert_eq!(written(2, write(Some(1), 2, &[], &[2])), [at(1, "1")]);
        assert_eq!(written(2, write(Some(2), 3, &[], &[])), [at(1, "1")]);
        // The first, which does not know that it was superseded, goes on.
        assert_eq!(written(1, write(Some(2), 3, &[], &[])), [at(2, "1"), at(3, "2")]);
    }

    #[test]
    fn a_write_rests_on_what_its_timeline_began_with() {
        let mut states = StoredStates::default();
        let at = |id: i64, version: &'static str| (part(id), Bytes::from(version));
        let of = |timeline| RangeId::default().next(Timeline(timeline)).expect("there are range ids");
        let [first, second, third] = [1, 2, 3].map(of);
        states.written(&by(first), &write(None, 1, &[1], &[]), |_, _| false);
        states.written(&by(first), &write(Some(1), 2, &[2], &[]), |_, _| false);
        // The second timeline began without the second commit, the third with it and without what the second wrote.
        let begun = |range: RangeId, _| range == first;
        let forked = states.written(&by(second), &write(Some(1), 2, &[3], &[]), begun);
        assert_eq!(ids(&forked), [at(1, "1"), at(3, "2")]);
        let gone_on = states.written(&by(third), &write(Some(2), 3, &[], &[]), begun);
        assert_eq!(ids(&gone_on), [at(1, "1"), at(2, "2")]);
    }
}
