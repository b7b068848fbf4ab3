//! The controller's view: begin, start hosts, let time pass, inject faults, look.

use crate::error::Error;
use crate::kernel::{self, HostStatus, Kernel, RunEnd, SECOND, State};
use crate::options::Options;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempest_trace::{Trace, TraceHash};

/// A host of a simulation; incarnations share it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(crate) u32);

impl HostId {
    /// The thread that began the simulation, and threads it created outside [`Simulation::start`].
    pub const CONTROLLER: HostId = HostId(0);
}

impl fmt::Debug for HostId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "host {}", self.0)
    }
}

/// A simulation, held by the thread that controls it. Hosts run only inside [`run_until`](Simulation::run_until) and
/// its kin, or while the controller waits for something.
///
/// Dropping it ends it: what is left of the hosts is frozen forever, and the thread's calls pass through again.
pub struct Simulation {
    /// Belongs to its thread.
    _not_send: PhantomData<*const ()>,
}

static BEGUN: AtomicBool = AtomicBool::new(false);

/// Runs a simulation on a thread made for it, which therefore has no hash keys from before. Panics of `body` reach the
/// caller.
pub fn simulate<T: Send + 'static>(
    seed: u64,
    options: Options,
    body: impl FnOnce(&mut Simulation) -> T + Send + 'static,
) -> Result<T, Error> {
    let controller = std::thread::Builder::new()
        .name("controller".to_owned())
        .stack_size(16 << 20)
        .spawn(move || Ok(body(&mut Simulation::begin(seed, options)?)))
        .expect("the operating system gives us a thread");
    controller.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Lets every thread of this process run on any of these cores, whatever it was pinned to. The trace does not depend on
/// it. To be called on a thread outside the simulation.
pub fn let_run_on(cores: &[usize]) {
    let threads = || std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    // A thread that is made meanwhile has its maker's cores: the second time its maker has been seen to.
    for thread in threads().chain(threads()) {
        if let Some(thread) = thread.file_name().to_str().and_then(|number| number.parse().ok()) {
            // A thread that has ended needs no core.
            crate::sys::set_affinity(thread, cores);
        }
    }
}

impl Simulation {
    /// Makes the calling thread the controller of a new simulation. [`simulate`] is usually better: `HashMap`s keep
    /// keys per thread, and those of a thread that has used one before are not the seed's.
    ///
    /// Errors: [`Error::AlreadyBegun`] for the second in a process, [`Error::NotInterposed`] and [`Error::Unsupported`]
    /// where a simulation would not be deterministic, [`Error::BadOption`], [`Error::TraceFile`].
    pub fn begin(seed: u64, options: Options) -> Result<Simulation, Error> {
        validate(&options)?;
        crate::check_interposition()?;
        if BEGUN.swap(true, Ordering::SeqCst) {
            return Err(Error::AlreadyBegun);
        }
        if options.pin_to_core.is_some_and(|core| !crate::sys::pin_to_core(core)) {
            return Err(Error::BadOption("pin_to_core: this process may not run on that core"));
        }
        let trace = match &options.trace_file {
            Some(path) => Trace::to_file(path, crate::sys::report_problem)
                .map_err(|error| Error::TraceFile(format!("{}: {error}", path.display())))?,
            None => Trace::default(),
        };
        #[cfg(lockstep_supported)]
        {
            crate::spinning::watch(options.spin_limit);
            crate::interpose::take_choice_from_parking_lot();
        }
        kernel::enter(Kernel::create(seed, options, trace), kernel::CONTROLLER);
        Ok(Simulation { _not_send: PhantomData })
    }

    fn kernel<T>(&self, body: impl FnOnce(&mut Kernel) -> T) -> T {
        assert!(kernel::is_controller(), "a simulation is controlled by the thread that began it");
        kernel::with(body).expect("just asserted")
    }

    /// Adds a host; it does nothing until started. Names are unique: streams are opened and randomness is drawn by
    /// them.
    pub fn add_host(&mut self, name: &str) -> HostId {
        self.kernel(|kernel| {
            assert!(kernel.find_host(name).is_none(), "there is a host named {name:?} already");
            kernel.add_host(name)
        })
    }

    pub fn host_name(&self, host: HostId) -> String {
        self.kernel(|kernel| kernel.host(host).name.clone())
    }

    /// Starts a host, or starts it again after a crash or its end, as a new incarnation whose first thread runs `main`.
    pub fn start(&mut self, host: HostId, main: impl FnOnce() + Send + 'static) {
        let (name, stack) = self.kernel(|kernel| {
            assert!(host != HostId::CONTROLLER, "the controller is no host to start");
            assert_eq!(kernel.live_threads(host), 0, "{} is still running: crash it first", kernel.host(host).name);
            kernel.record(host, "start", &[]);
            kernel.spawn_for = host;
            let state = kernel.host(host);
            state.status = HostStatus::Running;
            state.incarnation += 1;
            let name = state.name.clone();
            (name, kernel.options.stack_bytes)
        });
        let guarded = move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(main)) {
                kernel::with(|kernel| kernel.host(host).status = HostStatus::Panicked);
                resume_unwind(panic);
            }
        };
        let thread = std::thread::Builder::new().name(name).stack_size(stack).spawn(guarded);
        self.kernel(|kernel| kernel.spawn_for = HostId::CONTROLLER);
        // Detached: a host is waited for by letting time pass.
        drop(thread.expect("the operating system gives us a thread"));
    }

    /// Starts a host whose first thread runs a future on a current-thread tokio runtime with everything enabled.
    pub fn start_async<F>(&mut self, host: HostId, main: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        self.start(host, move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime needs descriptors and nothing else");
            runtime.block_on(main());
        });
    }

    pub fn status(&self, host: HostId) -> HostStatus {
        self.kernel(|kernel| kernel.host(host).status)
    }

    pub fn incarnation(&self, host: HostId) -> u32 {
        self.kernel(|kernel| kernel.host(host).incarnation)
    }

    /// The host's threads get no turns, as after SIGSTOP. Time goes by for it; what is sent to it arrives.
    pub fn pause(&mut self, host: HostId) {
        self.kernel(|kernel| {
            if kernel.host(host).status == HostStatus::Running {
                kernel.pause(host);
            }
        });
    }

    pub fn resume(&mut self, host: HostId) {
        self.kernel(|kernel| {
            if kernel.host(host).status == HostStatus::Paused {
                kernel.resume_host(host);
            }
        });
    }

    /// Cuts the host's power: none of its threads ever runs again, no destructor either. Peers hear
    /// nothing of it until they send to a later incarnation. Does nothing to a host that is down.
    pub fn crash(&mut self, host: HostId) {
        assert!(host != HostId::CONTROLLER, "the controller is no host to crash");
        self.kernel(|kernel| {
            if kernel.host(host).is_up() {
                kernel.crash(host);
            }
        });
    }

    /// Sets the host's wall clock off the true time by `offset_ns`, and the rate of all its clocks off by `rate_ppm`
    /// parts in a million from now on. Timers that are running keep their time.
    pub fn set_clock(&mut self, host: HostId, offset_ns: i64, rate_ppm: i64) {
        assert!(rate_ppm > -1_000_000 && rate_ppm < 1_000_000_000, "a clock goes forward, and not a thousandfold");
        self.kernel(|kernel| {
            let now = kernel.now;
            kernel.host(host).clock.set(now, offset_ns, rate_ppm);
            kernel.record(host, "set-clock", &[offset_ns, rate_ppm].map(i64::to_le_bytes).concat());
        });
    }

    /// Moves the host's wall clock by `by_ns` at once.
    pub fn jump_clock(&mut self, host: HostId, by_ns: i64) {
        self.kernel(|kernel| {
            kernel.host(host).clock.jump(by_ns);
            kernel.record(host, "jump-clock", &by_ns.to_le_bytes());
        });
    }

    /// Lets everything run that happens before `time` (since the beginning). Afterwards it is `time`, unless the run
    /// ended early.
    pub fn run_until(&mut self, time: Duration) -> RunEnd {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.kernel(|kernel| kernel.prepare_run(kernel::BOOT.saturating_add(nanos)));
        kernel::block(State::Directing, u64::MAX);
        self.kernel(Kernel::finish_run)
    }

    pub fn run_for(&mut self, duration: Duration) -> RunEnd {
        self.run_until(self.now().saturating_add(duration))
    }

    /// Runs without a deadline.
    pub fn run(&mut self) -> RunEnd {
        self.run_until(Duration::MAX)
    }

    /// Virtual time since the beginning.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.kernel(|kernel| kernel.elapsed()))
    }

    /// How often the turn went from one thread to another.
    pub fn scheduling_points(&self) -> u64 {
        self.kernel(|kernel| kernel.scheduling_points())
    }

    /// Ends a run at the first moment that so many scheduling points have passed: crashing a host there, for every number,
    /// is a sweep over all its crash points. Cleared when hit; `None` clears it before.
    pub fn set_crash_point(&mut self, scheduling_points: Option<u64>) {
        self.kernel(|kernel| kernel.set_crash_point(scheduling_points));
    }

    /// What `from` sends to `to` is lost, and sent again with back-off, until unblocked.
    pub fn block(&mut self, from: HostId, to: HostId) {
        self.kernel(|kernel| kernel.set_blocked(from, to, true));
    }

    pub fn unblock(&mut self, from: HostId, to: HostId) {
        self.kernel(|kernel| kernel.set_blocked(from, to, false));
    }

    /// Blocks everything between the two groups, both ways.
    pub fn partition(&mut self, one_side: &[HostId], other_side: &[HostId]) {
        for &one in one_side {
            for &other in other_side {
                self.block(one, other);
                self.block(other, one);
            }
        }
    }

    /// What `from` sends to `to` is held, and arrives when unclogged.
    pub fn clog(&mut self, from: HostId, to: HostId) {
        self.kernel(|kernel| kernel.set_clogged(from, to, true));
    }

    pub fn unclog(&mut self, from: HostId, to: HostId) {
        self.kernel(|kernel| kernel.set_clogged(from, to, false));
    }

    /// Makes a link slow: latency added to every segment, and a bound on its throughput (0: none).
    pub fn slow_link(&mut self, from: HostId, to: HostId, extra_latency: Duration, bytes_per_second: u64) {
        let extra = u64::try_from(extra_latency.as_nanos()).unwrap_or(u64::MAX / 4).min(u64::MAX / 4);
        self.kernel(|kernel| kernel.set_link_speed(from, to, extra, bytes_per_second));
    }

    /// Removes every block, clog and slowness. Retransmissions still wait for their back-off, as they would.
    pub fn heal(&mut self) {
        self.kernel(Kernel::heal_network);
    }

    /// Breaks every connection between the two; both ends find out at once. Returns how many there were.
    pub fn reset(&mut self, one: HostId, other: HostId) -> usize {
        self.kernel(|kernel| kernel.reset_connections(one, other))
    }

    /// Of all records so far.
    pub fn trace_hash(&self) -> TraceHash {
        self.kernel(|kernel| kernel.trace.hash())
    }

    /// Folds who got the turn and when, at each scheduling point: changes with anything that changes the schedule, recorded
    /// or not.
    pub fn schedule_fingerprint(&self) -> u64 {
        self.kernel(|kernel| kernel.schedule_fingerprint())
    }

    /// Ends the simulation and returns the hash of its trace.
    pub fn finish(self) -> TraceHash {
        self.trace_hash()
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        kernel::with(|kernel| kernel.trace.flush());
        // The other threads wait for a turn that no thread gives any more.
        kernel::quit();
    }
}

fn validate(options: &Options) -> Result<(), Error> {
    let bad = |what| Err(Error::BadOption(what));
    if options.latency.0 > options.latency.1 || options.latency.1 > Duration::from_secs(3600) {
        return bad("latency: shortest first, and at most an hour");
    }
    if options.window_bytes == 0 {
        return bad("window_bytes: at least 1");
    }
    if options.processors == 0 || options.processors > 1024 {
        return bad("processors: 1 to 1024");
    }
    if options.preemption.denominator == 0 {
        return bad("preemption: a ratio needs a denominator");
    }
    if options.epoch.as_secs() > u64::MAX / SECOND / 4 {
        return bad("epoch: at most the year 2116");
    }
    Ok(())
}
