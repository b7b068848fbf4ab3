//! Faults of disks that keep their promises, but late or not for more. A power failure at an operation is a fault of the process family.
use super::{Harm, Later, Targets, millis};
use crate::explore::Dice;
use crate::world::{Host, World};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A server's disk becomes slow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskSlow {
    pub host: Host,
    /// Each operation takes so many times as long.
    pub times: u32,
    pub for_ms: u64,
}

impl Harm for DiskSlow {
    const NAME: &'static str = "disk-slow";
    const FAMILY: &'static str = "disk";
    const ABOUT: &'static str = "each operation of a server's disk takes up to a hundred times as long, for a while";

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

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// A server's disk has no room, for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFull {
    pub host: Host,
    /// By so much the files may still grow.
    pub room_bytes: u64,
    /// Whether what is there may be overwritten. If not, every write fails: also in the middle of a commit, and of the
    /// recovery from that.
    pub overwriting: bool,
    pub for_ms: u64,
}

impl Harm for DiskFull {
    const NAME: &'static str = "disk-full";
    const FAMILY: &'static str = "disk";
    const ABOUT: &'static str =
        "a server's disk has no room for files to grow, or for any write at all, and a while later it has again";

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

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}
