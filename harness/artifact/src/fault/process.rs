//! Faults of processes and their machines. A crash always cuts the power of the host's disk first: destructors that
//! flush politely would leave recovery untested.
use super::{Family, Kind, Link, millis};
use crate::Host;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What stands in one place loses its power at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneLoss {
    pub hosts: Vec<Host>,
    pub down_ms: u64,
}

impl Kind for ZoneLoss {
    const NAME: &'static str = "zone-loss";
    const FAMILY: Family = Family::Process;
    const ABOUT: &'static str = "all hosts of a zone, a server, a node of the database and a worker, lose their power at \
                                 once, and are started again at once";

    fn hosts(&self) -> Vec<Host> {
        self.hosts.clone()
    }
}

/// A server is gone for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerGone {
    pub host: Host,
}

impl Kind for ServerGone {
    const NAME: &'static str = "server-gone";
    const FAMILY: Family = Family::Process;
    const ABOUT: &'static str = "the last server of a cluster loses its power and never comes back";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }
}

/// A server is gone for good, and one that was never there joins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerReplaced {
    pub host: Host,
    /// Under a name of its own.
    pub by: Host,
    pub after_ms: u64,
}

impl Kind for ServerReplaced {
    const NAME: &'static str = "server-replaced";
    const FAMILY: Family = Family::Process;
    const ABOUT: &'static str = "the last server of a cluster never comes back, and another joins under a new name";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone(), self.by.clone()]
    }
}

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

/// A rolling restart that meets workers with full hands: what they send comes late, so that each stop finds tasks that are
/// out and completions that are under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartUnderLoad {
    /// The servers, in this order.
    pub hosts: Vec<Host>,
    pub workers: Vec<Host>,
    /// By so much later comes what workers send.
    pub extra_ms: u64,
    /// From one stop to the next.
    pub pace_ms: u64,
    /// How long each has to stop by itself.
    pub grace_ms: u64,
}

impl Kind for RestartUnderLoad {
    const NAME: &'static str = "restart-under-load";
    const FAMILY: Family = Family::Process;
    const ABOUT: &'static str = "all servers of a cluster are stopped in order and started again, one after the other, \
                                 while workers are busy: each task stays out for longer than it takes";

    fn hosts(&self) -> Vec<Host> {
        self.hosts.clone()
    }

    fn links(&self) -> Vec<Link> {
        let links = self.workers.iter().flat_map(|worker| self.hosts.iter().map(|server| Link::new(worker, server)));
        links.collect()
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.pace_ms * self.hosts.len() as u64 + self.grace_ms))
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
