//! What operators do to a database.
use super::{Harm, Later, Targets};
use crate::explore::Dice;
use crate::world::{Host, World};
use serde::{Deserialize, Serialize};

/// Somebody promotes a node, whatever it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promote {
    pub host: Host,
}

impl Harm for Promote {
    const NAME: &'static str = "promote";
    const FAMILY: &'static str = "database";
    const ABOUT: &'static str = "an operator makes the node primary, also a standby that lacks what was acknowledged; one \
                                 of a database that elects by majority refuses";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Promote> {
        Some(Promote { host: targets.database(dice)? })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.promote(&self.host);
        Vec::new()
    }
}
