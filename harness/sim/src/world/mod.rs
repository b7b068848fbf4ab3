//! Worlds: where a run takes place. One trait, so that faults and phases do not know which.
mod aims;
mod ambiguity;
mod database;
mod lockstep;
mod network;
mod operator;
mod options;
mod recording_store;
mod shared;
mod thief;

pub use aims::{Aims, Strike};
pub(crate) use ambiguity::is_for_plans_alone;
pub use ambiguity::{Ambiguities, Ambiguity};
pub(crate) use database::{
    DatabaseStore, LOG_FILE, Log, PLANTED as DATABASE_PLANTED, PROMISE, REBUILDING, Replica, Replication, database,
    materialise, monitor, newest,
};
pub use lockstep::{LockstepWorld, Program};
pub use network::LockstepNetwork;
pub use operator::Operator;
pub use options::WorldOptions;
pub use recording_store::RecordingStore;
pub(crate) use shared::{Inspection, Shared, now_ns};
pub use tempest_artifact::Host;
pub(crate) use thief::ThievingStore;

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Virtual time in nanoseconds and the host of the calling thread, for logs: asking takes no time. Nothing outside a world.
pub fn here() -> Option<(u64, String)> {
    Some((tempest_lockstep::now_ns()?, tempest_lockstep::host_name()?))
}

/// Why a world stopped letting time pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The time asked for has come.
    Deadline,
    /// A part of the world wants the controller's attention: a host died, a disk lost its power, the clients are done.
    Attention,
    /// The scheduling point that was asked for has come.
    SchedulingPoint,
    /// Nothing can happen any more.
    Stuck,
}

/// Whether a host is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostState {
    Down,
    Running,
    Paused,
    /// Its program ended by itself or panicked: a supervisor would start it again.
    Ended,
    /// Its disk has no power: nothing it does is durable any more, and it must be crashed.
    PowerLost,
}

/// A simulated world, as the nemesis and the phases see it. Times are virtual, since the run began.
pub trait World {
    fn now(&self) -> Duration;
    /// Lets time pass until `until`, or until a part of the world asks for attention.
    fn advance(&mut self, until: Duration) -> Pause;

    /// Starts a host that is down: a new incarnation on the same disk.
    fn start(&mut self, host: &Host);
    /// kill -9 with a power cut: what was not synced may be lost. No destructor runs.
    fn crash(&mut self, host: &Host);
    /// Asks the host's program to stop in order; it is down once it has.
    fn stop(&mut self, host: &Host);
    /// As SIGSTOP.
    fn pause(&mut self, host: &Host);
    fn resume(&mut self, host: &Host);
    fn state(&self, host: &Host) -> HostState;

    /// What `from` sends to `to` is lost until unblocked. Blocks add up.
    fn block(&mut self, from: &Host, to: &Host);
    fn unblock(&mut self, from: &Host, to: &Host);
    /// What `from` sends to `to` is held until unclogged. Clogs add up.
    fn clog(&mut self, from: &Host, to: &Host);
    fn unclog(&mut self, from: &Host, to: &Host);
    /// Sets latency added to what `from` sends to `to`, and its throughput (0: no bound).
    fn slow_link(&mut self, from: &Host, to: &Host, extra: Duration, bytes_per_second: u64);
    /// Breaks every connection between the two; returns how many there were.
    fn reset(&mut self, one: &Host, other: &Host) -> usize;

    /// How many of a million calls of a worker or client suffer this.
    fn set_ambiguity(&mut self, host: &Host, kind: Ambiguity, per_million: u64);

    /// Tells the database's monitor that an operator wants this node to be primary.
    fn promote(&mut self, host: &Host);

    /// Sets the wall clock off by `offset_ms`, and the rate of all clocks off by `rate_ppm` parts in a million.
    fn set_clock(&mut self, host: &Host, offset_ms: i64, rate_ppm: i64);
    /// Moves the wall clock at once.
    fn jump_clock(&mut self, host: &Host, by_ms: i64);

    /// Each operation of the host's disk takes so many times as long; 1 is normal.
    fn slow_disk(&mut self, host: &Host, times: u32);
    /// So many more bytes fit the host's disk, and what is there may be overwritten or not; `None` for the room is no bound.
    fn limit_disk(&mut self, host: &Host, room_bytes: Option<u64>, overwriting: bool);
    /// The database node's disk is another one, and empty but for the term that it promised: the monitor must not give one
    /// twice. To be done while the host is down.
    fn replace_disk(&mut self, host: &Host);
    /// So many bits of the log on the database node's disk turn over, and it is known to be damaged. To be done while the host is down.
    fn rot_disk(&mut self, host: &Host, bits: u32);
    /// How many of a million reads and changes of the host's disk fail with an I/O error.
    fn fail_operations(&mut self, host: &Host, per_million: u64);
    /// How many of a million syncs of the host's disk fail, and drop part of what was to be durable.
    fn fail_syncs(&mut self, host: &Host, per_million: u64);
    /// The disk loses its power at its so-manieth change from now, `None` takes it back. Without a disk: nothing.
    fn power_loss_at(&mut self, host: &Host, change: Option<u64>);

    /// Writes a line that is part of the run's trace.
    fn note(&mut self, kind: &str, text: &str);
}
