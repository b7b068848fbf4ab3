//! Faults of processes and their machines. A crash always cuts the power of the host's disk first: destructors that
//! flush politely would leave recovery untested.
use super::{Family, Kind, millis};
use crate::Host;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The host loses its power and comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crash {
    pub host: Host,
    pub down_ms: u64,
}

impl Kind for Crash {
    const NAME: &'static str = "crash";
    const FAMILY: Family = Family::Process;
    const ABOUT: &'static str =
        "a server or worker loses its power at any moment, what was not synced with it, and is started again";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }
}

/// A crash, and another one while the server recovers from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashInRecovery {
    pub host: Host,
    pub down_ms: u64,
    /// Change of the recovering server's disk (a write, a sync, a rename) at which the power fails again.
    pub change: u64,
}

impl Kind for CrashInRecovery {
    const NAME: &'static str = "crash-in-recovery";
    const FAMILY: Family = Family::Process;
    const ABOUT: &'static str = "a server crashes, and while it recovers its power fails again at a change of its disk";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }
}

/// The power fails at a change of the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PowerLoss {
    pub host: Host,
    /// Counted from when the fault begins.
    pub change: u64,
    pub down_ms: u64,
}

impl Kind for PowerLoss {
    const NAME: &'static str = "power-loss";
    const FAMILY: Family = Family::Process;
    const ABOUT: &'static str =
        "a server's power fails at the k-th change of its disk from now: in the middle of a write, a sync or a rename";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }

    fn lasts(&self) -> Option<Duration> {
        // A server that writes nothing for so long keeps its power.
        Some(millis(20_000))
    }
}

/// An orderly stop and a new start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    pub host: Host,
    /// How long the program has to stop by itself; then it is killed.
    pub grace_ms: u64,
}

impl Kind for Restart {
    const NAME: &'static str = "restart";
    const FAMILY: Family = Family::Process;
    const ABOUT: &'static str = "a server or worker is asked to stop in the middle of its work, is killed after a \
                                 grace period, and started again";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }
}

/// One server after the other stops and starts, as when a new version is rolled out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollingRestart {
    /// In this order.
    pub hosts: Vec<Host>,
    /// From one stop to the next.
    pub pace_ms: u64,
    /// How long each has to stop by itself.
    pub grace_ms: u64,
}

impl Kind for RollingRestart {
    const NAME: &'static str = "rolling-restart";
    const FAMILY: Family = Family::Process;
    const ABOUT: &'static str = "all servers of a cluster are stopped in order and started again, one after the other";

    fn hosts(&self) -> Vec<Host> {
        self.hosts.clone()
    }
}

/// The process gets no processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub host: Host,
    pub for_ms: u64,
}

impl Kind for Pause {
    const NAME: &'static str = "pause";
    const FAMILY: Family = Family::Process;
    const ABOUT: &'static str =
        "a host stands still as after SIGSTOP, its connections stay open, and finds time gone by when it resumes";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}
