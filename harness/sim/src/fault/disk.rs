//! Faults of disks that keep their promises late, not for more, or not at all and say so. A power failure at an operation is
//! a fault of the process family.
use super::{Injectable, Later, Targets, millis};
use crate::draw::Dice;
use crate::world::World;
use tempest_artifact::fault::{BitRot, DiskErrors, DiskFull, DiskLost, DiskSlow, SyncErrors};

impl Injectable for DiskSlow {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<DiskSlow> {
        let host = dice.pick(targets.disks()).clone();
        Some(DiskSlow { host, times: *dice.pick(&[5, 20, 100]), for_ms: dice.between(500..=10_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.slow_disk(&self.host, self.times);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.slow_disk(&self.host, 1);
    }
}

impl Injectable for DiskFull {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<DiskFull> {
        let host = dice.pick(targets.disks()).clone();
        let room_bytes = *dice.pick(&[0, 0, 16 << 10, 256 << 10]);
        Some(DiskFull { host, room_bytes, overwriting: dice.chance(1, 2), for_ms: dice.between(500..=30_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.limit_disk(&self.host, Some(self.room_bytes), self.overwriting);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.limit_disk(&self.host, None, true);
    }
}

impl Injectable for DiskErrors {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<DiskErrors> {
        let host = dice.pick(targets.disks()).clone();
        Some(DiskErrors { host, per_million: *dice.pick(&[300, 10_000, 200_000]), for_ms: dice.between(500..=10_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.fail_operations(&self.host, self.per_million);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.fail_operations(&self.host, 0);
    }
}

impl Injectable for SyncErrors {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<SyncErrors> {
        let host = dice.pick(targets.disks()).clone();
        Some(SyncErrors {
            host,
            per_million: *dice.pick(&[5_000, 50_000, 400_000]),
            for_ms: dice.between(500..=10_000),
        })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.fail_syncs(&self.host, self.per_million);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.fail_syncs(&self.host, 0);
    }
}

impl Injectable for DiskLost {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<DiskLost> {
        Some(DiskLost { host: targets.database(dice)?, down_ms: dice.between(0..=10_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.crash(&self.host);
        world.replace_disk(&self.host);
        vec![Later::Start { host: self.host.clone(), after: millis(self.down_ms) }]
    }
}

impl Injectable for BitRot {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<BitRot> {
        let host = targets.database(dice)?;
        Some(BitRot { host, bits: *dice.pick(&[1, 1, 16]), down_ms: dice.between(0..=10_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.crash(&self.host);
        world.rot_disk(&self.host, self.bits);
        vec![Later::Start { host: self.host.clone(), after: millis(self.down_ms) }]
    }
}
