//! What is stored is what was decided, and as large as the limits took it to be: asserted where bugs are looked for, never
//! in a deployed server.
use crate::codec::decode_some_parts;
use bytes::Bytes;
use tempest_core::RunWrite;
use tempest_store::PartWrite;

const ASSERTED: bool = cfg!(any(debug_assertions, feature = "chaos"));

/// Names of fields, times, counters, ids and names of workers: what the encoding of a row, or of one part, may add to what
/// counts.
const ROW_OVERHEAD_MAX: usize = 8192;
const PART_OVERHEAD_MAX: usize = 1024;

/// The written row and parts decode to what the state says of them. Parts that are not written have not changed: the core
/// asserts that.
pub(super) fn assert_stored_as_decided(run: &RunWrite, row: &Bytes, parts: &[PartWrite]) {
    if !ASSERTED {
        return;
    }
    let run_id = &run.key().run_id;
    let written = parts.iter().filter_map(|part| Some((&part.key, part.body.as_ref()?)));
    let (read, _) =
        decode_some_parts(row, written).unwrap_or_else(|error| panic!("run {run_id} could not be read back: {error}"));
    let state = &*run.state;
    assert_eq!((read.key(), read.version()), (state.key(), state.version()));
    let expected = if state.parts_are_apart() {
        run.part_rows.iter().copied().collect()
    } else {
        state.part_keys().collect::<Vec<_>>()
    };
    for key in expected {
        assert!(read.part(key) == state.part(key), "{key:?} of run {run_id} would be read back otherwise");
    }
    let (counted, parts_written) = (read.approximate_bytes(), read.part_keys().count());
    let stored = row.len() + parts.iter().filter_map(|part| part.body.as_ref()).map(Bytes::len).sum::<usize>();
    let most = counted + ROW_OVERHEAD_MAX + parts_written * PART_OVERHEAD_MAX;
    assert!(
        stored <= most && counted <= 2 * stored,
        "run {run_id} counts as {counted} bytes and is stored in {stored}"
    );
}
