//! `epoll`, event descriptors, and the life of descriptors as far as the scheduler must know it.

use super::{check, deadline_in};
use crate::kernel::{self, State};
use crate::sys::{raw_syscall, report_problem, with_errno};
use libc::{c_int, c_long, c_uint, c_void, epoll_event, nfds_t, pollfd, size_t, ssize_t};

/// Virtual time that a look for events takes which finds none: a runtime whose tasks yield in a loop looks again and
/// again, and has to get to whatever they wait for.
const LOOK_NS: u64 = 1_000;

/// A new descriptor, or an error: remembers whose it is.
fn own(result: c_long) -> c_int {
    if result >= 0 {
        kernel::with(|kernel| {
            let host = kernel.current_host();
            kernel.descriptors.own(result as i32, host);
        });
    }
    with_errno(result) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_create1(flags: c_int) -> c_int {
    check::hit(check::Symbol::EpollCreate1);
    let result = unsafe { raw_syscall(libc::SYS_epoll_create1, [flags as usize, 0, 0, 0, 0, 0]) };
    if result >= 0 {
        kernel::with(|kernel| {
            let host = kernel.current_host();
            kernel.descriptors.own_epoll(result as i32, host);
        });
    }
    with_errno(result) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn eventfd(initial: c_uint, flags: c_int) -> c_int {
    check::hit(check::Symbol::Eventfd);
    own(unsafe { raw_syscall(libc::SYS_eventfd2, [initial as usize, flags as usize, 0, 0, 0, 0]) })
}

/// Variadic in C; the third argument, if any, arrives where a third argument does.
#[unsafe(no_mangle)]
unsafe extern "C" fn fcntl(descriptor: c_int, command: c_int, argument: usize) -> c_int {
    check::hit(check::Symbol::Fcntl);
    let result = unsafe { raw_syscall(libc::SYS_fcntl, [descriptor as usize, command as usize, argument, 0, 0, 0]) };
    if result >= 0 && matches!(command, libc::F_DUPFD | libc::F_DUPFD_CLOEXEC) {
        kernel::with(|kernel| {
            let host = kernel.current_host();
            kernel.descriptors.duplicate(descriptor, result as i32, host);
        });
    }
    with_errno(result) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn close(descriptor: c_int) -> c_int {
    check::hit(check::Symbol::Close);
    kernel::with(|kernel| kernel.descriptors.closed(descriptor));
    with_errno(unsafe { raw_syscall(libc::SYS_close, [descriptor as usize, 0, 0, 0, 0, 0]) }) as c_int
}

/// Wakes the thread that polls an event descriptor; writes to anything else are just writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(descriptor: c_int, buffer: *const c_void, length: size_t) -> ssize_t {
    check::hit(check::Symbol::Write);
    let result = unsafe { raw_syscall(libc::SYS_write, [descriptor as usize, buffer as usize, length, 0, 0, 0]) };
    let watched = kernel::with(|kernel| {
        let epoll = kernel.descriptors.written(descriptor)?;
        kernel.wake_poller(epoll);
        Some(())
    });
    if watched.flatten().is_some() {
        kernel::maybe_preempt();
    }
    with_errno(result) as ssize_t
}

#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_ctl(epoll: c_int, operation: c_int, descriptor: c_int, event: *mut epoll_event) -> c_int {
    check::hit(check::Symbol::EpollCtl);
    let arguments = [epoll as usize, operation as usize, descriptor as usize, event as usize, 0, 0];
    let result = unsafe { raw_syscall(libc::SYS_epoll_ctl, arguments) };
    if result >= 0 {
        kernel::with(|kernel| match operation {
            libc::EPOLL_CTL_DEL => kernel.descriptors.unwatch(descriptor),
            _ => kernel.descriptors.watch(epoll, descriptor),
        });
    }
    with_errno(result) as c_int
}

/// The heart of an idle runtime: tells its next deadline and gives its turn away. It returns without events when it
/// was woken by the network, whose wakers it runs here, on a thread of their own host.
#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_wait(epoll: c_int, events: *mut epoll_event, count_max: c_int, timeout_ms: c_int) -> c_int {
    check::hit(check::Symbol::EpollWait);
    let ask = |timeout: c_int| {
        let arguments = [epoll as usize, events as usize, count_max as usize, timeout as isize as usize, 0, 0];
        with_errno(unsafe { raw_syscall(libc::SYS_epoll_wait, arguments) }) as c_int
    };
    if !kernel::in_simulation() {
        return ask(timeout_ms);
    }
    let is_dirty = || kernel::with(|kernel| kernel.descriptors.take_dirty(epoll)).unwrap_or(false);
    let interrupted = run_interrupts();
    if is_dirty() {
        let ready = ask(0);
        if ready != 0 {
            return ready;
        }
    }
    if interrupted {
        return 0;
    }
    if timeout_ms == 0 {
        kernel::tick(LOOK_NS);
        return 0;
    }
    let deadline = match u64::try_from(timeout_ms) {
        Ok(millis) => deadline_in(millis * 1_000_000),
        Err(_) => u64::MAX,
    };
    kernel::block(State::Polling { epoll }, deadline);
    run_interrupts();
    if is_dirty() { ask(0) } else { 0 }
}

