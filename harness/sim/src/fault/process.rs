//! Faults of processes and their machines. A crash always cuts the power of the host's disk first: destructors that
//! flush politely would leave recovery untested.
use super::network::slow;
use super::{Injectable, Later, Targets, millis};
use crate::draw::Dice;
use crate::world::{Host, World};
use tempest_artifact::fault::{
    Crash, CrashInRecovery, Kind, Pause, PowerLoss, Restart, RestartUnderLoad, RollingRestart, ServerGone,
    ServerReplaced, ZoneLoss,
};

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

/// One server stops after the other, and each is started again.
fn one_after_the_other(hosts: &[Host], pace_ms: u64, grace_ms: u64) -> Vec<Later> {
    let stops = (0..).zip(hosts).map(|(number, host)| Later::Restart {
        host: host.clone(),
        after: millis(number * pace_ms),
        grace: millis(grace_ms),
    });
    stops.collect()
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
        one_after_the_other(&self.hosts, self.pace_ms, self.grace_ms)
    }
}

impl Injectable for RestartUnderLoad {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<RestartUnderLoad> {
        if targets.databases.is_empty() || targets.workers.is_empty() {
            return None;
        }
        let (hosts, workers) = (targets.servers.clone(), targets.workers.clone());
        let (pace_ms, grace_ms) = (dice.between(500..=8_000), dice.between(0..=3_000));
        Some(RestartUnderLoad { hosts, workers, extra_ms: *dice.pick(&[100, 700, 3_000]), pace_ms, grace_ms })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        slow(&self.links(), self.extra_ms, world);
        one_after_the_other(&self.hosts, self.pace_ms, self.grace_ms)
    }

    fn end(&self, world: &mut dyn World) {
        slow(&self.links(), 0, world);
    }
}

impl Injectable for ZoneLoss {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<ZoneLoss> {
        targets.database(dice)?;
        let zones = targets.databases.len() as u64;
        let zone = dice.below(zones);
        // Hosts are spread over zones as they are numbered.
        let of_zone = |hosts: &[Host]| -> Vec<Host> {
            let numbered = (0..).zip(hosts);
            numbered.filter(|(number, _)| number % zones == zone).map(|(_, host)| host.clone()).collect()
        };
        let hosts = [of_zone(&targets.servers), of_zone(&targets.databases), of_zone(&targets.workers)].concat();
        Some(ZoneLoss { hosts, down_ms: dice.between(0..=12_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        self.hosts.iter().for_each(|host| world.crash(host));
        let start = |host: &Host| Later::Start { host: host.clone(), after: millis(self.down_ms) };
        self.hosts.iter().map(start).collect()
    }
}

/// Always the same: however many such faults are drawn, the rest of the cluster stays.
fn last_server(targets: &Targets) -> Option<Host> {
    if targets.spares.is_empty() { None } else { targets.servers.last().cloned() }
}

impl Injectable for ServerGone {
    fn draw(_dice: &mut Dice, targets: &Targets) -> Option<ServerGone> {
        Some(ServerGone { host: last_server(targets)? })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.crash(&self.host);
        vec![Later::Never { host: self.host.clone() }]
    }
}

impl Injectable for ServerReplaced {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<ServerReplaced> {
        let host = last_server(targets)?;
        Some(ServerReplaced { host, by: dice.pick(&targets.spares).clone(), after_ms: dice.between(0..=15_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.crash(&self.host);
        let joins = Later::Join { host: self.by.clone(), after: millis(self.after_ms) };
        vec![Later::Never { host: self.host.clone() }, joins]
    }
}
