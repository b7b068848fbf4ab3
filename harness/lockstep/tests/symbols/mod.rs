//! Each interposed symbol on its own, called as C calls it: what it does on a host, and that it does nothing of the kind
//! for a thread that is no part of a simulation.
use super::support::{alone, in_processes, report};
use super::{EPOCH, elapsed, millis, run_on_host};
use std::ffi::{CStr, c_void};
use std::io::ErrorKind;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::time::Duration;
use tempest_lockstep::{Options, RunEnd, current_host, interposed_symbols, simulate};

const SECOND: u64 = 1_000_000_000;
const PROCESSORS: usize = 3;

/// Shows what a symbol does; what it returns is the same in every process on a host, and another each time outside.
type Proof = fn() -> String;

/// The two proofs of a symbol. One that is interposed and not listed here fails the test.
fn proofs(symbol: &str) -> (Proof, Proof) {
    match symbol {
        "clock_gettime" => (virtual_clock, real_clock),
        "gettimeofday" => (virtual_day, real_day),
        "time" => (virtual_seconds, real_seconds),
        "clock_nanosleep" => (virtual_clock_nanosleep, real_clock_nanosleep),
        "nanosleep" => (virtual_nanosleep, real_nanosleep),
        "syscall" => (virtual_futex, real_futex),
        "getrandom" => (getrandom, getrandom),
        "getentropy" => (getentropy, getentropy),
        "sched_getaffinity" => (simulated_affinity, real_affinity),
        "sysconf" => (simulated_sysconf, real_sysconf),
        "socket" => (refused_socket, real_socket),
        "socketpair" => (refused_socketpair, real_socketpair),
        "getaddrinfo" => (refused_getaddrinfo, real_getaddrinfo),
        "epoll_create1" | "epoll_ctl" | "epoll_wait" | "eventfd" | "fcntl" | "close" | "write" => {
            (simulated_descriptors, real_descriptors)
        }
        "poll" => (virtual_poll, real_poll),
        "ppoll" => (virtual_ppoll, real_ppoll),
        "pthread_create" | "pthread_join" => (simulated_thread, real_thread),
        "sched_yield" => (simulated_yield, real_yield),
        "open" | "open64" => (open_on_a_host, open_for_real),
        "getpid" => (simulated_pid, real_pid),
        "posix_spawn" | "posix_spawnp" | "fork" => (refused_child, real_child),
        other => panic!("{other} is interposed, and nothing here shows what for"),
    }
}

/// Whether the outside's answers must differ from call to call.
fn is_random(symbol: &str) -> bool {
    symbol.starts_with("getrandom") || symbol.starts_with("getentropy")
}

#[test]
fn each_symbol_acts_on_a_host_the_same_in_every_process() {
    let test = "symbols::each_symbol_acts_on_a_host_the_same_in_every_process";
    let runs = in_processes(test, &["", ""], |_| {
        let options = Options { processors: PROCESSORS, ..Options::default() };
        simulate(7, options, |sim| {
            run_on_host(sim, || {
                for symbol in interposed_symbols() {
                    let (inside, _) = proofs(symbol);
                    report(format!("{symbol} {}", inside()));
                }
            });
        })
        .expect("a simulation begins");
    });
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0].lines().count(), interposed_symbols().len());
}

