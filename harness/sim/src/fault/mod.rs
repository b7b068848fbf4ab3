//! Faults: what goes wrong, where and for how long. Each is data with parameters, drawn from the seed, printed before
//! the run and repeated from an artifact.
//!
//! The data is [`tempest_artifact::fault`]'s, shared with reports: a kind's name, parameters, hosts and links. Here is how
//! it is drawn and done: a family has a file, a kind an implementation of [`Injectable`] in it.
mod clock;
mod database;
mod disk;
mod nemesis;
mod network;
mod process;
mod rpc;
mod schedule;

pub use nemesis::Nemesis;
pub use schedule::{Targets, draw_plan};
pub use tempest_artifact::fault::*;
pub use tempest_artifact::{Event, TimelineEntry};

use crate::draw::Dice;
use crate::world::{Host, World};
use std::time::Duration;

/// How a kind of fault is drawn and done.
pub trait Injectable: Kind + Sized {
    /// Parameters drawn for a world of these hosts; nothing if it cannot happen there.
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Self>;
    /// Performs the fault. What happens later by itself is returned.
    fn begin(&self, world: &mut dyn World) -> Vec<Later>;
    /// Takes back what lasts.
    fn end(&self, _world: &mut dyn World) {}
}

/// What a fault leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Later {
    /// The host is not to be started again, whatever else says so.
    Never { host: Host },
    /// A host that was not there is to be started after this time.
    Join { host: Host, after: Duration },
    /// The host is to be started again after this time.
    Start { host: Host, after: Duration },
    /// The host is to be started after this time on a disk whose power fails at this change.
    StartOnFailingDisk { host: Host, after: Duration, change: u64 },
    /// The host is to be asked to stop after this time, and started again when its grace is over.
    Restart { host: Host, after: Duration, grace: Duration },
    /// Every connection between the two is to break after this time.
    Reset { one: Host, other: Host, after: Duration },
    /// When the host dies of what was prepared, it is to be started this long after its death.
    RestartDelay { host: Host, delay: Duration },
}

macro_rules! injectable {
    ($($kind:ident),+ $(,)?) => {
        /// A fault of the named kind, if it can happen to these targets.
        pub fn draw(kind: &str, dice: &mut Dice, targets: &Targets) -> Option<Fault> {
            $(if kind == $kind::NAME {
                return $kind::draw(dice, targets).map(Fault::$kind);
            })+
            None
        }

        pub(crate) fn begin(fault: &Fault, world: &mut dyn World) -> Vec<Later> {
            match fault {
                $(Fault::$kind(fault) => fault.begin(world)),+
            }
        }

        pub(crate) fn end(fault: &Fault, world: &mut dyn World) {
            match fault {
                $(Fault::$kind(fault) => fault.end(world)),+
            }
        }
    };
}

tempest_artifact::every_fault!(injectable);

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
