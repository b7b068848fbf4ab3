//! Every interposed symbol acts inside a simulation and passes through outside: `symbols` shows it one by one, what is here
//! shows it as the standard library and runtimes use them.
#![cfg(lockstep_supported)]

mod support;
mod symbols;

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::{alone, in_processes, in_simulation, report};
use tempest_lockstep::{
    Error, HostStatus, Options, RunEnd, Simulation, check_interposition, current_host, host_name, now_ns, simulate,
};

const EPOCH: u64 = 1_767_225_600;

/// Runs `body` on a host and fails if it does.
fn on_host(body: impl FnOnce() + Send + 'static) {
    in_simulation(|sim| run_on_host(sim, body));
}

fn run_on_host(sim: &mut Simulation, body: impl FnOnce() + Send + 'static) {
    let host = sim.add_host("host");
    sim.start(host, body);
    assert_eq!(sim.run(), RunEnd::Finished);
    assert_eq!(sim.status(host), HostStatus::Exited);
}

fn elapsed() -> u64 {
    now_ns().expect("on a thread of a simulation")
}

fn millis(count: i64) -> libc::timespec {
    libc::timespec { tv_sec: count / 1000, tv_nsec: count % 1000 * 1_000_000 }
}

#[test]
fn every_symbol_is_ours() {
    assert_eq!(check_interposition(), Ok(()));
}

#[test]
fn a_clock_read_takes_one_nanosecond() {
    alone("a_clock_read_takes_one_nanosecond", || {
        on_host(|| {
            let before = elapsed();
            let first = Instant::now();
            let second = Instant::now();
            assert_eq!(second - first, Duration::from_nanos(1));
            assert_eq!(elapsed() - before, 2);
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
            assert_eq!(wall, Duration::from_secs(EPOCH) + Duration::from_nanos(elapsed()));
        });
    });
}

#[test]
fn gettimeofday_and_time_tell_virtual_time() {
    alone("gettimeofday_and_time_tell_virtual_time", || {
        on_host(|| unsafe {
            std::thread::sleep(Duration::from_millis(2500));
            let mut day: libc::timeval = std::mem::zeroed();
            assert_eq!(libc::gettimeofday(&mut day, std::ptr::null_mut()), 0);
            assert_eq!((day.tv_sec, day.tv_usec), (EPOCH as i64 + 2, 500_000));
            let mut stored = 0;
            assert_eq!(libc::time(&mut stored), EPOCH as i64 + 2);
            assert_eq!(stored, EPOCH as i64 + 2);
        });
    });
}

#[test]
fn sleeping_takes_exactly_the_virtual_time_asked_for() {
    alone("sleeping_takes_exactly_the_virtual_time_asked_for", || {
        on_host(|| unsafe {
            let none = std::ptr::null_mut();
            let before = elapsed();
            assert_eq!(libc::nanosleep(&millis(1500), none), 0);
            assert_eq!(elapsed() - before, 1_500_000_000);
            assert_eq!(libc::clock_nanosleep(libc::CLOCK_MONOTONIC, 0, &millis(20), none), 0);
            assert_eq!(elapsed() - before, 1_520_000_000);
            let until = libc::timespec { tv_sec: EPOCH as i64 + 10, tv_nsec: 0 };
            assert_eq!(libc::clock_nanosleep(libc::CLOCK_REALTIME, libc::TIMER_ABSTIME, &until, none), 0);
            assert_eq!(elapsed(), 10_000_000_000);
            std::thread::sleep(Duration::from_secs(86_400));
            assert_eq!(elapsed(), 86_410_000_000_000);
        });
    });
}