#[test]
fn each_symbol_passes_through_outside_before_during_and_after_a_simulation() {
    alone("symbols::each_symbol_passes_through_outside_before_during_and_after_a_simulation", || {
        let seen = |symbol: &'static str| (proofs(symbol).1)();
        let go_through = move |_| interposed_symbols().iter().map(|symbol| seen(symbol)).collect::<Vec<_>>();
        let before = go_through(());
        let over = Arc::new(AtomicBool::new(false));
        let running = over.clone();
        // On a thread that was there before the simulation, and in real time, while hosts pass virtual days.
        let outside = std::thread::spawn(move || {
            let mut rounds = Vec::new();
            while !running.load(Ordering::SeqCst) {
                rounds.push(go_through(()));
            }
            rounds
        });
        simulate(7, Options::default(), |sim| {
            let host = sim.add_host("host");
            sim.start(host, || (0..50_000).for_each(|_| std::thread::sleep(Duration::from_secs(1))));
            assert_eq!(sim.run(), RunEnd::Finished);
        })
        .expect("a simulation begins");
        over.store(true, Ordering::SeqCst);
        let during = outside.join().expect("the real world is as ever");
        let after = go_through(());
        for (place, symbol) in interposed_symbols().iter().enumerate().filter(|(_, symbol)| is_random(symbol)) {
            assert!(before[place] != after[place], "{symbol} is real randomness");
            assert!(during.iter().all(|round| round[place] != before[place]), "{symbol} is real randomness");
        }
    });
}

/// The kernel's clock, past everything that is interposed but the way into the kernel.
fn kernel_clock() -> u64 {
    let mut now = millis(0);
    assert_eq!(unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC, &raw mut now) }, 0);
    now.tv_sec as u64 * SECOND + now.tv_nsec as u64
}

/// Runs `wait` and checks that it takes virtual time, this much exactly.
fn takes_virtually(nanos: u64, wait: impl FnOnce()) -> String {
    let before = elapsed();
    wait();
    assert_eq!(elapsed() - before, nanos);
    nanos.to_string()
}

/// Runs `wait` and checks that it takes real time: at least three milliseconds, and not forever.
fn takes_really(wait: impl FnOnce()) -> String {
    let before = kernel_clock();
    wait();
    let took = kernel_clock() - before;
    assert!((3_000_000..60 * SECOND).contains(&took), "{took}");
    String::new()
}

fn last_error() -> ErrorKind {
    std::io::Error::last_os_error().kind()
}

fn read_clock(id: libc::clockid_t) -> u64 {
    let mut now = millis(0);
    assert_eq!(unsafe { libc::clock_gettime(id, &mut now) }, 0);
    now.tv_sec as u64 * SECOND + now.tv_nsec as u64
}

fn virtual_clock() -> String {
    let first = read_clock(libc::CLOCK_MONOTONIC);
    assert_eq!(read_clock(libc::CLOCK_MONOTONIC), first + 1, "a look takes a nanosecond");
    assert_eq!(read_clock(libc::CLOCK_REALTIME), EPOCH * SECOND + elapsed());
    assert_eq!(read_clock(libc::CLOCK_THREAD_CPUTIME_ID), elapsed());
    first.to_string()
}

fn real_clock() -> String {
    let (before, now) = (kernel_clock(), read_clock(libc::CLOCK_MONOTONIC));
    assert!((before..=kernel_clock()).contains(&now), "{before} {now}");
    String::new()
}

fn virtual_day() -> String {
    let mut day = libc::timeval { tv_sec: 0, tv_usec: 0 };
    assert_eq!(unsafe { libc::gettimeofday(&mut day, null_mut()) }, 0);
    let micros = day.tv_sec as u64 * 1_000_000 + day.tv_usec as u64;
    assert_eq!(micros, EPOCH * 1_000_000 + elapsed() / 1_000);
    micros.to_string()
}

fn real_day() -> String {
    let mut day = libc::timeval { tv_sec: 0, tv_usec: 0 };
    assert_eq!(unsafe { libc::gettimeofday(&mut day, null_mut()) }, 0);
    assert!((day.tv_sec as u64).abs_diff(kernel_wall()) <= 1);
    String::new()
}

/// Seconds since 1970, from the kernel.
fn kernel_wall() -> u64 {
    let mut now = millis(0);
    assert_eq!(unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_REALTIME, &raw mut now) }, 0);
    now.tv_sec as u64
}

fn virtual_seconds() -> String {
    let mut stored = 0;
    let returned = unsafe { libc::time(&mut stored) };
    assert_eq!((returned, stored as u64), (stored, EPOCH + elapsed() / SECOND));
    returned.to_string()
}

