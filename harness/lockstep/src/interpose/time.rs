//! Clocks and sleeping.

use super::{Real, check, deadline_in, nanos_of};
use crate::kernel::{self, Kernel, SECOND, State};
use crate::sys::{raw_syscall, with_errno};
use libc::{c_int, clockid_t, time_t, timespec, timeval};

static CLOCK_GETTIME: Real = Real::new(c"clock_gettime");

#[derive(Clone, Copy)]
pub(super) enum Clock {
    Wall,
    Monotonic,
    /// Of the process or thread. Computing costs nothing here, so any clock that goes forward will do.
    Processor,
}

fn classify(id: clockid_t) -> Option<Clock> {
    match id {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI => Some(Clock::Wall),
        libc::CLOCK_MONOTONIC | libc::CLOCK_MONOTONIC_RAW | libc::CLOCK_MONOTONIC_COARSE | libc::CLOCK_BOOTTIME => {
            Some(Clock::Monotonic)
        }
        libc::CLOCK_PROCESS_CPUTIME_ID | libc::CLOCK_THREAD_CPUTIME_ID => Some(Clock::Processor),
        _ => None,
    }
}

pub(super) fn read(clock: Clock, kernel: &mut Kernel) -> u64 {
    let (now, epoch, host) = (kernel.now, kernel.options.epoch.as_nanos() as u64, kernel.current_host());
    match clock {
        Clock::Wall => kernel.host(host).clock.wall(now, epoch),
        Clock::Monotonic => kernel.host(host).clock.monotonic(now),
        Clock::Processor => kernel.elapsed(),
    }
}

/// A clock read by the program: takes its nanosecond.
fn read_and_tick(clock: Clock) -> Option<u64> {
    kernel::tick(1);
    kernel::with(|kernel| read(clock, kernel))
}

fn timespec_of(nanos: u64) -> timespec {
    timespec { tv_sec: (nanos / SECOND) as time_t, tv_nsec: (nanos % SECOND) as i64 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(id: clockid_t, result: *mut timespec) -> c_int {
    check::hit(check::Symbol::ClockGettime);
    if kernel::in_simulation()
        && let Some(nanos) = classify(id).and_then(read_and_tick)
    {
        unsafe { *result = timespec_of(nanos) };
        return 0;
    }
    if let Some(done) = super::fairness::far_future(result) {
        return done;
    }
    // Safety: the C library's function of this name has this type.
    let real: unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int =
        unsafe { std::mem::transmute(CLOCK_GETTIME.address()) };
    unsafe { real(id, result) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn gettimeofday(result: *mut timeval, zone: *mut libc::c_void) -> c_int {
    check::hit(check::Symbol::Gettimeofday);
    if kernel::in_simulation()
        && let Some(nanos) = read_and_tick(Clock::Wall)
    {
        unsafe { *result = timeval { tv_sec: (nanos / SECOND) as time_t, tv_usec: (nanos % SECOND / 1_000) as i64 } };
        return 0;
    }
    with_errno(unsafe { raw_syscall(libc::SYS_gettimeofday, [result as usize, zone as usize, 0, 0, 0, 0]) }) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn time(result: *mut time_t) -> time_t {
    check::hit(check::Symbol::Time);
    let virtual_time = if kernel::in_simulation() { read_and_tick(Clock::Wall) } else { None };
    let seconds = match virtual_time {
        Some(nanos) => (nanos / SECOND) as time_t,
        None => unsafe { raw_syscall(libc::SYS_time, [0; 6]) },
    };
    if !result.is_null() {
        unsafe { *result = seconds };
    }
    seconds
}

/// Returns the error number itself, not -1.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_nanosleep(
    id: clockid_t,
    flags: c_int,
    request: *const timespec,
    remaining: *mut timespec,
) -> c_int {
    check::hit(check::Symbol::ClockNanosleep);
    if kernel::in_simulation() {
        let asked = nanos_of(unsafe { &*request });
        let clock = classify(id).unwrap_or(Clock::Monotonic);
        let span = if flags & libc::TIMER_ABSTIME == 0 {
            asked
        } else {
            asked.saturating_sub(kernel::with(|kernel| read(clock, kernel)).unwrap_or(0))
        };
        kernel::block(State::Sleeping, deadline_in(span));
        return 0;
    }
    let arguments = [id as usize, flags as usize, request as usize, remaining as usize, 0, 0];
    -unsafe { raw_syscall(libc::SYS_clock_nanosleep, arguments) } as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nanosleep(request: *const timespec, remaining: *mut timespec) -> c_int {
    check::hit(check::Symbol::Nanosleep);
    if kernel::in_simulation() {
        kernel::block(State::Sleeping, deadline_in(nanos_of(unsafe { &*request })));
        return 0;
    }
    let arguments = [request as usize, remaining as usize, 0, 0, 0, 0];
    with_errno(unsafe { raw_syscall(libc::SYS_nanosleep, arguments) }) as c_int
}
