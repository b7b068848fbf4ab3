//! Faults of clocks.
use super::{Harm, Later, Targets, millis};
use crate::explore::Dice;
use crate::world::{Host, World};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A host's wall clock is off and its clocks run at another rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSkew {
    pub host: Host,
    pub offset_ms: i64,
    /// Parts in a million; good crystals stay below 100.
    pub rate_ppm: i64,
    pub for_ms: u64,
}

impl Harm for ClockSkew {
    const NAME: &'static str = "clock-skew";
    const FAMILY: &'static str = "clock";
    const ABOUT: &'static str =
        "a host's wall clock is off by seconds and its clocks run too fast or too slow, then it is set right again";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<ClockSkew> {
        let host = dice.pick(&targets.all()).clone();
        let signed = |dice: &mut Dice, magnitude: u64| {
            let value = i64::try_from(dice.between(0..=2 * magnitude)).expect("small");
            value - i64::try_from(magnitude).expect("small")
        };
        let (offset_ms, rate_ppm) = (signed(dice, 10_000), signed(dice, 1_000));
        Some(ClockSkew { host, offset_ms, rate_ppm, for_ms: dice.between(1_000..=30_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.set_clock(&self.host, self.offset_ms, self.rate_ppm);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.set_clock(&self.host, 0, 0);
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// A host's wall clock jumps, and stays there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockJump {
    pub host: Host,
    pub by_ms: i64,
    pub for_ms: u64,
}

impl Harm for ClockJump {
    const NAME: &'static str = "clock-jump";
    const FAMILY: &'static str = "clock";
    const ABOUT: &'static str =
        "a host's wall clock jumps forwards or backwards, by up to an hour, and later back again";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<ClockJump> {
        let host = dice.pick(&targets.all()).clone();
        let magnitude = *dice.pick(&[100, 5_000, 60_000, 3_600_000]);
        let by_ms = if dice.chance(1, 2) { magnitude } else { -magnitude };
        Some(ClockJump { host, by_ms, for_ms: dice.between(1_000..=30_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.jump_clock(&self.host, self.by_ms);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.jump_clock(&self.host, -self.by_ms);
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}