#[test]
fn randomness_comes_from_the_seed_through_every_door() {
    let test = "randomness_comes_from_the_seed_through_every_door";
    let draws = in_processes(test, &["1", "1", "2"], |seed| {
        let seed = seed.parse().expect("a seed");
        simulate(seed, Options::default(), |sim| {
            run_on_host(sim, || unsafe {
                let mut bytes = [[0u8; 300]; 3];
                assert_eq!(libc::getrandom(bytes[0].as_mut_ptr().cast(), 300, 0), 300);
                assert_eq!(libc::getentropy(bytes[1].as_mut_ptr().cast(), 300), -1, "at most 256 bytes");
                assert_eq!(libc::getentropy(bytes[1].as_mut_ptr().cast(), 256), 0);
                assert_eq!(libc::syscall(libc::SYS_getrandom, bytes[2].as_mut_ptr(), 300usize, 0), 300);
                let keys = std::collections::hash_map::RandomState::new();
                report(format!("{bytes:02x?} {:x}", std::hash::BuildHasher::hash_one(&keys, "key")));
            });
        })
        .expect("a simulation begins");
    });
    assert_eq!(draws[0], draws[1]);
    assert_ne!(draws[0], draws[2]);
    assert!(draws[0].len() > 900, "{draws:?}");
}

#[test]
fn the_number_of_processors_is_an_option() {
    alone("the_number_of_processors_is_an_option", || {
        let options = Options { processors: 3, ..Options::default() };
        simulate(1, options, |sim| {
            run_on_host(sim, || unsafe {
                let mut set: libc::cpu_set_t = std::mem::zeroed();
                assert_eq!(libc::sched_getaffinity(0, size_of_val(&set), &mut set), 0);
                assert_eq!(libc::CPU_COUNT(&set), 3);
                assert_eq!(libc::sysconf(libc::_SC_NPROCESSORS_ONLN), 3);
                assert_eq!(libc::sysconf(libc::_SC_NPROCESSORS_CONF), 3);
                assert_eq!(libc::sysconf(libc::_SC_PAGESIZE), 4096);
            });
        })
        .expect("a simulation begins");
    });
}

#[test]
fn real_sockets_are_refused() {
    alone("real_sockets_are_refused", || {
        on_host(|| {
            let refused = |kind: ErrorKind| assert_eq!(kind, ErrorKind::PermissionDenied);
            refused(std::net::TcpListener::bind("127.0.0.1:0").expect_err("refused").kind());
            refused(std::net::UdpSocket::bind("127.0.0.1:0").expect_err("refused").kind());
            assert!(std::net::ToSocketAddrs::to_socket_addrs("localhost:1").is_err(), "names are not resolved");
            refused(std::os::unix::net::UnixStream::pair().expect_err("refused").kind());
        });
    });
}

#[test]
fn plain_files_are_read_as_ever() {
    alone("plain_files_are_read_as_ever", || {
        on_host(|| assert!(std::fs::read_to_string("/proc/self/status").expect("it is there").contains("Name:")));
    });
}

#[test]
fn epoll_waits_in_virtual_time_and_is_woken_by_an_event_descriptor() {
    alone("epoll_waits_in_virtual_time_and_is_woken_by_an_event_descriptor", || {
        on_host(|| unsafe {
            let (epoll, wakeup) = (libc::epoll_create1(0), libc::eventfd(0, libc::EFD_NONBLOCK));
            // Runtimes register through a duplicate of the descriptor they wait on.
            let duplicate = libc::fcntl(epoll, libc::F_DUPFD_CLOEXEC, 0);
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 42 };
            assert_eq!(libc::epoll_ctl(duplicate, libc::EPOLL_CTL_ADD, wakeup, &mut event), 0);
            let before = elapsed();
            assert_eq!(libc::epoll_wait(epoll, &mut event, 1, 50), 0);
            assert_eq!(elapsed() - before, 50_000_000);
            let writer = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(30));
                assert_eq!(libc::write(wakeup, 1u64.to_ne_bytes().as_ptr().cast(), 8), 8);
            });
            assert_eq!(libc::epoll_wait(epoll, &mut event, 1, -1), 1);
            assert_eq!({ event.u64 }, 42);
            assert_eq!(elapsed() - before, 80_000_000);
            writer.join().expect("it only wrote");
            for descriptor in [duplicate, wakeup, epoll] {
                assert_eq!(libc::close(descriptor), 0);
                assert_eq!(libc::close(descriptor), -1, "closed for real");
            }
        });
    });
}

