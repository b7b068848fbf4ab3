//! Is every symbol really ours? The order of libraries on the linker's command line, or another library that does as
//! we do, can take one away silently, and the simulation would merely not repeat.

use crate::error::Error;
use std::cell::Cell;
use std::ffi::CStr;
use std::task::Poll;
use std::time::Duration;

/// The symbols, in the order of `NAMES`.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Symbol {
    ClockGettime,
    Gettimeofday,
    Time,
    ClockNanosleep,
    Nanosleep,
    Syscall,
    Getrandom,
    Getentropy,
    SchedGetaffinity,
    Sysconf,
    Socket,
    Socketpair,
    Getaddrinfo,
    EpollCreate1,
    Eventfd,
    Fcntl,
    Close,
    Write,
    EpollCtl,
    EpollWait,
    Poll,
    Ppoll,
    PthreadCreate,
    PthreadJoin,
    SchedYield,
    Open,
    Open64,
    Getpid,
    PosixSpawn,
    PosixSpawnp,
    Fork,
}

const NAMES: [&str; 31] = [
    "clock_gettime",
    "gettimeofday",
    "time",
    "clock_nanosleep",
    "nanosleep",
    "syscall",
    "getrandom",
    "getentropy",
    "sched_getaffinity",
    "sysconf",
    "socket",
    "socketpair",
    "getaddrinfo",
    "epoll_create1",
    "eventfd",
    "fcntl",
    "close",
    "write",
    "epoll_ctl",
    "epoll_wait",
    "poll",
    "ppoll",
    "pthread_create",
    "pthread_join",
    "sched_yield",
    "open",
    "open64",
    "getpid",
    "posix_spawn",
    "posix_spawnp",
    "fork",
];

/// The symbols of the C library that are ours.
pub fn interposed_symbols() -> &'static [&'static str] {
    &NAMES
}

thread_local! {
    /// One bit per symbol this thread has come through.
    static HITS: Cell<u32> = const { Cell::new(0) };
}

pub(super) fn hit(symbol: Symbol) {
    HITS.set(HITS.get() | 1 << symbol as u32);
}

/// Calls everything once, outside a simulation, as other crates do: directly, through the standard library, through
/// tokio. Whatever did not come through here is not ours.
///
/// It also makes tokio create its process-wide socket pair for signals, if it was built with them, before a simulation
/// would refuse it.
pub fn check_interposition() -> Result<(), Error> {
    assert!(!crate::kernel::in_simulation(), "checked before a simulation begins");
    HITS.set(0);
    call_directly();
    let direct = HITS.replace(0);
    let through_std = call_through_std();
    let through_tokio = call_through_tokio();
    let missing = |expected: &[Symbol], hits: u32| {
        let missing: Vec<Symbol> = expected.iter().copied().filter(|symbol| hits & 1 << *symbol as u32 == 0).collect();
        missing
    };
    let all_ours = (1u32 << NAMES.len()) - 1;
    let mut lost: Vec<&'static str> =
        NAMES.iter().enumerate().filter(|(place, _)| (all_ours & !direct) & 1 << place != 0).map(|x| *x.1).collect();
    use Symbol::*;
    let std_uses = [
        ClockGettime,
        PthreadCreate,
        PthreadJoin,
        SchedGetaffinity,
        SchedYield,
        Syscall,
        Getrandom,
        Close,
        Open64,
        Getpid,
        PosixSpawnp,
    ];
    let tokio_uses = [EpollCreate1, EpollCtl, EpollWait, Eventfd, Fcntl, Write, Close];
    lost.extend(missing(&std_uses, through_std).into_iter().map(|symbol| NAMES[symbol as usize]));
    lost.extend(missing(&tokio_uses, through_tokio).into_iter().map(|symbol| NAMES[symbol as usize]));
    lost.extend(exported_elsewhere());
    lost.sort_unstable();
    lost.dedup();
    if lost.is_empty() { Ok(()) } else { Err(Error::NotInterposed(lost)) }
}

