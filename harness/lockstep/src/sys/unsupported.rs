//! Where nothing is interposed a simulation never begins, so none of this is ever reached.

use std::sync::atomic::AtomicU32;

pub(crate) fn futex_wait(_: &AtomicU32, _: u32) {
    unreachable!("no simulation begins on this platform")
}

pub(crate) fn futex_wake_one(_: &AtomicU32) {
    unreachable!("no simulation begins on this platform")
}

pub(crate) fn close(_: i32) {
    unreachable!("no simulation begins on this platform")
}

pub(crate) fn pin_to_core(_: usize) -> bool {
    unreachable!("no simulation begins on this platform")
}

pub(crate) fn set_affinity(_: usize, _: &[usize]) -> bool {
    unreachable!("no simulation begins on this platform")
}

pub(crate) fn report_problem(_: &str) {}
