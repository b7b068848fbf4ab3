//! Worlds: where a run takes place. One trait, so that faults and phases do not know which.
mod aims;
mod ambiguity;
mod counts;
mod database;
mod fixtures;
pub(crate) mod inside;
#[cfg(not(madsim))]
mod lockstep;
#[cfg(madsim)]
mod madsim;
mod operator;
mod options;
mod owed;
mod place;
mod recording_store;
mod shared;
mod thief;
#[cfg(not(madsim))]
mod turmoil;

#[cfg(madsim)]
use self::madsim::NoWorld as DefaultInside;
pub use aims::{Aims, Strike};
pub(crate) use ambiguity::is_for_plans_alone;
pub use ambiguity::{Ambiguities, Ambiguity};
pub(crate) use database::{
    DatabaseStore, LOG_FILE, Log, PLANTED as DATABASE_PLANTED, PROMISE, REBUILDING, Replica, Replication, database,
    materialise, monitor, newest,
};
pub use fixtures::Fixtures;
#[cfg(not(madsim))]
use lockstep::LockstepInside as DefaultInside;
pub use operator::Operator;
pub use options::WorldOptions;
pub(crate) use place::{Place, has_scheduling_points, inline_blocking, take_place};
pub use place::{RunSettings, WorldError, lacks};
pub use recording_store::RecordingStore;
pub(crate) use shared::{Inspection, Shared, now_ns};
pub use tempest_artifact::Host;
pub(crate) use thief::ThievingStore;

use futures::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tempest_disk::SimDisk;
use tokio::sync::watch;

/// What runs on a host, made anew for each incarnation. It ends when it is asked to, or when it fails.
pub type Program = Arc<dyn Fn(watch::Receiver<bool>) -> LocalBoxFuture<'static, ()> + Send + Sync>;

/// Virtual time in nanoseconds and the host of the calling thread, for logs: asking takes no time. Nothing outside a world.
pub fn here() -> Option<(u64, String)> {
    Some((inside::now_ns()?, inside::host_name()?))
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
    /// Adds a host; it is down.
    fn add(&mut self, host: Host, disk: Option<SimDisk>, program: Program);
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

    /// What it has like every other world.
    fn fixtures(&self) -> &Fixtures;

    /// How many of a million calls of a worker or client suffer this.
    fn set_ambiguity(&mut self, host: &Host, kind: Ambiguity, per_million: u64) {
        self.fixtures().ambiguities.set(host, kind, per_million);
    }

    /// Tells the database's monitor that an operator wants this node to be primary.
    fn promote(&mut self, host: &Host) {
        self.fixtures().operator.want(host);
    }

    /// Sets the wall clock off by `offset_ms`, and the rate of all clocks off by `rate_ppm` parts in a million.
    fn set_clock(&mut self, host: &Host, offset_ms: i64, rate_ppm: i64);
    /// Moves the wall clock at once.
    fn jump_clock(&mut self, host: &Host, by_ms: i64);

    /// Each operation of the host's disk takes so many times as long; 1 is normal.
    fn slow_disk(&mut self, host: &Host, times: u32) {
        self.fixtures().on_disk(host, |disk| disk.change_faults(|faults| faults.slowness = times));
    }
    /// So many more bytes fit the host's disk, and what is there may be overwritten or not; `None` for the room is no bound.
    fn limit_disk(&mut self, host: &Host, room_bytes: Option<u64>, overwriting: bool) {
        self.fixtures().on_disk(host, |disk| {
            disk.set_capacity(room_bytes.map(|room| disk.used_bytes() + room));
            disk.change_faults(|faults| faults.overwrites_refused = !overwriting);
        });
    }
    /// The database node's disk is another one, and empty but for the term that it promised: the monitor must not give one
    /// twice. To be done while the host is down.
    fn replace_disk(&mut self, host: &Host) {
        self.fixtures().on_disk(host, fixtures::replace_disk);
    }
    /// So many bits of the log on the database node's disk turn over, and it is known to be damaged. To be done while the host is down.
    fn rot_disk(&mut self, host: &Host, bits: u32) {
        self.fixtures().on_disk(host, |disk| fixtures::rot_disk(disk, bits));
    }
    /// How many of a million reads and changes of the host's disk fail with an I/O error.
    fn fail_operations(&mut self, host: &Host, per_million: u64) {
        let share = fixtures::of_a_million(per_million);
        self.fixtures().on_disk(host, |disk| disk.change_faults(|faults| faults.failing_operations = share));
    }
    /// How many of a million syncs of the host's disk fail, and drop part of what was to be durable.
    fn fail_syncs(&mut self, host: &Host, per_million: u64) {
        let share = fixtures::of_a_million(per_million);
        self.fixtures().on_disk(host, |disk| disk.change_faults(|faults| faults.failing_syncs = share));
    }
    /// The disk loses its power at its so-manieth change from now, `None` takes it back. Without a disk: nothing.
    fn power_loss_at(&mut self, host: &Host, change: Option<u64>) {
        self.fixtures().on_disk(host, |disk| disk.cut_power_in(change.unwrap_or(fixtures::NEVER)));
    }

    /// Writes a line that is part of the run's trace.
    fn note(&mut self, kind: &str, text: &str);

    /// The next [`World::advance`] ends when so many scheduling points have passed since the beginning.
    fn stop_at_scheduling_point(&mut self, _scheduling_points: Option<u64>) {}
    /// How often the turn went from one thread to another, in a world that counts it.
    fn scheduling_points(&self) -> u64 {
        0
    }
}