/// Every symbol once, with arguments that do nothing.
fn call_directly() {
    use std::ptr::{null, null_mut};
    extern "C" fn nothing(_: *mut libc::c_void) -> *mut libc::c_void {
        null_mut()
    }
    unsafe {
        let mut now: libc::timespec = std::mem::zeroed();
        let mut day: libc::timeval = std::mem::zeroed();
        let mut byte = [0u8; 1];
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let mut event: libc::epoll_event = std::mem::zeroed();
        let mut pair = [0; 2];
        let moment = libc::timespec { tv_sec: 0, tv_nsec: 1 };
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now);
        libc::gettimeofday(&mut day, null_mut());
        libc::time(null_mut());
        libc::clock_nanosleep(libc::CLOCK_MONOTONIC, 0, &moment, null_mut());
        libc::nanosleep(&moment, null_mut());
        libc::syscall(libc::SYS_futex, &raw const byte, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
        libc::getrandom(byte.as_mut_ptr().cast(), 1, 0);
        libc::getentropy(byte.as_mut_ptr().cast(), 1);
        libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set);
        libc::sysconf(libc::_SC_NPROCESSORS_ONLN);
        libc::sched_yield();
        libc::poll(null_mut(), 0, 0);
        let no_time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        libc::ppoll(null_mut(), 0, &no_time, null());
        let socket = libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        if libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0, pair.as_mut_ptr()) == 0 {
            libc::close(pair[0]);
            libc::close(pair[1]);
        }
        let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
        let wakeup = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
        libc::fcntl(wakeup, libc::F_GETFD);
        event.events = libc::EPOLLIN as u32;
        libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, wakeup, &mut event);
        libc::write(wakeup, 1u64.to_ne_bytes().as_ptr().cast(), 8);
        libc::epoll_wait(epoll, &mut event, 1, 0);
        for descriptor in [socket, epoll, wakeup] {
            libc::close(descriptor);
        }
        // Neither a name nor a service: an error, at once.
        libc::getaddrinfo(null(), null(), null(), &mut null_mut());
        let nowhere = c"/dev/null".as_ptr();
        libc::close(libc::open(nowhere, libc::O_RDONLY | libc::O_CLOEXEC));
        libc::close(libc::open64(nowhere, libc::O_RDONLY | libc::O_CLOEXEC));
        libc::getpid();
        call_for_children();
        let mut thread: libc::pthread_t = 0;
        if libc::pthread_create(&mut thread, null(), nothing, null_mut()) == 0 {
            libc::pthread_join(thread, null_mut());
        }
    }
}

/// A program that does not exist, and a child that does nothing.
unsafe fn call_for_children() {
    use std::ptr::{null, null_mut};
    let program = c"/dev/null/no-program".as_ptr();
    let arguments = [program.cast_mut(), null_mut()];
    let mut child = 0;
    unsafe {
        libc::posix_spawn(&mut child, program, null(), null(), arguments.as_ptr(), arguments[1..].as_ptr());
        libc::posix_spawnp(&mut child, program, null(), null(), arguments.as_ptr(), arguments[1..].as_ptr());
        match libc::fork() {
            0 => libc::_exit(0),
            child if child > 0 => drop(libc::waitpid(child, null_mut(), 0)),
            _ => {}
        }
    }
}

/// The standard library's calls; some are made on the thread it creates.
fn call_through_std() -> u32 {
    HITS.set(0);
    let on_thread = std::thread::spawn(|| {
        HITS.set(0);
        std::hint::black_box(std::collections::hash_map::RandomState::new());
        std::hint::black_box(std::time::Instant::now());
        std::hint::black_box(std::time::SystemTime::now());
        std::thread::sleep(Duration::from_nanos(1));
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_nanos(1));
        std::sync::Condvar::new().notify_one();
        let _ = std::hint::black_box(std::thread::available_parallelism());
        drop(std::hint::black_box(std::fs::File::open("/dev/null")));
        std::hint::black_box(std::process::id());
        drop(std::hint::black_box(std::process::Command::new("/dev/null/no-program").spawn()));
        HITS.get()
    });
    let on_thread = on_thread.join().unwrap_or(0);
    HITS.replace(0) | on_thread
}

/// A runtime's life: it waits once, and is woken by another thread, which writes to its event descriptor.
fn call_through_tokio() -> u32 {
    HITS.set(0);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return 0;
    };
    let by_waker = runtime.block_on(async {
        tokio::time::sleep(Duration::from_nanos(1)).await;
        std::future::poll_fn(|context| {
            let waker = context.waker().clone();
            let waking = std::thread::spawn(move || {
                HITS.set(0);
                waker.wake();
                HITS.get()
            });
            Poll::Ready(waking.join().unwrap_or(0))
        })
        .await
    });
    drop(runtime);
    HITS.replace(0) | by_waker
}

/// What the dynamic linker would give to other shared libraries: if it gives anything, it must be ours.
fn exported_elsewhere() -> Vec<&'static str> {
    let ours: [(&'static CStr, usize); 3] = [
        (c"clock_gettime", libc::clock_gettime as *const () as usize),
        (c"pthread_create", libc::pthread_create as *const () as usize),
        (c"syscall", libc::syscall as *const () as usize),
    ];
    let foreign = ours.into_iter().filter(|(name, address)| {
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) } as usize;
        found != *address
    });
    foreign.filter_map(|(name, _)| name.to_str().ok()).collect()
}
