//! The machine beneath: raw system calls and the baton on which threads wait for their turn.
//!
//! Everything that depends on the architecture is in `linux_x86_64.rs`; a port adds a sibling of it.

#[cfg(lockstep_supported)]
mod linux_x86_64;
#[cfg(lockstep_supported)]
pub(crate) use linux_x86_64::*;

#[cfg(not(lockstep_supported))]
mod unsupported;
#[cfg(not(lockstep_supported))]
pub(crate) use unsupported::*;

use std::sync::atomic::{AtomicU32, Ordering};

/// Held by exactly one thread of a simulation at a time. A thread that gives its turn away posts the next thread's
/// baton and waits on its own. The release and acquire order of the two makes the kernel's state, which only the
/// holder touches, visible to the next holder.
pub(crate) struct Baton(AtomicU32);

impl Baton {
    /// Leaked: a frozen thread waits on its baton for as long as the process lives.
    pub fn leak() -> &'static Baton {
        Box::leak(Box::new(Baton(AtomicU32::new(0))))
    }

    pub fn post(&self) {
        self.0.store(1, Ordering::Release);
        futex_wake_one(&self.0);
    }

    pub fn wait(&self) {
        while self.0.swap(0, Ordering::AcqRel) == 0 {
            futex_wait(&self.0, 0);
        }
    }
}
