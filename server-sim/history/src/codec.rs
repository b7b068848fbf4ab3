//! The bytes of what this role stores. Each begins with a version byte, so that a later version can tell them apart.
//!
//! A run is a row, and once it has much that is pending a row for each of its parts ([`RunWrite::part_rows`]). Until then
//! the run's row holds its parts as well.
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tempest_core::{EventId, HistoryTask, MutableState, Part, PartKey, RunWrite};
use tempest_store::{PartId, PartWrite, RunPart, StoreError};

/// 1: the whole state. 2: without what is stored in rows of its own, and without inputs. 3: buffered events are parts.
const STATE_VERSION: u8 = 3;
/// 2: each part has the number that its key is made of.
const PART_VERSION: u8 = 2;
const TASK_VERSION: u8 = 1;

// Kinds of parts. Stored forever: never renumber.
const ACTIVITY: u8 = 1;
const TIMER: u8 = 2;
const CHILD: u8 = 3;
const SIGNAL: u8 = 4;
const CANCEL: u8 = 5;
const SIGNAL_REQUESTS: u8 = 6;
const BUFFERED: u8 = 7;

#[derive(Serialize, Deserialize)]
struct Row<S> {
    state: S,
    /// Those that have no row of their own.
    parts: Vec<Part>,
    /// How many there are that have one.
    apart: usize,
}

/// The run's own row.
pub fn encode_row(state: &MutableState) -> Bytes {
    let keys = (!state.parts_are_apart()).then(|| state.part_keys());
    let parts: Vec<_> = keys.into_iter().flatten().filter_map(|key| state.part(key)).collect();
    let apart = state.part_count() - parts.len();
    encode(STATE_VERSION, &Row { state, parts, apart })
}

/// The rows of parts that change with this write.
pub fn encode_parts(run: &RunWrite) -> Vec<PartWrite> {
    let body = |key| run.state.parts_are_apart().then(|| run.state.part(key)).flatten();
    let rows = run.part_rows.iter().filter_map(|key| Some((stored_key(*key)?, body(*key))));
    rows.map(|(key, part)| PartWrite { key, body: part.map(|part| encode(PART_VERSION, &part)) })
        .filter(|write| write.body.is_some() || !tempest_rt::planted!(crate::plants::ENDED_PART_STAYS_STORED))
        .collect()
}

/// A state from its row and the rows of all its parts.
///
/// # Errors
/// `Incompatible` if another version wrote it; `Corrupt` if the bytes are no state, or if a part is missing or where it does
/// not belong.
pub fn decode_run<'a>(
    row: &[u8],
    parts: impl IntoIterator<Item = (&'a tempest_store::PartKey, &'a Bytes)>,
) -> Result<MutableState, StoreError> {
    let (state, apart) = decode_some_parts(row, parts)?;
    let held = if state.parts_are_apart() { 0 } else { state.part_count() };
    match state.part_count() - held {
        found if found == apart => Ok(state),
        found => Err(StoreError::Corrupt(format!("{found} parts of a run's state are stored, and there are {apart}"))),
    }
}

/// The same of those parts that are at hand; and how many have a row of their own.
pub(crate) fn decode_some_parts<'a>(
    row: &[u8],
    parts: impl IntoIterator<Item = (&'a tempest_store::PartKey, &'a Bytes)>,
) -> Result<(MutableState, usize), StoreError> {
    let Row::<MutableState> { mut state, parts: held, apart } = decode(STATE_VERSION, row, "a run's state")?;
    held.into_iter().for_each(|part| state.restore(part));
    for (key, body) in parts {
        let part: Part = decode(PART_VERSION, body, "a part of a run's state")?;
        if !state.parts_are_apart() || stored_key(part.key()).as_ref() != Some(key) {
            return Err(StoreError::Corrupt(format!("a part of a run's state is stored as {key:?} and is {part:?}")));
        }
        state.restore(part);
    }
    Ok((state, apart))
}

/// The same as the store reads them.
///
/// # Errors
/// As [`decode_run`].
pub fn decode_record(record: &tempest_store::RunRecord) -> Result<MutableState, StoreError> {
    decode_run(&record.row, record.parts.iter().map(|RunPart { key, body }| (key, body)))
}

/// `None` for the run's own row, which is no part.
fn stored_key(key: PartKey) -> Option<tempest_store::PartKey> {
    let of = |kind, id: EventId| Some(tempest_store::PartKey { kind, id: PartId::Number(id) });
    match key {
        PartKey::Run => None,
        PartKey::Activity(id) => of(ACTIVITY, id),
        PartKey::Timer(id) => of(TIMER, id),
        PartKey::Child(id) => of(CHILD, id),
        PartKey::Signal(id) => of(SIGNAL, id),
        PartKey::Cancel(id) => of(CANCEL, id),
        PartKey::SignalRequests(bucket) => of(SIGNAL_REQUESTS, bucket),
        PartKey::Buffered(number) => of(BUFFERED, number),
    }
}

pub fn encode_task(task: &HistoryTask) -> Bytes {
    encode(TASK_VERSION, task)
}

/// # Errors
/// `Incompatible` if another version wrote it; `Corrupt` if the bytes are no history task.
pub fn decode_task(bytes: &[u8]) -> Result<HistoryTask, StoreError> {
    decode(TASK_VERSION, bytes, "a history task")
}

fn encode(version: u8, value: &impl Serialize) -> Bytes {
    let mut bytes = vec![version];
    rmp_serde::encode::write_named(&mut bytes, value).expect("our records are maps of plain values: they encode");
    bytes.into()
}

fn decode<T: serde::de::DeserializeOwned>(version: u8, bytes: &[u8], what: &str) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((found, rest)) if *found == version => {
            rmp_serde::from_slice(rest).map_err(|error| StoreError::Corrupt(format!("{what} does not decode: {error}")))
        }
        Some((found, _)) => Err(StoreError::Incompatible(format!(
            "{what} has version {found}, this tempest reads version {version}: run the tempest that wrote it, or start \
             with a new store"
        ))),
        None => Err(StoreError::Corrupt(format!("{what} is empty"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is stored by another version is not damaged: the version that wrote it reads it.
    fn check<T>(decode: impl Fn(&[u8]) -> Result<T, StoreError>, what: &str, version: u8) {
        for other in [version - 1, 99] {
            let sentence = format!(
                "{what} has version {other}, this tempest reads version {version}: run the tempest that wrote it, or \
                 start with a new store"
            );
            assert_eq!(decode(&[other, 0x80]).err(), Some(StoreError::Incompatible(sentence)));
        }
        for damaged in [&[][..], &[version], &[version, 0xc1]] {
            assert!(matches!(decode(damaged), Err(StoreError::Corrupt(_))), "{damaged:?}");
        }
    }

    #[test]
    fn what_another_version_wrote_is_told_from_damage() {
        let run = |row: &[u8]| decode_run(row, []);
        check(run, "a run's state", STATE_VERSION);
        assert!(matches!(run(&[1, 0x80]), Err(StoreError::Incompatible(_))), "the first version of all");
        check(
            |body| decode::<Part>(PART_VERSION, body, "a part of a run's state"),
            "a part of a run's state",
            PART_VERSION,
        );
        check(decode_task, "a history task", TASK_VERSION);
    }
}