fn real_seconds() -> String {
    assert!((unsafe { libc::time(null_mut()) } as u64).abs_diff(kernel_wall()) <= 1);
    String::new()
}

fn virtual_clock_nanosleep() -> String {
    takes_virtually(86_400 * SECOND, || {
        let day = millis(86_400_000);
        assert_eq!(unsafe { libc::clock_nanosleep(libc::CLOCK_MONOTONIC, 0, &day, null_mut()) }, 0);
    })
}

fn real_clock_nanosleep() -> String {
    takes_really(|| {
        assert_eq!(unsafe { libc::clock_nanosleep(libc::CLOCK_MONOTONIC, 0, &millis(3), null_mut()) }, 0);
    })
}

fn virtual_nanosleep() -> String {
    takes_virtually(86_400 * SECOND, || {
        assert_eq!(unsafe { libc::nanosleep(&millis(86_400_000), null_mut()) }, 0);
    })
}

fn real_nanosleep() -> String {
    takes_really(|| assert_eq!(unsafe { libc::nanosleep(&millis(3), null_mut()) }, 0))
}

/// Waits on a futex that no thread wakes.
fn futex(timeout: libc::timespec) {
    let word = AtomicU32::new(0);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let result = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 0, &raw const timeout, 0, 0) };
    assert_eq!((result, last_error()), (-1, ErrorKind::TimedOut));
}

fn virtual_futex() -> String {
    assert_eq!(
        unsafe { libc::syscall(libc::SYS_getppid) },
        i64::from(std::os::unix::process::parent_id()),
        "others pass through"
    );
    takes_virtually(3_600 * SECOND, || futex(millis(3_600_000)))
}

fn real_futex() -> String {
    takes_really(|| futex(millis(3)))
}

fn getrandom() -> String {
    let mut bytes = [0u8; 32];
    assert_eq!(unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), 32, 0) }, 32);
    assert_ne!(bytes, [0; 32]);
    format!("{bytes:02x?}")
}

fn getentropy() -> String {
    let mut bytes = [0u8; 32];
    assert_eq!(unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), 32) }, 0);
    assert_ne!(bytes, [0; 32]);
    format!("{bytes:02x?}")
}

fn affinity() -> usize {
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    assert_eq!(unsafe { libc::sched_getaffinity(0, size_of_val(&set), &mut set) }, 0);
    unsafe { libc::CPU_COUNT(&set) as usize }
}

fn simulated_affinity() -> String {
    assert_eq!(affinity(), PROCESSORS);
    String::new()
}

fn real_affinity() -> String {
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let bytes = unsafe { libc::syscall(libc::SYS_sched_getaffinity, 0, size_of_val(&set), &raw mut set) };
    assert!(bytes > 0, "the kernel tells how many bytes it wrote");
    assert_eq!(affinity(), unsafe { libc::CPU_COUNT(&set) as usize });
    String::new()
}

fn simulated_sysconf() -> String {
    assert_eq!(unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }, PROCESSORS as i64);
    assert_eq!(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }, 4096, "others pass through");
    String::new()
}

fn real_sysconf() -> String {
    let name: &CStr = c"sysconf";
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(!found.is_null() && found != libc::sysconf as *const () as *mut c_void, "the C library's own");
    // Safety: the C library's function of this name has this type.
    let real: unsafe extern "C" fn(libc::c_int) -> libc::c_long = unsafe { std::mem::transmute(found) };
    for name in [libc::_SC_NPROCESSORS_ONLN, libc::_SC_NPROCESSORS_CONF, libc::_SC_PAGESIZE] {
        unsafe { assert_eq!(libc::sysconf(name), real(name)) };
    }
    String::new()
}

fn refused_socket() -> String {
    let result = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) };
    assert_eq!((result, last_error()), (-1, ErrorKind::PermissionDenied));
    String::new()
}

fn real_socket() -> String {
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    assert!(socket >= 0, "{}", std::io::Error::last_os_error());
    assert_eq!(unsafe { libc::close(socket) }, 0);
    String::new()
}

