//! Raw system calls of Linux on x86_64. The one file with assembly.
//!
//! They bypass the C library, so that they mean the real thing even on a thread of a simulation.

use libc::{c_int, c_long};
use std::sync::atomic::AtomicU32;

/// A system call as the kernel answers it: negative values down to -4095 are error numbers.
///
/// # Safety
/// As for the system call in question.
pub(crate) unsafe fn raw_syscall(number: c_long, arguments: [usize; 6]) -> c_long {
    let [a, b, c, d, e, f] = arguments;
    let result: c_long;
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack)
        );
    }
    result
}

/// Turns the kernel's answer into the C library's convention: -1 and `errno`.
pub(crate) fn with_errno(result: c_long) -> c_long {
    if (-4095..0).contains(&result) {
        unsafe { *libc::__errno_location() = -result as c_int };
        -1
    } else {
        result
    }
}

pub(crate) fn futex_wait(word: &AtomicU32, expected: u32) {
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    unsafe { raw_syscall(libc::SYS_futex, [word.as_ptr() as usize, operation as usize, expected as usize, 0, 0, 0]) };
}

pub(crate) fn futex_wake_one(word: &AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    unsafe { raw_syscall(libc::SYS_futex, [word.as_ptr() as usize, operation as usize, 1, 0, 0, 0]) };
}

pub(crate) fn close(descriptor: c_int) {
    unsafe { raw_syscall(libc::SYS_close, [descriptor as usize, 0, 0, 0, 0, 0]) };
}

/// Pins the calling thread, and with it every thread it creates from now on.
pub(crate) fn pin_to_core(core: usize) -> bool {
    let of_the_caller = 0;
    set_affinity(of_the_caller, &[core])
}

/// Lets a thread of this process, by its number in the system, run on these cores.
pub(crate) fn set_affinity(thread: usize, cores: &[usize]) -> bool {
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        for core in cores {
            if *core >= 8 * size_of::<libc::cpu_set_t>() {
                return false;
            }
            libc::CPU_SET(*core, &mut set);
        }
        let arguments = [thread, size_of::<libc::cpu_set_t>(), &raw const set as usize, 0, 0, 0];
        raw_syscall(libc::SYS_sched_setaffinity, arguments) == 0
    }
}

/// Writes to standard error past every lock and past the interposed `write`.
pub(crate) fn report_problem(message: &str) {
    let line = format!("lockstep: {message}\n");
    unsafe { raw_syscall(libc::SYS_write, [2, line.as_ptr() as usize, line.len(), 0, 0, 0]) };
}
