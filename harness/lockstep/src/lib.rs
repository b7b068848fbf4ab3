//! A deterministic scheduler of real threads: ordinary programs, run so that one seed is one universe.
//!
//! A *simulation* consists of *hosts*. A host is one or more operating-system threads running whatever they like: a
//! tokio runtime of either flavour, blocking code, libraries that know nothing of it. Exactly one thread of the simulation
//! runs at any time; time is virtual and passes only when no thread can run; which runs next is drawn from the seed. This
//! works by defining the C library's blocking calls, clocks and randomness in its stead, see
//! [`check_interposition`]; threads that do not belong to a simulation pass through to the real ones.
//!
//! - [`simulate`] makes a thread the *controller* and hands it the [`Simulation`]: it adds and starts hosts, lets time
//!   pass ([`Simulation::run_until`]), and injects faults: pause, crash, restart, skewed and jumping clocks, blocked,
//!   clogged and slow links, resets, a crash at any chosen scheduling point.
//! - [`net`] is the network of the hosts: byte streams that behave like TCP.
//! - [`trace`] keeps the fingerprint of the run; [`current_host`], [`now_ns`] and their like tell code where it is.
//! - [`Options`] is everything but the seed.
//!
//! ```no_run
//! use std::time::Duration;
//! use tempest_lockstep::{Options, net, simulate};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! let hash = simulate(42, Options::default(), |sim| {
//!     let (server, client) = (sim.add_host("server"), sim.add_host("client"));
//!     sim.start_async(server, || async {
//!         let mut listener = net::Listener::bind(7233).unwrap();
//!         listener.accept().await.unwrap().write_all(b"hello").await.unwrap();
//!     });
//!     sim.start_async(client, || async {
//!         let mut stream = net::connect("server", 7233).await.unwrap();
//!         stream.read_exact(&mut [0; 5]).await.unwrap();
//!     });
//!     sim.run_until(Duration::from_secs(3600));
//!     sim.trace_hash()
//! });
//! ```
//!
//! # How a turn is given
//! A thread that would block (in `epoll_wait`, a futex, a sleep, a join) picks its successor itself and hands over the
//! turn, without a scheduler thread in between. If no thread is ready, time jumps to the earliest deadline of any thread or
//! the next event of the network: idle time is free. What the network delivers wakes a thread of the receiving host that
//! is in `epoll_wait`, and the wakers run there; so a host needs a tokio runtime with I/O enabled (or anything else
//! that polls) to use [`net`].
//!
//! Reading a clock takes a nanosecond, a look for events that finds none and a `sched_yield` a microsecond each, so that
//! spinning gets somewhere; otherwise computing takes no time. [`quiet`] exempts logging from this. Randomness comes in
//! child streams by name: the scheduler's, one per host, one per link, one for what is quiet; another draw in one
//! shifts nothing in the others.
//!
//! # What a crash is
//! The power cut of a machine. The host's threads never get a turn again: no destructor runs, its wakers are leaked,
//! its descriptors closed, and no peer is told. Peers are left half open until they send to the next incarnation, which
//! resets them.
//!
//! Threads are frozen only at scheduling points, that is inside one of the interposed calls. The allocator and
//! the rest of the C library lock with calls of their own, which are never a scheduling point, so no frozen thread is
//! inside `malloc`. But it may hold a lock of the *program*: see below.
//!
//! # Limits
//! - One simulation per process, since statics (also those of libraries: tokio counts its runtimes) are part of the
//!   universe. They are shared between the hosts and survive a crash. A lock in a static, or otherwise shared between
//!   hosts, that a crashed host held across a scheduling point is held forever; do not sleep while holding one. The same
//!   goes for locks shared with threads outside, which cannot wake a thread of a simulation.
//! - Wakers of one host must not be woken by another: share data between hosts, never channels or notifications of an
//!   async runtime, whose dead ends write to descriptors that have another owner by now.
//! - A crash leaks the threads, their stacks and memory, and files (event descriptors are closed).
//! - A thread that neither reads a clock nor makes an interposed call keeps its turn, and with it the simulation stops. When
//!   it has used [`Options::spin_limit`] of the processor, it is named with its host and a backtrace, and the process ends.
//! - Real sockets, name lookups, child processes, devices of randomness and files opened to write are refused with a line on
//!   standard error, waiting without end in `poll` likewise. Plain files may be read, for `/proc`, `/etc` and time zones;
//!   what is in them is the machine's. The process id is simulated. Pipes and signals are real and not simulated. tokio
//!   makes one socket pair per process for signals; [`check_interposition`] has it made in time.
//! - Calls that a crate makes past the C library (`rustix`, with its default backend) are not seen.
//! - Calls from inside the C library, and instructions, are out of reach: its own condition variables
//!   (`pthread_cond_wait`), `rdtsc`, `rdrand`.
//! - Addresses are the same in every process only after [`fix_addresses`]; without it, whatever hashes or compares
//!   addresses may choose differently for one seed. Even so, do not order anything by address: another build, or another
//!   allocation before it, moves them.
//! - `HashMap`s draw their keys once per thread and count on from there: one made inside [`quiet`] shifts the later
//!   ones.
//! - On the controller too, time is virtual. Measure real time on a thread outside.
//! - Timers that run when a clock is set keep their time; deadlines on the wall clock do not follow its jumps.
//! - Linux on x86_64 with the GNU C library. Elsewhere, and under `--cfg madsim`, the crate compiles and
//!   [`Simulation::begin`] returns [`Error::Unsupported`]. The way to another architecture leads through `sys/`.
//!
//! What this crate deliberately does not know: servers, workflows, disks, fault plans. They are built on top of it.

#![cfg_attr(not(lockstep_supported), allow(dead_code))]

#[cfg(lockstep_supported)]
mod addresses;
mod context;
mod error;
#[cfg(lockstep_supported)]
mod interpose;
mod kernel;
pub mod net;
mod options;
mod simulation;
#[cfg(lockstep_supported)]
mod spinning;
mod sys;
pub mod trace;

#[cfg(lockstep_supported)]
pub use addresses::fix_addresses;
pub use context::{current_host, host_name, incarnation, now_ns, quiet, request_stop};
pub use error::Error;
#[cfg(lockstep_supported)]
pub use interpose::{check_interposition, interposed_symbols};
pub use kernel::{HostStatus, RunEnd};
pub use options::{Options, Pick, Ratio};
pub use simulation::{HostId, Simulation, let_run_on, simulate};
pub use trace::TraceHash;

/// Nothing can be fixed here.
#[cfg(not(lockstep_supported))]
pub fn fix_addresses() -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Nothing is interposed here.
#[cfg(not(lockstep_supported))]
pub fn check_interposition() -> Result<(), Error> {
    Err(Error::Unsupported)
}

#[cfg(all(test, not(lockstep_supported)))]
mod tests {
    #[test]
    fn an_unsupported_platform_is_told_so() {
        let refused = crate::Simulation::begin(1, crate::Options::default()).err();
        assert_eq!(refused, Some(crate::Error::Unsupported));
    }
}