fn refused_socketpair() -> String {
    let mut pair = [-1; 2];
    let result = unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()) };
    assert_eq!((result, last_error(), pair), (-1, ErrorKind::PermissionDenied, [-1; 2]));
    String::new()
}

fn real_socketpair() -> String {
    let (mut pair, mut byte) = ([-1; 2], [0u8]);
    unsafe {
        assert_eq!(libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0, pair.as_mut_ptr()), 0);
        assert_eq!(libc::write(pair[0], [42u8].as_ptr().cast(), 1), 1);
        assert_eq!(libc::read(pair[1], byte.as_mut_ptr().cast(), 1), 1);
        pair.iter().for_each(|descriptor| assert_eq!(libc::close(*descriptor), 0));
    }
    assert_eq!(byte, [42]);
    String::new()
}

fn refused_getaddrinfo() -> String {
    let mut found = null_mut();
    assert_eq!(unsafe { libc::getaddrinfo(c"127.0.0.1".as_ptr(), null(), null(), &mut found) }, libc::EAI_FAIL);
    assert!(found.is_null());
    String::new()
}

fn real_getaddrinfo() -> String {
    let mut found = null_mut();
    unsafe {
        assert_eq!(libc::getaddrinfo(c"127.0.0.1".as_ptr(), null(), null(), &mut found), 0);
        assert_eq!((*found).ai_family, libc::AF_INET);
        libc::freeaddrinfo(found);
    }
    String::new()
}

/// An event descriptor, watched by an epoll through a duplicate of the epoll, as runtimes do it.
struct Watched {
    epoll: i32,
    duplicate: i32,
    wakeup: i32,
}

impl Watched {
    fn new() -> Watched {
        unsafe {
            let (epoll, wakeup) = (libc::epoll_create1(libc::EPOLL_CLOEXEC), libc::eventfd(0, libc::EFD_NONBLOCK));
            let duplicate = libc::fcntl(epoll, libc::F_DUPFD_CLOEXEC, 0);
            assert!(epoll >= 0 && wakeup >= 0 && duplicate >= 0 && duplicate != epoll);
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 42 };
            assert_eq!(libc::epoll_ctl(duplicate, libc::EPOLL_CTL_ADD, wakeup, &mut event), 0);
            Watched { epoll, duplicate, wakeup }
        }
    }

    /// How many events there are within so many milliseconds.
    fn wait(&self, timeout_ms: i32) -> i32 {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        let ready = unsafe { libc::epoll_wait(self.epoll, &mut event, 1, timeout_ms) };
        assert!(ready == 0 || { event.u64 } == 42);
        ready
    }

    fn close(self) {
        for descriptor in [self.duplicate, self.wakeup, self.epoll] {
            assert!(is_open(descriptor));
            assert_eq!(unsafe { libc::close(descriptor) }, 0);
            assert!(!is_open(descriptor));
        }
    }
}

fn wake(wakeup: i32) {
    assert_eq!(unsafe { libc::write(wakeup, 1u64.to_ne_bytes().as_ptr().cast(), 8) }, 8);
}

fn is_open(descriptor: i32) -> bool {
    unsafe { libc::fcntl(descriptor, libc::F_GETFD) >= 0 }
}

fn simulated_descriptors() -> String {
    let watched = Watched::new();
    takes_virtually(3_600 * SECOND, || assert_eq!(watched.wait(3_600_000), 0));
    let wakeup = watched.wakeup;
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(30));
        wake(wakeup);
    });
    takes_virtually(30 * SECOND, || assert_eq!(watched.wait(-1), 1));
    writer.join().expect("it only wrote");
    // Unwatched, a write wakes no thread.
    unsafe {
        assert_eq!(libc::epoll_ctl(watched.epoll, libc::EPOLL_CTL_DEL, wakeup, null_mut()), 0);
    }
    wake(wakeup);
    takes_virtually(SECOND, || assert_eq!(watched.wait(1_000), 0));
    watched.close();
    String::new()
}

