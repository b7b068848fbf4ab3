//! What is stored is what was decided, and as large as the limits took it to be: asserted where bugs are looked for, never
//! in a deployed server.
use crate::codec::decode_some_parts;
use bytes::Bytes;
use tempest_core::{MutableState, PartKey, RunWrite};
use tempest_store::PartWrite;

const ASSERTED: bool = cfg!(any(debug_assertions, feature = "chaos"));

/// Names of fields, numbers and times: what the encoding of a run's row adds to what counts and to [`names_bytes`]. Measured
/// from 490 to 750.
const ROW_OVERHEAD_MAX: usize = 1024;
/// What the encoding of a part adds to what it counts for. Measured from -28, since the limits count a fixed number of bytes
/// for its fields, to 182, of an activity that was started.
const PART_OVERHEAD_MAX: usize = 320;
const PART_COUNTED_TOO_MUCH_MAX: usize = 64;
/// The same for a field of the memo, a search attribute and a request that was attached.
const FIELD_COUNTED_TOO_MUCH_MAX: usize = 16;

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
    for key in &expected {
        assert!(read.part(*key) == state.part(*key), "{key:?} of run {run_id} would be read back otherwise");
    }
    assert_counts_as_stored(state, &expected, row, parts);
}

/// The limits count a row, and the parts that have rows of their own, for about what is stored of them.
fn assert_counts_as_stored(state: &MutableState, written: &[PartKey], row: &Bytes, parts: &[PartWrite]) {
    let of_parts = |keys: &mut dyn Iterator<Item = PartKey>| -> (usize, usize) {
        let counts = keys.filter_map(|key| state.part(key)).map(|part| part.approximate_bytes());
        counts.fold((0, 0), |(number, bytes), counts| (number + 1, bytes + counts))
    };
    let durable = state.durable();
    let fields = durable.memo.len() + durable.search_attributes.len() + durable.attached_requests.len();
    let too_much = fields * FIELD_COUNTED_TOO_MUCH_MAX;
    let check = |what: &str, stored: usize, counted: usize, parts: usize, overhead: usize| {
        let (most, least) =
            (counted + overhead + parts * PART_OVERHEAD_MAX, stored + parts * PART_COUNTED_TOO_MUCH_MAX);
        assert!(
            stored <= most && counted <= least + too_much,
            "{what} of run {}, with {parts} parts, counts as {counted} bytes and is stored in {stored}",
            state.key().run_id
        );
    };
    let (all, bytes) = of_parts(&mut state.part_keys());
    let (held, apart_bytes) = if state.parts_are_apart() { (0, bytes) } else { (all, 0) };
    let counted = state.approximate_bytes() - apart_bytes + names_bytes(state);
    check("the row", row.len(), counted, held, ROW_OVERHEAD_MAX);
    if state.parts_are_apart() {
        let (number, counted) = of_parts(&mut written.iter().copied());
        let stored = parts.iter().filter_map(|part| part.body.as_ref()).map(Bytes::len).sum::<usize>();
        check("what is written beside the row", stored, counted, number, 0);
    }
}

/// Ids and names of the run, of its task queues and workers: they are stored, and do not count.
fn names_bytes(state: &MutableState) -> usize {
    let (key, branch, durable, auxiliary) = (state.key(), state.branch(), state.durable(), state.auxiliary());
    let of_run = [key.namespace_id.as_str(), key.workflow_id.as_str(), key.run_id.as_str()];
    let of_history = [branch.tree.as_str(), branch.branch.as_str(), durable.first_execution_run_id.as_str()];
    let successor = durable.closed.as_ref().and_then(|closed| closed.successor.as_ref());
    let task = state.workflow_task();
    let of_task = task.map(|task| [task.identity.as_str(), &task.request_id, &task.queue]);
    let sticky_for = task.and_then(|task| task.sticky_for.as_deref());
    let names = of_run.into_iter().chain(of_history).chain(successor.map(|run_id| run_id.as_str()));
    let names = names.chain(of_task.into_iter().flatten()).chain(sticky_for);
    let names = names.chain([auxiliary.start_request_id.as_str()]);
    let names = names.chain(auxiliary.sticky.as_ref().map(|sticky| sticky.queue.as_str()));
    let workers = auxiliary.caches.emptied.iter().flatten().map(String::len).sum::<usize>();
    names.map(str::len).sum::<usize>() + workers
}
