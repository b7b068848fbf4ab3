//! Notices a thread that keeps its turn: one that computes without end, or waits in a way that the scheduler cannot see,
//! stops the whole simulation, since only it could give the turn away.
//!
//! A thread outside looks every now and then whether the turn has changed hands. If it has not, and the thread that has it
//! has used that much of the processor since, that thread is sent a signal and says itself where it is: its host and a
//! backtrace. Then the process ends with status 2; a campaign's other seeds have processes of their own.
//!
//! Time on the processor counts, not time that passes: a machine that is overloaded is no reason to end a run.

use crate::kernel;
use crate::sys::{raw_syscall, report_problem};
use std::cell::Cell;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

/// How a process ends whose simulation was stopped by a thread: as where the environment is not what a run needs.
const STATUS: i32 = 2;

/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a thread has to say where it is; it may hold a lock that it needs for that.
const WORDS_WITHIN: Duration = Duration::from_secs(5);

/// How often the turn changed hands.
static TURNS: AtomicU64 = AtomicU64::new(0);
/// The kernel's number of the thread that has the turn; 0 for the controller, which may compute as long as it likes.
static HOLDER: AtomicI32 = AtomicI32::new(0);

thread_local! {
    static NUMBER: Cell<i32> = const { Cell::new(0) };
}

/// The calling thread has the turn now.
pub(crate) fn turn_taken(is_controller: bool) {
    if NUMBER.get() == 0 {
        NUMBER.set(unsafe { raw_syscall(libc::SYS_gettid, [0; 6]) } as i32);
    }
    HOLDER.store(if is_controller { 0 } else { NUMBER.get() }, Ordering::Relaxed);
    TURNS.fetch_add(1, Ordering::Relaxed);
}

/// Watches from now on; to be called outside a simulation. The thread allocates nothing while a simulation runs: what
/// memory others get must not depend on when it does.
pub(crate) fn watch(limit: Duration) {
    let handler = on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t;
    unsafe { libc::signal(libc::SIGUSR2, handler) };
    let there = Arc::new(Barrier::new(2));
    let here = there.clone();
    let watching = std::thread::Builder::new().name("watch".to_owned()).spawn(move || {
        let limit_ns = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        there.wait();
        look_after(limit_ns);
    });
    if watching.is_ok() {
        here.wait();
    }
}

fn look_after(limit_ns: u64) {
    let (mut turns, mut holder, mut since_ns) = (0, 0, 0);
    loop {
        std::thread::sleep(LOOK_EVERY);
        let now = (TURNS.load(Ordering::Relaxed), HOLDER.load(Ordering::Relaxed));
        let Some(used_ns) = processor_time(now.1).filter(|_| now.1 != 0) else { continue };
        if now != (turns, holder) {
            ((turns, holder), since_ns) = (now, used_ns);
        } else if used_ns.saturating_sub(since_ns) > limit_ns {
            let process = unsafe { raw_syscall(libc::SYS_getpid, [0; 6]) } as usize;
            unsafe { raw_syscall(libc::SYS_tgkill, [process, holder as usize, libc::SIGUSR2 as usize, 0, 0, 0]) };
            std::thread::sleep(WORDS_WITHIN);
            report_problem("a thread neither waits nor reads a clock, and cannot say where it is: the run ends");
            unsafe { libc::_exit(STATUS) };
        }
    }
}

/// What a thread has used of the processor so far; nothing if it is gone.
fn processor_time(thread: i32) -> Option<u64> {
    // As the C library makes the clock of another thread: `CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED`.
    let clock = (!i64::from(thread) << 3) | 6;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let result = unsafe { raw_syscall(libc::SYS_clock_gettime, [clock as usize, &raw mut time as usize, 0, 0, 0, 0]) };
    (result == 0).then(|| time.tv_sec as u64 * kernel::SECOND + time.tv_nsec as u64)
}

/// On the thread that spins.
extern "C" fn on_signal(_: libc::c_int) {
    let host = crate::host_name().unwrap_or_else(|| "a host".to_owned());
    // What follows takes locks and reads files, for real.
    kernel::quit();
    let place = std::backtrace::Backtrace::force_capture();
    report_problem(&format!(
        "{host} neither waits nor reads a clock, so that no other thread gets a turn: the run ends. It is here:\n{place}"
    ));
    unsafe { libc::_exit(STATUS) };
}
