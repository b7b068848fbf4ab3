//! Time that disks owe their callers, in worlds where blocking work is done in its caller's turn.
use std::cell::Cell;
use std::time::Duration;
use tempest_disk::SimDisk;

thread_local! {
    /// All hosts share a thread, and no turn ends between an operation of a disk and its settlement.
    static OWED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// The disk's operations take no time by themselves: their caller is to wait.
pub(super) fn lend(disk: &SimDisk) {
    disk.on_latency(|latency| OWED.set(OWED.get() + latency));
}

/// What is owed, which is none any more then.
pub(super) fn settle() -> Duration {
    OWED.replace(Duration::ZERO)
}