/// Wakes what the network has for this host. Returns whether there was anything.
fn run_interrupts() -> bool {
    let wakers = kernel::with(|kernel| {
        let host = kernel.current_host();
        std::mem::take(&mut kernel.host(host).interrupts)
    })
    .unwrap_or_default();
    let any = !wakers.is_empty();
    for waker in wakers {
        waker.wake();
    }
    any
}

/// `poll` is simulated as far as a timeout goes: descriptors are looked at before and after it. A wait without end
/// could only be ended by something real, so it is refused.
unsafe fn simulated_poll(descriptors: *mut pollfd, count: nfds_t, nanos: Option<u64>) -> c_int {
    let look = || {
        with_errno(unsafe { raw_syscall(libc::SYS_poll, [descriptors as usize, count as usize, 0, 0, 0, 0]) }) as c_int
    };
    let ready = look();
    match nanos {
        _ if ready != 0 => ready,
        Some(0) => 0,
        Some(nanos) => {
            kernel::block(State::Sleeping, deadline_in(nanos));
            look()
        }
        None => {
            report_problem("poll without a timeout would wait for the real world: it fails with EACCES");
            with_errno(-c_long::from(libc::EACCES)) as c_int
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn poll(descriptors: *mut pollfd, count: nfds_t, timeout_ms: c_int) -> c_int {
    check::hit(check::Symbol::Poll);
    if kernel::in_simulation() {
        let nanos = u64::try_from(timeout_ms).ok().map(|millis| millis * 1_000_000);
        return unsafe { simulated_poll(descriptors, count, nanos) };
    }
    let arguments = [descriptors as usize, count as usize, timeout_ms as isize as usize, 0, 0, 0];
    with_errno(unsafe { raw_syscall(libc::SYS_poll, arguments) }) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ppoll(
    descriptors: *mut pollfd,
    count: nfds_t,
    timeout: *const libc::timespec,
    signals: *const libc::sigset_t,
) -> c_int {
    check::hit(check::Symbol::Ppoll);
    if kernel::in_simulation() {
        let nanos = unsafe { timeout.as_ref() }.map(super::nanos_of);
        return unsafe { simulated_poll(descriptors, count, nanos) };
    }
    // The kernel changes the timeout it is given; the C library's callers do not expect that.
    let mut left = unsafe { timeout.as_ref() }.copied();
    let left = left.as_mut().map_or(std::ptr::null_mut(), |left| &raw mut *left);
    // Size of the kernel's signal set, in bytes.
    let arguments = [descriptors as usize, count as usize, left as usize, signals as usize, 8, 0];
    with_errno(unsafe { raw_syscall(libc::SYS_ppoll, arguments) }) as c_int
}
