//! Faults of clocks.
use super::{Injectable, Later, Targets};
use crate::draw::Dice;
use crate::world::World;
use tempest_artifact::fault::{ClockJump, ClockSkew};

impl Injectable for ClockSkew {
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
}

impl Injectable for ClockJump {
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
}
