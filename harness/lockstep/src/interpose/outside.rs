//! Doors to the machine that no simulation can close behind itself: files, the process id, child processes.
//!
//! | asked for | a host gets |
//! |---|---|
//! | a file to read | the file, as it is on this machine |
//! | a device of randomness | EACCES, and a line on standard error: it would be another in each process |
//! | a file to write, or to make | EACCES, and a line: it would outlive a crash whole, and be there in the next run |
//! | the process id | a number of its own, another for each incarnation |
//! | a child process | EACCES, and a line: it would run in real time, past the scheduler |

use super::{Real, check};
use crate::HostId;
use crate::kernel;
use crate::sys::{raw_syscall, report_problem, with_errno};
use libc::{c_char, c_int, c_long, mode_t, pid_t, posix_spawn_file_actions_t, posix_spawnattr_t};
use std::ffi::CStr;

static POSIX_SPAWN: Real = Real::new(c"posix_spawn");
static POSIX_SPAWNP: Real = Real::new(c"posix_spawnp");
static FORK: Real = Real::new(c"fork");

/// Another in each process, whatever the seed.
const RANDOM_DEVICES: [&[u8]; 3] = [b"/dev/urandom", b"/dev/random", b"/dev/hwrng"];
/// What is written there is nowhere.
const NOWHERE: &[u8] = b"/dev/null";

/// Process ids of a host's incarnations.
const PIDS_PER_HOST: i32 = 1_000;

/// The host of the calling thread, by name; nothing on the controller, which is the harness itself, and outside.
fn simulated_host() -> Option<String> {
    kernel::with(|kernel| {
        let host = kernel.current_host();
        (host != HostId::CONTROLLER).then(|| kernel.host(host).name.clone())
    })?
}

/// Whether the file may not be opened, and what is said of it.
unsafe fn refusal(path: *const c_char, flags: c_int) -> Option<String> {
    let host = simulated_host()?;
    if path.is_null() {
        return None;
    }
    // Safety: the caller hands us a path as C has it.
    let path = unsafe { CStr::from_ptr(path) };
    let shown = path.to_string_lossy();
    if RANDOM_DEVICES.contains(&path.to_bytes()) {
        return Some(format!(
            "{host} called open(\"{shown}\"), whose bytes are others in each process: it fails with EACCES. getrandom is \
             simulated"
        ));
    }
    let writes = flags & libc::O_ACCMODE != libc::O_RDONLY || flags & (libc::O_CREAT | libc::O_TRUNC) != 0;
    (writes && path.to_bytes() != NOWHERE).then(|| {
        format!(
            "{host} called open(\"{shown}\") to write: a real file outlives crashes and runs, so it fails with EACCES. Keep \
             what a host writes in memory that the test owns"
        )
    })
}

unsafe fn open_file(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    if let Some(refusal) = unsafe { refusal(path, flags) } {
        report_problem(&refusal);
        return with_errno(-c_long::from(libc::EACCES)) as c_int;
    }
    let arguments = [libc::AT_FDCWD as isize as usize, path as usize, flags as usize, mode as usize, 0, 0];
    with_errno(unsafe { raw_syscall(libc::SYS_openat, arguments) }) as c_int
}

/// Variadic in C; the third argument, if any, arrives where a third argument does.
#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    check::hit(check::Symbol::Open);
    unsafe { open_file(path, flags, mode) }
}

/// As `open`: on this architecture all files are large.
#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    check::hit(check::Symbol::Open64);
    unsafe { open_file(path, flags, mode) }
}

#[unsafe(no_mangle)]
extern "C" fn getpid() -> pid_t {
    check::hit(check::Symbol::Getpid);
    let simulated = kernel::with(|kernel| {
        let host = kernel.current_host();
        let incarnation = kernel.host(host).incarnation as i32;
        (host != HostId::CONTROLLER).then(|| host.0 as i32 * PIDS_PER_HOST + incarnation % PIDS_PER_HOST)
    });
    simulated.flatten().unwrap_or_else(|| unsafe { raw_syscall(libc::SYS_getpid, [0; 6]) } as pid_t)
}

/// Says that a host may have no child process.
fn refuse_child(call: &str) -> bool {
    let host = simulated_host();
    if let Some(host) = &host {
        report_problem(&format!(
            "{host} called {call}: a child process would run in real time, past the scheduler, so it fails with EACCES"
        ));
    }
    host.is_some()
}

type Spawn = unsafe extern "C" fn(
    *mut pid_t,
    *const c_char,
    *const posix_spawn_file_actions_t,
    *const posix_spawnattr_t,
    *const *mut c_char,
    *const *mut c_char,
) -> c_int;

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawn(
    child: *mut pid_t,
    path: *const c_char,
    actions: *const posix_spawn_file_actions_t,
    attributes: *const posix_spawnattr_t,
    arguments: *const *mut c_char,
    environment: *const *mut c_char,
) -> c_int {
    check::hit(check::Symbol::PosixSpawn);
    if refuse_child("posix_spawn") {
        return libc::EACCES;
    }
    // Safety: the C library's function of this name has this type.
    let real: Spawn = unsafe { std::mem::transmute(POSIX_SPAWN.address()) };
    unsafe { real(child, path, actions, attributes, arguments, environment) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawnp(
    child: *mut pid_t,
    file: *const c_char,
    actions: *const posix_spawn_file_actions_t,
    attributes: *const posix_spawnattr_t,
    arguments: *const *mut c_char,
    environment: *const *mut c_char,
) -> c_int {
    check::hit(check::Symbol::PosixSpawnp);
    if refuse_child("posix_spawnp") {
        return libc::EACCES;
    }
    // Safety: the C library's function of this name has this type.
    let real: Spawn = unsafe { std::mem::transmute(POSIX_SPAWNP.address()) };
    unsafe { real(child, file, actions, attributes, arguments, environment) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fork() -> pid_t {
    check::hit(check::Symbol::Fork);
    if refuse_child("fork") {
        return with_errno(-c_long::from(libc::EACCES)) as pid_t;
    }
    // Safety: the C library's function of this name has this type.
    let real: unsafe extern "C" fn() -> pid_t = unsafe { std::mem::transmute(FORK.address()) };
    unsafe { real() }
}
