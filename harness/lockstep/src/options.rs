//! What a simulation is told before it begins.

use std::path::PathBuf;
use std::time::Duration;

/// A probability without floating point: `numerator` times out of `denominator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    pub numerator: u64,
    pub denominator: u64,
}

impl Ratio {
    pub const NEVER: Ratio = Ratio { numerator: 0, denominator: 1 };

    pub const fn new(numerator: u64, denominator: u64) -> Ratio {
        assert!(denominator > 0, "a ratio needs a denominator");
        Ratio { numerator, denominator }
    }
}

/// Which of the threads that could run runs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Drawn from the seed.
    Random,
    /// The one that has been ready for longest: the same interleaving for every seed.
    Fifo,
}

/// Everything but the seed. The trace depends on all of it except `pin_to_core`, `spin_limit` and `trace_file`.
#[derive(Clone, Debug)]
pub struct Options {
    pub pick: Pick,
    /// How often a thread loses its turn right after it woke another one (a futex or an event descriptor).
    pub preemption: Ratio,
    /// The wall clock of every host at virtual time zero, since the Unix epoch.
    pub epoch: Duration,
    /// Shortest and longest one-way latency of a link that has none of its own.
    pub latency: (Duration, Duration),
    /// Bytes a direction of a stream takes in before its reader has to read; at least 1.
    pub window_bytes: usize,
    /// What hosts see as the number of processors. One by default: the standard library lowers any larger number to
    /// the quota in `/sys/fs/cgroup`, which differs from machine to machine.
    pub processors: usize,
    /// Stack of a host's first thread, in bytes.
    pub stack_bytes: usize,
    /// A switch to another thread costs several times less when both threads share a core. `None` leaves it to the operating
    /// system.
    pub pin_to_core: Option<usize>,
    /// How much of the processor a thread may use without giving its turn away, before it is named and the process ends.
    pub spin_limit: Duration,
    /// Where the trace is written as readable lines.
    pub trace_file: Option<PathBuf>,
    /// Adds a line per scheduling point to `trace_file`; these lines are not part of the hash.
    pub trace_scheduling_points: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            pick: Pick::Random,
            preemption: Ratio::NEVER,
            epoch: Duration::from_secs(1_767_225_600), // 2026-01-01
            latency: (Duration::from_millis(1), Duration::from_millis(20)),
            window_bytes: 256 * 1024,
            processors: 1,
            stack_bytes: 4 << 20,
            pin_to_core: None,
            spin_limit: Duration::from_secs(30),
            trace_file: None,
            trace_scheduling_points: false,
        }
    }
}
