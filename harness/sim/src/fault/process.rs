//! Faults of processes and their machines. A crash always cuts the power of the host's disk first: destructors that
//! flush politely would leave recovery untested.
use super::{Injectable, Later, Targets, millis};
use crate::draw::Dice;
use crate::world::World;
use tempest_artifact::fault::{Crash, CrashInRecovery, Pause, PowerLoss, Restart, RollingRestart};

impl Injectable for Crash {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Crash> {
        Some(Crash { host: targets.crashable_host(dice)?, down_ms: dice.between(0..=8_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.crash(&self.host);
        vec![Later::Start { host: self.host.clone(), after: millis(self.down_ms) }]
    }
}

impl Injectable for CrashInRecovery {
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

impl Injectable for PowerLoss {
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
}

impl Injectable for Restart {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Restart> {
        Some(Restart { host: targets.crashable_host(dice)?, grace_ms: dice.between(0..=10_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.stop(&self.host);
        vec![Later::Start { host: self.host.clone(), after: millis(self.grace_ms) }]
    }
}

impl Injectable for Pause {
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
}

impl Injectable for RollingRestart {
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