fn real_descriptors() -> String {
    let watched = Watched::new();
    takes_really(|| assert_eq!(watched.wait(3), 0));
    wake(watched.wakeup);
    assert_eq!(watched.wait(-1), 1);
    let mut count = 0u64;
    assert_eq!(unsafe { libc::read(watched.wakeup, (&raw mut count).cast(), 8) }, 8);
    assert_eq!((count, watched.wait(0)), (1, 0));
    watched.close();
    String::new()
}

fn virtual_poll() -> String {
    takes_virtually(3_600 * SECOND, || assert_eq!(unsafe { libc::poll(null_mut(), 0, 3_600_000) }, 0))
}

fn real_poll() -> String {
    takes_really(|| assert_eq!(unsafe { libc::poll(null_mut(), 0, 3) }, 0))
}

fn virtual_ppoll() -> String {
    takes_virtually(3_600 * SECOND, || {
        assert_eq!(unsafe { libc::ppoll(null_mut(), 0, &millis(3_600_000), null()) }, 0);
    })
}

fn real_ppoll() -> String {
    let timeout = millis(3);
    takes_really(|| assert_eq!(unsafe { libc::ppoll(null_mut(), 0, &timeout, null()) }, 0));
    assert_eq!(timeout.tv_nsec, 3_000_000, "the caller's timeout stays as it was");
    String::new()
}

/// Sleeps for the milliseconds it is given, and answers whether it is part of a simulation: 1 or 2.
extern "C" fn sleep_and_tell(milliseconds: *mut c_void) -> *mut c_void {
    std::thread::sleep(Duration::from_millis(milliseconds as u64));
    std::ptr::without_provenance_mut(if current_host().is_some() { 1 } else { 2 })
}

fn thread(milliseconds: usize) -> usize {
    let (mut handle, mut told) = (0, null_mut());
    unsafe {
        let argument = std::ptr::without_provenance_mut(milliseconds);
        assert_eq!(libc::pthread_create(&mut handle, null(), sleep_and_tell, argument), 0);
        assert_eq!(libc::pthread_join(handle, &mut told), 0);
    }
    told as usize
}

fn simulated_thread() -> String {
    takes_virtually(3_600 * SECOND, || assert_eq!(thread(3_600_000), 1))
}

fn real_thread() -> String {
    takes_really(|| assert_eq!(thread(3), 2))
}

/// Only if a yield hands the turn over does the other thread ever run: nothing else here does.
fn simulated_yield() -> String {
    let flag = Arc::new(AtomicBool::new(false));
    let setter = flag.clone();
    let thread = std::thread::spawn(move || setter.store(true, Ordering::SeqCst));
    while !flag.load(Ordering::SeqCst) {
        assert_eq!(unsafe { libc::sched_yield() }, 0);
    }
    thread.join().expect("it only set a flag");
    String::new()
}

fn real_yield() -> String {
    assert_eq!(unsafe { libc::sched_yield() }, 0);
    String::new()
}

/// A crash closes what `epoll_create1`, `eventfd` and `fcntl` have made for the host, leaves alone what others have made,
/// and does not take a number that `close` has given back for the old descriptor.
#[test]
fn descriptors_die_with_their_host_unless_they_were_closed() {
    alone("symbols::descriptors_die_with_their_host_unless_they_were_closed", || {
        let made: Arc<[AtomicI32; 4]> = Arc::new([const { AtomicI32::new(-1) }; 4]);
        let told = made.clone();
        simulate(7, Options::default(), move |sim| {
            let host = sim.add_host("host");
            sim.start(host, move || {
                let short_lived = unsafe { libc::eventfd(0, 0) };
                assert_eq!(unsafe { libc::close(short_lived) }, 0);
                let mut pipe = [-1; 2];
                assert_eq!(unsafe { libc::pipe(pipe.as_mut_ptr()) }, 0);
                assert_eq!(pipe[0], short_lived, "the number is used again");
                let watched = Watched::new();
                let all = [pipe[0], watched.epoll, watched.duplicate, watched.wakeup];
                told.iter().zip(all).for_each(|(told, descriptor)| told.store(descriptor, Ordering::SeqCst));
                watched.wait(-1);
            });
            sim.run_for(Duration::from_secs(1));
            let open = |made: &[AtomicI32]| -> Vec<bool> {
                made.iter().map(|descriptor| is_open(descriptor.load(Ordering::SeqCst))).collect()
            };
            assert_eq!(open(&*made), [true; 4]);
            sim.crash(host);
            assert_eq!(open(&*made), [true, false, false, false]);
        })
        .expect("a simulation begins");
    });
}

