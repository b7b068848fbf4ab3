//! The symbols of the C library that this crate defines in its stead.
//!
//! The linker resolves a reference to `clock_gettime` to the first definition it meets, and ours, in the executable,
//! comes before the shared C library. Each function does its work on a thread of a simulation and passes through to
//! the real one on every other thread, and for the simulator's own calls.
//!
//! Calls inside the C library do not come through here: its condition variables, its allocator's locks, its name
//! lookups. Rust's standard library, tokio and parking_lot block through `syscall`, which does.

mod check;
mod descriptors;
mod fairness;
mod futex;
mod machine;
mod outside;
mod threads;
mod time;

pub use check::{check_interposition, interposed_symbols};
pub(crate) use fairness::take_choice_from_parking_lot;

use crate::kernel;
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The next definition of a symbol after ours: the C library's.
struct Real {
    name: &'static CStr,
    address: AtomicUsize,
}

impl Real {
    const fn new(name: &'static CStr) -> Real {
        Real { name, address: AtomicUsize::new(0) }
    }

    fn address(&self) -> usize {
        let known = self.address.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) } as usize;
        assert!(found != 0, "the C library has no {:?}", self.name);
        self.address.store(found, Ordering::Relaxed);
        found
    }
}

/// Virtual deadline of the current thread for a time span on its host's clock.
fn deadline_in(nanos: u64) -> u64 {
    kernel::with(|kernel| {
        let (now, host) = (kernel.now, kernel.current_host());
        kernel.host(host).clock.deadline(now, nanos)
    })
    .expect("asked on a thread of a simulation")
}

fn nanos_of(time: &libc::timespec) -> u64 {
    (time.tv_sec.max(0) as u64).saturating_mul(kernel::SECOND).saturating_add(time.tv_nsec.max(0) as u64)
}
