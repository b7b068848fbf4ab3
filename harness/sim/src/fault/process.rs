//! Faults of processes and their machines. A crash always cuts the power of the host's disk first: destructors that
//! flush politely would leave recovery untested.
use super::{Harm, Later, Targets, millis};
use crate::explore::Dice;
use crate::world::{Host, World};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The host loses its power and comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crash {
    pub host: Host,
    pub down_ms: u64,
}

impl Harm for Crash {
    const NAME: &'static str = "crash";
    const FAMILY: &'static str = "process";
    const ABOUT: &'static str =
        "a server or worker loses its power at any moment, what was not synced with it, and is started again";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Crash> {
        Some(Crash { host: targets.mortal(dice)?, down_ms: dice.between(0..=8_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.crash(&self.host);
        vec![Later::Start { host: self.host.clone(), after: millis(self.down_ms) }]
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

impl Harm for CrashInRecovery {
    const NAME: &'static str = "crash-in-recovery";
    const FAMILY: &'static str = "process";
    const ABOUT: &'static str = "a server crashes, and while it recovers its power fails again at a change of its disk";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<CrashInRecovery> {
        let host = dice.pick(targets.disks()).clone();
        Some(CrashInRecovery { host, down_ms: dice.between(0..=3_000), change: dice.between(1..=60) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.crash(&self.host);
        let (host, after) = (self.host.clone(), millis(self.down_ms));
        vec![
            Later::RestartDelay { host: host.clone(), delay: after },
            Later::StartOnFailingDisk { host, after, change: self.change },
        ]
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

impl Harm for PowerLoss {
    const NAME: &'static str = "power-loss";
    const FAMILY: &'static str = "process";
    const ABOUT: &'static str =
        "a server's power fails at the k-th change of its disk from now: in the middle of a write, a sync or a rename";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<PowerLoss> {
        let host = dice.pick(targets.disks()).clone();
        Some(PowerLoss { host, change: dice.between(1..=400), down_ms: dice.between(0..=8_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.power_loss_at(&self.host, Some(self.change));
        vec![Later::RestartDelay { host: self.host.clone(), delay: millis(self.down_ms) }]
    }

    fn end(&self, world: &mut dyn World) {
        world.power_loss_at(&self.host, None);
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

impl Harm for Restart {
    const NAME: &'static str = "restart";
    const FAMILY: &'static str = "process";
    const ABOUT: &'static str = "a server or worker is asked to stop in the middle of its work, is killed after a grace period, and started again";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Restart> {
        Some(Restart { host: targets.mortal(dice)?, grace_ms: dice.between(0..=10_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.stop(&self.host);
        vec![Later::Start { host: self.host.clone(), after: millis(self.grace_ms) }]
    }
}

/// The process gets no processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub host: Host,
    pub for_ms: u64,
}

impl Harm for Pause {
    const NAME: &'static str = "pause";
    const FAMILY: &'static str = "process";
    const ABOUT: &'static str =
        "a host stands still as after SIGSTOP, its connections stay open, and finds time gone by when it resumes";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Pause> {
        let host = dice.pick(&targets.all()).clone();
        Some(Pause { host, for_ms: dice.between(100..=30_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.pause(&self.host);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.resume(&self.host);
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
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

impl Harm for RollingRestart {
    const NAME: &'static str = "rolling-restart";
    const FAMILY: &'static str = "process";
    const ABOUT: &'static str = "all servers of a cluster are stopped in order and started again, one after the other";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<RollingRestart> {
        if targets.databases.is_empty() {
            return None;
        }
        let (pace_ms, grace_ms) = (dice.between(500..=8_000), dice.between(0..=3_000));
        Some(RollingRestart { hosts: targets.servers.clone(), pace_ms, grace_ms })
    }

    fn begin(&self, _world: &mut dyn World) -> Vec<Later> {
        let stops = (0..).zip(&self.hosts).map(|(number, host)| Later::Restart {
            host: host.clone(),
            after: millis(number * self.pace_ms),
            grace: millis(self.grace_ms),
        });
        stops.collect()
    }
}
