//! Threads: a thread created by a thread of a simulation is part of it, on the same host.

use super::{Real, check};
use crate::kernel::{self, State};
use crate::sys::{Baton, raw_syscall};
use libc::{c_int, c_void, pthread_attr_t, pthread_key_t, pthread_t};
use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::sync::OnceLock;

type Main = extern "C" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(*mut pthread_t, *const pthread_attr_t, Main, *mut c_void) -> c_int;
type Join = unsafe extern "C" fn(pthread_t, *mut *mut c_void) -> c_int;

static PTHREAD_CREATE: Real = Real::new(c"pthread_create");
static PTHREAD_JOIN: Real = Real::new(c"pthread_join");

/// What a new thread needs to join the simulation.
struct Start {
    main: Main,
    argument: *mut c_void,
    kernel: usize,
    thread: usize,
    baton: &'static Baton,
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    handle: *mut pthread_t,
    attributes: *const pthread_attr_t,
    main: Main,
    argument: *mut c_void,
) -> c_int {
    check::hit(check::Symbol::PthreadCreate);
    // Safety: the C library's function of this name has this type.
    let real: Create = unsafe { std::mem::transmute(PTHREAD_CREATE.address()) };
    let kernel = kernel::address();
    let Some((thread, baton)) = kernel::with(|kernel| kernel.add_thread()) else {
        return unsafe { real(handle, attributes, main, argument) };
    };
    exit_key();
    let start = Box::into_raw(Box::new(Start { main, argument, kernel, thread, baton }));
    let result = unsafe { real(handle, attributes, first_turn, start.cast()) };
    kernel::with(|kernel| {
        if result == 0 {
            kernel.threads[thread].handle = unsafe { *handle };
            kernel.make_ready(thread);
        } else {
            kernel.threads[thread].state = State::Exited;
        }
    });
    result
}

extern "C" fn first_turn(start: *mut c_void) -> *mut c_void {
    // Safety: boxed by `pthread_create` for this thread alone.
    let start = unsafe { Box::from_raw(start.cast::<Start>()) };
    arm_exit();
    start.baton.wait();
    kernel::enter(start.kernel, start.thread);
    kernel::with(|kernel| kernel.threads[start.thread].state = State::Running);
    crate::spinning::turn_taken(false);
    // Draws the keys of this thread's hash maps now, rather than at the first one: that may be in code that logs, whose
    // randomness is another.
    let _ = RandomState::new();
    (start.main)(start.argument)
}

thread_local! {
    static EXIT_ROUNDS: Cell<u32> = const { Cell::new(0) };
}

fn exit_key() -> pthread_key_t {
    static KEY: OnceLock<pthread_key_t> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        let result = unsafe { libc::pthread_key_create(&mut key, Some(on_exit)) };
        assert_eq!(result, 0, "a process has more than one key for thread-local storage");
        key
    })
}

fn arm_exit() {
    // Any value that is not null has the destructor called.
    unsafe { libc::pthread_setspecific(exit_key(), &raw const PTHREAD_CREATE as *const c_void) };
}

/// Runs after the destructors of Rust's thread locals. The C library goes over its keys four times; we wait for the
/// third, so that destructors of other keys still run under the thread's turn.
unsafe extern "C" fn on_exit(_: *mut c_void) {
    EXIT_ROUNDS.set(EXIT_ROUNDS.get() + 1);
    if EXIT_ROUNDS.get() < 3 {
        arm_exit();
    } else if kernel::in_simulation() {
        kernel::leave();
    }
}

/// Waits in virtual time for the thread's last turn, and for real for the moment it then needs to be gone.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_join(handle: pthread_t, result: *mut *mut c_void) -> c_int {
    check::hit(check::Symbol::PthreadJoin);
    // Handles are used again; the newest thread is the one meant.
    let target = kernel::with(|kernel| {
        let thread = kernel.threads.iter().rposition(|thread| thread.handle == handle)?;
        Some((thread, kernel.threads[thread].state == State::Exited))
    });
    if let Some((thread, exited)) = target.flatten() {
        if !exited {
            kernel::block(State::Joining { thread }, u64::MAX);
        }
        kernel::with(|kernel| kernel.threads[thread].handle = 0);
    }
    // Safety: the C library's function of this name has this type.
    let real: Join = unsafe { std::mem::transmute(PTHREAD_JOIN.address()) };
    unsafe { real(handle, result) }
}

#[unsafe(no_mangle)]
extern "C" fn sched_yield() -> c_int {
    check::hit(check::Symbol::SchedYield);
    if kernel::in_simulation() {
        kernel::yield_turn();
        return 0;
    }
    unsafe { raw_syscall(libc::SYS_sched_yield, [0; 6]) as c_int }
}
