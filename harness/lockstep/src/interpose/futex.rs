//! `syscall`, through which Rust's locks, condition variables and parking block.

use super::machine::fill_random;
use super::time::{self, Clock};
use super::{check, deadline_in, nanos_of};
use crate::kernel::{self, ResumeReason, State};
use crate::sys::{raw_syscall, report_problem, with_errno};
use libc::{c_int, c_long, timespec};
use std::sync::atomic::{AtomicU32, Ordering};

/// Variadic in C; on this architecture a variadic caller passes integers as to any other function.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long {
    check::hit(check::Symbol::Syscall);
    if kernel::in_simulation() {
        let simulated = match number {
            libc::SYS_getrandom => Some(unsafe { fill_random(a as *mut u8, b) } as c_long),
            libc::SYS_futex => unsafe { futex(a, b as c_int, c as u32, d as *const timespec) },
            _ => None,
        };
        if let Some(result) = simulated {
            return with_errno(result);
        }
    }
    with_errno(unsafe { raw_syscall(number, [a, b, c, d, e, f]) })
}

unsafe fn futex(address: usize, operation: c_int, value: u32, timeout: *const timespec) -> Option<c_long> {
    let realtime = operation & libc::FUTEX_CLOCK_REALTIME != 0;
    match operation & libc::FUTEX_CMD_MASK {
        command @ (libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET) => {
            // No other thread runs between this look and the wait.
            if unsafe { (*(address as *const AtomicU32)).load(Ordering::SeqCst) } != value {
                return Some(-c_long::from(libc::EAGAIN));
            }
            let deadline = match unsafe { timeout.as_ref() } {
                None => u64::MAX,
                Some(timeout) if command == libc::FUTEX_WAIT => deadline_in(nanos_of(timeout)),
                Some(timeout) => {
                    let clock = if realtime { Clock::Wall } else { Clock::Monotonic };
                    let read = kernel::with(|kernel| time::read(clock, kernel)).unwrap_or(0);
                    deadline_in(nanos_of(timeout).saturating_sub(read))
                }
            };
            match kernel::block(State::WaitingFutex { address }, deadline) {
                ResumeReason::Notified => Some(0),
                ResumeReason::Deadline => Some(-c_long::from(libc::ETIMEDOUT)),
            }
        }
        libc::FUTEX_WAKE | libc::FUTEX_WAKE_BITSET => {
            let woken = kernel::with(|kernel| kernel.wake_futex(address, value)).unwrap_or(0);
            if woken == 0 {
                // Perhaps a thread outside the simulation waits for it.
                return None;
            }
            kernel::maybe_preempt();
            Some(woken.into())
        }
        command => {
            report_problem(&format!("futex operation {command} is not simulated; it fails with ENOSYS"));
            Some(-c_long::from(libc::ENOSYS))
        }
    }
}
