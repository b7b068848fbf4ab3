//! Faults of disks that keep their promises, but late or not for more. A power failure at an operation is a fault of the process family.
use super::{Injectable, Later, Targets};
use crate::draw::Dice;
use crate::world::World;
use tempest_artifact::fault::{DiskFull, DiskSlow};

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
