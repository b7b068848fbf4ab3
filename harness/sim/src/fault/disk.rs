//! Faults of disks that keep their promises but late. A power failure at an operation is a fault of the process family.
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
        let host = dice.pick(&targets.servers).clone();
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
