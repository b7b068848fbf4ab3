//! What operators do to a database.
use super::{Injectable, Later, Targets};
use crate::draw::Dice;
use crate::world::World;
use tempest_artifact::fault::Promote;

impl Injectable for Promote {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Promote> {
        Some(Promote { host: targets.database(dice)? })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.promote(&self.host);
        Vec::new()
    }
}
