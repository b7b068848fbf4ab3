//! The state of a simulation and the rules by which turns are given.
//!
//! One thread at a time holds the turn and only it touches the [`Kernel`], through [`with`]. Nothing that may run
//! foreign code (wakers, destructors, hooks) happens inside `with`.

mod clock;
mod descriptors;
mod host;
mod random;
mod schedule;
mod thread;

pub(crate) use clock::BOOT;
pub(crate) use host::Host;
pub use host::HostStatus;
pub(crate) use random::Stream;
pub use schedule::RunEnd;
pub(crate) use schedule::block;
#[cfg(lockstep_supported)]
pub(crate) use schedule::{ResumeReason, leave, maybe_preempt, tick, yield_turn};
pub(crate) use thread::{State, Thread};

use crate::HostId;
use crate::net::Network;
use crate::options::Options;
use crate::sys::Baton;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tempest_trace::Trace;

pub(crate) const SECOND: u64 = 1_000_000_000;

/// Index of the thread that began the simulation.
pub(crate) const CONTROLLER: usize = 0;

pub(crate) struct Kernel {
    pub options: Options,
    pub seed: u64,
    /// True time of the simulator, in nanoseconds; `BOOT` at the start.
    pub now: u64,
    pub threads: Vec<Thread>,
    pub hosts: Vec<Host>,
    pub network: Network,
    pub trace: Trace,
    pub descriptors: descriptors::Descriptors,
    schedule: schedule::Schedule,
    /// Threads waiting on a futex by its address, longest first. Looked up, never iterated: addresses differ from
    /// process to process.
    futex_waiters: BTreeMap<usize, VecDeque<usize>>,
    /// Owner of the threads that the controller creates next.
    pub spawn_for: HostId,
    /// Randomness drawn while logging.
    quiet_entropy: Stream,
}

thread_local! {
    static KERNEL: Cell<*mut Kernel> = const { Cell::new(std::ptr::null_mut()) };
    static THREAD: Cell<usize> = const { Cell::new(CONTROLLER) };
    /// Set while this thread is inside [`with`]: an interposed call made from there (an allocation, a write of the
    /// trace) is the simulator's own and passes through.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static QUIET: Cell<u32> = const { Cell::new(0) };
}

/// Runs `body` on the kernel if the calling thread belongs to a simulation and is not in its kernel already.
pub(crate) fn with<R>(body: impl FnOnce(&mut Kernel) -> R) -> Option<R> {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            INSIDE.set(false);
        }
    }
    let kernel = KERNEL.get();
    if kernel.is_null() || INSIDE.get() {
        return None;
    }
    INSIDE.set(true);
    let _leave = Leave;
    // Safety: the kernel is leaked. This thread holds the turn, or it would wait on its baton, so no other thread is
    // in here; INSIDE keeps this thread from being in here twice.
    Some(body(unsafe { &mut *kernel }))
}

pub(crate) fn in_simulation() -> bool {
    !KERNEL.get().is_null() && !INSIDE.get()
}

pub(crate) fn is_controller() -> bool {
    in_simulation() && THREAD.get() == CONTROLLER
}

pub(crate) fn current_thread() -> usize {
    THREAD.get()
}

pub(crate) fn is_quiet() -> bool {
    QUIET.get() > 0
}

pub(crate) fn add_quiet(by: i32) {
    QUIET.set(QUIET.get().saturating_add_signed(by));
}

/// The address of the kernel, for a thread about to join the simulation.
pub(crate) fn address() -> usize {
    KERNEL.get() as usize
}

/// Makes the calling thread part of the simulation at `address`.
pub(crate) fn enter(address: usize, thread: usize) {
    THREAD.set(thread);
    KERNEL.set(address as *mut Kernel);
}

/// From here on the calling thread's calls pass through.
pub(crate) fn quit() {
    KERNEL.set(std::ptr::null_mut());
}

impl Kernel {
    /// Creates the kernel, leaked, with the calling thread as its controller.
    pub fn create(seed: u64, options: Options, trace: Trace) -> usize {
        let network = Network::new(&options);
        let mut kernel = Kernel {
            seed,
            now: BOOT,
            threads: Vec::new(),
            hosts: Vec::new(),
            network,
            trace,
            descriptors: descriptors::Descriptors::default(),
            schedule: schedule::Schedule::new(seed),
            futex_waiters: BTreeMap::new(),
            spawn_for: HostId::CONTROLLER,
            quiet_entropy: Stream::new(seed, "quiet"),
            options,
        };
        let controller = kernel.add_host("controller");
        kernel.threads.push(Thread::new(controller, State::Running));
        Box::into_raw(Box::new(kernel)) as usize
    }

    pub fn add_host(&mut self, name: &str) -> HostId {
        let id = HostId(self.hosts.len() as u32);
        self.hosts.push(Host::new(name, Stream::new(self.seed, &format!("entropy/{name}"))));
        id
    }

    pub fn host(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.0 as usize]
    }

    pub fn current_host(&self) -> HostId {
        self.threads[current_thread()].host
    }

    pub fn find_host(&self, name: &str) -> Option<HostId> {
        self.hosts.iter().position(|host| host.name == name).map(|index| HostId(index as u32))
    }

    /// Nanoseconds since the simulation began.
    pub fn elapsed(&self) -> u64 {
        self.now - BOOT
    }

    pub fn fill_random(&mut self, bytes: &mut [u8]) {
        if is_quiet() {
            self.quiet_entropy.fill(bytes);
        } else {
            let host = self.current_host();
            self.host(host).entropy.fill(bytes);
        }
    }

    pub fn record(&mut self, host: HostId, kind: &str, bytes: &[u8]) {
        let (elapsed, name) = (self.now - BOOT, &self.hosts[host.0 as usize].name);
        self.trace.record(elapsed, name, kind, bytes);
    }

    /// A new thread of the current host, not yet ready. The caller creates the real one.
    pub fn add_thread(&mut self) -> (usize, &'static Baton) {
        let host = match self.current_host() {
            HostId::CONTROLLER => self.spawn_for,
            host => host,
        };
        let thread = Thread::new(host, State::Starting);
        let baton = thread.baton;
        self.threads.push(thread);
        (self.threads.len() - 1, baton)
    }

    pub fn live_threads(&self, host: HostId) -> usize {
        self.threads.iter().filter(|thread| thread.host == host && thread.is_live()).count()
    }

    /// Nothing of the host ever runs again: its threads are never given a turn, its wakers are leaked (dropping one
    /// could run its destructors), its descriptors are closed, the network forgets it.
    pub fn crash(&mut self, id: HostId) {
        for index in 0..self.threads.len() {
            if self.threads[index].host == id && self.threads[index].is_live() {
                self.freeze(index);
            }
        }
        let host = self.host(id);
        host.status = HostStatus::Crashed;
        host.held.clear();
        host.pollers = BTreeSet::new();
        std::mem::forget(std::mem::take(&mut host.interrupts));
        for descriptor in self.descriptors.forget_host(id) {
            crate::sys::close(descriptor);
        }
        self.network.host_crashed(id);
        self.record(id, "crash", &[]);
    }
}
