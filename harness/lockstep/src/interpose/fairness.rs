//! Takes a choice by address away from parking_lot.
//!
//! parking_lot hands a contended lock over fairly when a deadline has passed that it keeps per *bucket* of one table for
//! all locks, and a lock's bucket follows from its address. Addresses differ between processes, so which unlock is fair
//! would differ too: with tokio's and the SDK's locks, a run would not repeat. A deadline in the far future is never
//! passed. Buckets get their deadlines when the table grows, from the clock: here it is made to grow before a simulation
//! begins, for more threads than one will have, while the clock says far future.

use libc::{c_int, timespec};
use std::cell::Cell;
use std::sync::{Arc, Barrier};

/// parking_lot sizes its table by the threads that use it at a time. Beyond these its table grows again, at the time of
/// the simulation. Frozen threads count: a crash leaves about fifteen of them.
const THREADS: usize = 1_000;
const STACK_BYTES: usize = 64 << 10;
/// Ninety years after boot.
const FAR_FUTURE_SECONDS: i64 = 90 * 365 * 86_400;

thread_local! {
    static IN_FAR_FUTURE: Cell<bool> = const { Cell::new(false) };
}

/// What the clock says on a thread that prepares the table.
pub(super) fn far_future(result: *mut timespec) -> Option<c_int> {
    if !IN_FAR_FUTURE.get() {
        return None;
    }
    // Safety: the caller of `clock_gettime` vouches for its pointer.
    unsafe { *result = timespec { tv_sec: FAR_FUTURE_SECONDS, tv_nsec: 0 } };
    Some(0)
}

/// To be called once, outside a simulation.
pub(crate) fn take_choice_from_parking_lot() {
    let all_there = Arc::new(Barrier::new(THREADS));
    let threads: Vec<_> = (0..THREADS)
        .filter_map(|_| {
            let all_there = all_there.clone();
            let body = move || {
                IN_FAR_FUTURE.set(true);
                let key = std::ptr::from_ref(&all_there) as usize;
                let token = parking_lot_core::DEFAULT_PARK_TOKEN;
                // Safety: the key is an address of ours; no thread is parked, since validation fails.
                unsafe { parking_lot_core::park(key, || false, || {}, |_, _| {}, token, None) };
                all_there.wait();
            };
            std::thread::Builder::new().stack_size(STACK_BYTES).spawn(body).ok()
        })
        .collect();
    assert_eq!(threads.len(), THREADS, "this machine does not allow a process {THREADS} threads");
    for thread in threads {
        thread.join().expect("it does nothing that panics");
    }
}
