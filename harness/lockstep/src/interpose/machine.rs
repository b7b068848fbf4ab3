//! Randomness, what the machine says of itself, and the doors to the real network, which are closed.

use super::{Real, check};
use crate::kernel;
use crate::sys::{raw_syscall, report_problem, with_errno};
use libc::{addrinfo, c_char, c_int, c_long, c_uint, c_void, cpu_set_t, pid_t, size_t, ssize_t};

static SYSCONF: Real = Real::new(c"sysconf");
static GETADDRINFO: Real = Real::new(c"getaddrinfo");

/// Fills memory from the current host's entropy; on a thread of a simulation only.
pub(super) unsafe fn fill_random(buffer: *mut u8, length: usize) -> usize {
    if length > 0 {
        // Safety: the caller hands us `length` bytes to write, perhaps not initialised yet.
        let bytes = unsafe {
            buffer.write_bytes(0, length);
            std::slice::from_raw_parts_mut(buffer, length)
        };
        kernel::with(|kernel| kernel.fill_random(bytes));
    }
    length
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    check::hit(check::Symbol::Getrandom);
    if kernel::in_simulation() {
        return unsafe { fill_random(buffer.cast(), length) } as ssize_t;
    }
    let arguments = [buffer as usize, length, flags as usize, 0, 0, 0];
    with_errno(unsafe { raw_syscall(libc::SYS_getrandom, arguments) }) as ssize_t
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getentropy(buffer: *mut c_void, length: size_t) -> c_int {
    check::hit(check::Symbol::Getentropy);
    if length > 256 {
        return with_errno(-c_long::from(libc::EIO)) as c_int;
    }
    let filled = unsafe { getrandom(buffer, length, 0) };
    if filled < 0 { -1 } else { 0 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sched_getaffinity(process: pid_t, size: size_t, set: *mut cpu_set_t) -> c_int {
    check::hit(check::Symbol::SchedGetaffinity);
    if let Some(processors) = kernel::with(|kernel| kernel.options.processors) {
        // Safety: the caller hands us `size` bytes to write.
        let bytes = unsafe {
            set.cast::<u8>().write_bytes(0, size);
            std::slice::from_raw_parts_mut(set.cast::<u8>(), size)
        };
        for processor in 0..processors.min(size * 8) {
            bytes[processor / 8] |= 1 << (processor % 8);
        }
        return 0;
    }
    let result = unsafe { raw_syscall(libc::SYS_sched_getaffinity, [process as usize, size, set as usize, 0, 0, 0]) };
    if result < 0 {
        return with_errno(result) as c_int;
    }
    // The kernel writes as many bytes as it has processors for; the C library clears the rest.
    let written = result as usize;
    unsafe { set.cast::<u8>().add(written).write_bytes(0, size - written) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sysconf(name: c_int) -> c_long {
    check::hit(check::Symbol::Sysconf);
    if matches!(name, libc::_SC_NPROCESSORS_ONLN | libc::_SC_NPROCESSORS_CONF)
        && let Some(processors) = kernel::with(|kernel| kernel.options.processors)
    {
        return processors as c_long;
    }
    // Safety: the C library's function of this name has this type.
    let real: unsafe extern "C" fn(c_int) -> c_long = unsafe { std::mem::transmute(SYSCONF.address()) };
    unsafe { real(name) }
}

/// A real socket would bring in real time and the real world: it is refused, loudly.
#[unsafe(no_mangle)]
unsafe extern "C" fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int {
    check::hit(check::Symbol::Socket);
    if let Some(host) = crate::host_name() {
        report_problem(&format!(
            "{host} asked for a real socket (domain {domain}, type {kind}); inside a simulation there is only the \
             simulated network: it fails with EACCES"
        ));
        return with_errno(-c_long::from(libc::EACCES)) as c_int;
    }
    let arguments = [domain as usize, kind as usize, protocol as usize, 0, 0, 0];
    with_errno(unsafe { raw_syscall(libc::SYS_socket, arguments) }) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn socketpair(domain: c_int, kind: c_int, protocol: c_int, pair: *mut c_int) -> c_int {
    check::hit(check::Symbol::Socketpair);
    if let Some(host) = crate::host_name() {
        report_problem(&format!(
            "{host} asked for a real socket pair (domain {domain}, type {kind}), whose readiness is not simulated: it \
             fails with EACCES"
        ));
        return with_errno(-c_long::from(libc::EACCES)) as c_int;
    }
    let arguments = [domain as usize, kind as usize, protocol as usize, pair as usize, 0, 0];
    with_errno(unsafe { raw_syscall(libc::SYS_socketpair, arguments) }) as c_int
}

/// The C library would ask real servers through sockets of its own, and wait for them in real time.
#[unsafe(no_mangle)]
unsafe extern "C" fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    result: *mut *mut addrinfo,
) -> c_int {
    check::hit(check::Symbol::Getaddrinfo);
    if let Some(host) = crate::host_name() {
        report_problem(&format!(
            "{host} wants to resolve a name; there is no real network inside a simulation: it fails"
        ));
        return libc::EAI_FAIL;
    }
    type Resolve = unsafe extern "C" fn(*const c_char, *const c_char, *const addrinfo, *mut *mut addrinfo) -> c_int;
    // Safety: the C library's function of this name has this type.
    let real: Resolve = unsafe { std::mem::transmute(GETADDRINFO.address()) };
    unsafe { real(node, service, hints, result) }
}