/// What opening a file comes to, in one of the two ways.
fn opened(path: &CStr, flags: libc::c_int) -> Result<(), ErrorKind> {
    type Open = unsafe extern "C" fn(*const libc::c_char, libc::c_int, ...) -> libc::c_int;
    for open in [libc::open as Open, libc::open64 as Open] {
        let descriptor = unsafe { open(path.as_ptr(), flags | libc::O_CLOEXEC, 0o600) };
        if descriptor < 0 {
            return Err(last_error());
        }
        assert_eq!(unsafe { libc::close(descriptor) }, 0);
    }
    Ok(())
}

fn open_on_a_host() -> String {
    assert_eq!(opened(c"/etc/hostname", libc::O_RDONLY).or(opened(c"/proc/self/status", libc::O_RDONLY)), Ok(()));
    assert_eq!(opened(c"/dev/null", libc::O_RDWR), Ok(()));
    for device in [c"/dev/urandom", c"/dev/random"] {
        assert_eq!(opened(device, libc::O_RDONLY), Err(ErrorKind::PermissionDenied));
    }
    let made = c"/tmp/lockstep-symbols-never-made";
    assert_eq!(opened(made, libc::O_WRONLY | libc::O_CREAT), Err(ErrorKind::PermissionDenied));
    assert_eq!(
        std::fs::write("/tmp/lockstep-symbols-never-made", "x").map_err(|e| e.kind()),
        Err(ErrorKind::PermissionDenied)
    );
    assert!(!std::path::Path::new("/tmp/lockstep-symbols-never-made").exists());
    String::new()
}

fn open_for_real() -> String {
    assert_eq!(opened(c"/dev/urandom", libc::O_RDONLY), Ok(()));
    String::new()
}

fn simulated_pid() -> String {
    let own = std::process::id();
    assert_eq!(own as i32, unsafe { libc::getpid() });
    assert!(
        !std::path::Path::new("/proc/self").read_link().is_ok_and(|real| real.to_string_lossy() == own.to_string())
    );
    own.to_string()
}

fn real_pid() -> String {
    let real = std::path::Path::new("/proc/self").read_link().expect("Linux has it");
    assert_eq!(real.to_string_lossy(), std::process::id().to_string());
    String::new()
}

/// With a hook that runs in the child the standard library forks.
fn started(by_fork: bool) -> Result<(), ErrorKind> {
    use std::os::unix::process::CommandExt;
    let mut command = std::process::Command::new("/bin/true");
    if by_fork {
        unsafe { command.pre_exec(|| Ok(())) };
    }
    command.status().map(|status| assert!(status.success())).map_err(|error| error.kind())
}

fn refused_child() -> String {
    assert_eq!(started(false), Err(ErrorKind::PermissionDenied));
    assert_eq!(started(true), Err(ErrorKind::PermissionDenied));
    let mut child = 0;
    let program = [c"/bin/true".as_ptr().cast_mut(), null_mut()];
    let environment = [null_mut()];
    let refused =
        unsafe { libc::posix_spawn(&mut child, program[0], null(), null(), program.as_ptr(), environment.as_ptr()) };
    assert_eq!(refused, libc::EACCES);
    String::new()
}

fn real_child() -> String {
    assert_eq!((started(false), started(true)), (Ok(()), Ok(())));
    String::new()
}