#[test]
fn poll_waits_in_virtual_time_and_never_without_end() {
    alone("poll_waits_in_virtual_time_and_never_without_end", || {
        on_host(|| unsafe {
            let wakeup = libc::eventfd(0, 0);
            let mut descriptor = libc::pollfd { fd: wakeup, events: libc::POLLIN, revents: 0 };
            let before = elapsed();
            assert_eq!(libc::poll(&mut descriptor, 1, 70), 0);
            assert_eq!(libc::ppoll(&mut descriptor, 1, &millis(30), std::ptr::null()), 0);
            assert_eq!(elapsed() - before, 100_000_000);
            assert_eq!(libc::poll(&mut descriptor, 1, -1), -1);
            assert_eq!(std::io::Error::last_os_error().kind(), ErrorKind::PermissionDenied);
            libc::write(wakeup, 1u64.to_ne_bytes().as_ptr().cast(), 8);
            assert_eq!(libc::poll(&mut descriptor, 1, -1), 1);
        });
    });
}

#[test]
fn threads_locks_and_channels_of_the_standard_library_wait_in_virtual_time() {
    alone("threads_locks_and_channels_of_the_standard_library_wait_in_virtual_time", || {
        on_host(|| {
            let host = current_host();
            let shared = Arc::new((Mutex::new(0), Condvar::new()));
            let (send, receive) = mpsc::channel();
            let workers = (1..=4u64).map(|worker| {
                let (shared, send) = (shared.clone(), send.clone());
                std::thread::spawn(move || {
                    assert_eq!(current_host(), host);
                    std::thread::sleep(Duration::from_secs(worker));
                    *shared.0.lock().expect("not poisoned") += 1;
                    shared.1.notify_all();
                    send.send(worker).expect("somebody receives");
                })
            });
            let workers: Vec<_> = workers.collect();
            let guard = shared.1.wait_while(shared.0.lock().expect("not poisoned"), |count| *count < 4);
            drop(guard.expect("not poisoned"));
            assert_eq!(elapsed() / 1_000_000_000, 4);
            for worker in workers {
                worker.join().expect("it did its work");
            }
            drop(send);
            assert_eq!(receive.iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
            let before = elapsed();
            std::thread::park_timeout(Duration::from_secs(7));
            let (_guard, timeout) = shared
                .1
                .wait_timeout(shared.0.lock().expect("not poisoned"), Duration::from_secs(3))
                .expect("not poisoned");
            assert!(timeout.timed_out());
            assert_eq!((elapsed() - before) / 1_000_000, 10_000);
        });
    });
}

#[test]
fn spinning_ends() {
    alone("spinning_ends", || {
        on_host(|| {
            let flag = Arc::new(AtomicBool::new(false));
            let setter = flag.clone();
            let thread = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(1));
                setter.store(true, Ordering::SeqCst);
            });
            while !flag.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            thread.join().expect("it only set a flag");
            flag.store(false, Ordering::SeqCst);
            let setter = flag.clone();
            let thread = std::thread::spawn(move || setter.store(true, Ordering::SeqCst));
            while !flag.load(Ordering::SeqCst) {
                std::hint::black_box(Instant::now());
            }
            thread.join().expect("it only set a flag");
            let deadline = Instant::now() + Duration::from_micros(100);
            while Instant::now() < deadline {}
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let late = tokio::spawn(tokio::time::sleep(Duration::from_millis(1)));
                while !late.is_finished() {
                    tokio::task::yield_now().await;
                }
            });
        });
    });
}

/// Everything the symbols do for threads that have nothing to do with a simulation.
fn use_the_real_world() {
    assert_eq!((current_host(), host_name(), now_ns()), (None, None, None));
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let seconds = unsafe { libc::time(std::ptr::null_mut()) };
    assert!(seconds.abs_diff(wall.as_secs() as i64) <= 1);
    let mut day: libc::timeval = unsafe { std::mem::zeroed() };
    unsafe { libc::gettimeofday(&mut day, std::ptr::null_mut()) };
    assert!(day.tv_sec.abs_diff(wall.as_secs() as i64) <= 1);
    let before = Instant::now();
    std::thread::sleep(Duration::from_nanos(1));
    unsafe { libc::nanosleep(&libc::timespec { tv_sec: 0, tv_nsec: 1 }, std::ptr::null_mut()) };
    assert!(before.elapsed() >= Duration::from_nanos(2));
    let mut bytes = [[0u8; 32]; 3];
    unsafe {
        assert_eq!(libc::getrandom(bytes[0].as_mut_ptr().cast(), 32, 0), 32);
        assert_eq!(libc::getentropy(bytes[1].as_mut_ptr().cast(), 32), 0);
        assert_eq!(libc::syscall(libc::SYS_getrandom, bytes[2].as_mut_ptr(), 32usize, 0), 32);
        assert_eq!(libc::poll(std::ptr::null_mut(), 0, 0), 0);
        assert_eq!(libc::ppoll(std::ptr::null_mut(), 0, &millis(0), std::ptr::null()), 0);
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        assert_eq!(libc::sched_getaffinity(0, size_of_val(&set), &mut set), 0);
        assert!(
            libc::CPU_COUNT(&set) >= 1 && libc::CPU_COUNT(&set) as i64 <= libc::sysconf(libc::_SC_NPROCESSORS_CONF)
        );
    }
    assert!(bytes[0] != bytes[1] && bytes[1] != bytes[2]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a real port");
    let address = listener.local_addr().expect("it is bound");
    std::net::TcpStream::connect(address).expect("a real connection");
    std::os::unix::net::UnixStream::pair().expect("a real pair");
    assert!(std::net::ToSocketAddrs::to_socket_addrs("localhost:1").is_ok());
    std::thread::yield_now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let sum = runtime.expect("a real runtime").block_on(async {
        let (send, receive) = tokio::sync::oneshot::channel();
        tokio::task::spawn_blocking(move || send.send(1));
        tokio::time::sleep(Duration::from_nanos(1)).await;
        receive.await.expect("sent") + tokio::spawn(async { 2 }).await.expect("it adds up")
    });
    assert_eq!(sum, 3);
}

#[test]
fn threads_outside_pass_through() {
    use_the_real_world();
}

#[test]
fn threads_outside_pass_through_while_a_simulation_runs_and_after_it() {
    alone("threads_outside_pass_through_while_a_simulation_runs_and_after_it", || {
        let over = Arc::new(AtomicBool::new(false));
        let seen = over.clone();
        let outside = std::thread::spawn(move || {
            while !seen.load(Ordering::SeqCst) {
                use_the_real_world();
            }
            use_the_real_world();
        });
        in_simulation(|sim| {
            let host = sim.add_host("host");
            sim.start_async(host, || async {
                for _ in 0..2_000 {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    tokio::task::spawn_blocking(|| ()).await.expect("nothing cannot fail");
                }
            });
            assert_eq!(sim.run(), RunEnd::Finished);
        });
        over.store(true, Ordering::SeqCst);
        outside.join().expect("the real world is as ever");
        use_the_real_world();
    });
}

#[test]
fn a_process_holds_one_simulation() {
    alone("a_process_holds_one_simulation", || {
        let bad = Options { window_bytes: 0, ..Options::default() };
        let error = Simulation::begin(1, bad).err().expect("refused");
        assert_eq!(error, Error::BadOption("window_bytes: at least 1"));
        drop(Simulation::begin(1, Options::default()).expect("the first begins"));
        assert_eq!(Simulation::begin(2, Options::default()).err(), Some(Error::AlreadyBegun));
    });
}
