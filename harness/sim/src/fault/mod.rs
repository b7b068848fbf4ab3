//! Faults: what goes wrong, where and for how long. Each is data with parameters, drawn from the seed, printed before
//! the run and repeated from an artifact.
//!
//! A family has a file, a kind has a struct in it that implements [`Harm`]; [`Fault`] is any of them.
mod clock;
mod database;
mod disk;
mod nemesis;
mod network;
mod process;
mod rpc;
mod schedule;

pub use clock::{ClockJump, ClockSkew};
pub use database::Promote;
pub use disk::{DiskFull, DiskSlow};
pub use nemesis::{Nemesis, TimelineEntry};
pub use network::{Bridge, Clog, Isolate, IsolateDatabase, Latency, OneWay, Partition, Reset, Ring, SlowNode};
pub use process::{Crash, CrashInRecovery, Pause, PowerLoss, Restart, RollingRestart};
pub use rpc::{AnswerLost, CommitInDoubt, DeliveredTwice, Hedged, ReadOnly, SlowCommits};
pub use schedule::{FaultPlan, PlannedFault, Targets};

use crate::explore::Dice;
use crate::world::{Host, World};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One kind of fault.
pub trait Harm: Sized {
    /// Its name in options, plans and lists.
    const NAME: &'static str;
    const FAMILY: &'static str;
    /// One sentence: what happens and when it is over.
    const ABOUT: &'static str;

    /// Parameters drawn for a world of these hosts; nothing if it cannot happen there.
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Self>;
    /// Does the harm. What happens later by itself is returned.
    fn begin(&self, world: &mut dyn World) -> Vec<Later>;
    /// Takes back what lasts.
    fn end(&self, _world: &mut dyn World) {}
    /// When to take it back, after it began; nothing if there is nothing to take back.
    fn lasts(&self) -> Option<Duration> {
        None
    }
}

/// What a fault leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Later {
    /// The host is to be started again after this time.
    Start { host: Host, after: Duration },
    /// The host is to be started after this time on a disk whose power fails at this change.
    StartOnFailingDisk { host: Host, after: Duration, change: u64 },
    /// The host is to be asked to stop after this time, and started again when its grace is over.
    Restart { host: Host, after: Duration, grace: Duration },
    /// When the host dies of what was prepared, it is to be started this long after its death.
    RestartDelay { host: Host, delay: Duration },
}

/// What is listed of a kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FaultKind {
    pub name: &'static str,
    pub family: &'static str,
    pub about: &'static str,
}

macro_rules! faults {
    ($($kind:ident),+ $(,)?) => {
        /// One wrong thing.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum Fault {
            $($kind($kind)),+
        }

        /// All kinds, family by family.
        pub const KINDS: &[FaultKind] = &[
            $(FaultKind { name: $kind::NAME, family: $kind::FAMILY, about: $kind::ABOUT }),+
        ];

        impl Fault {
            /// A fault of the named kind, if it can happen to these targets.
            pub fn draw(kind: &str, dice: &mut Dice, targets: &Targets) -> Option<Fault> {
                $(if kind == $kind::NAME {
                    return $kind::draw(dice, targets).map(Fault::$kind);
                })+
                None
            }

            pub fn name(&self) -> &'static str {
                match self {
                    $(Fault::$kind(_) => $kind::NAME),+
                }
            }

            pub(crate) fn begin(&self, world: &mut dyn World) -> Vec<Later> {
                match self {
                    $(Fault::$kind(harm) => harm.begin(world)),+
                }
            }

            pub(crate) fn end(&self, world: &mut dyn World) {
                match self {
                    $(Fault::$kind(harm) => harm.end(world)),+
                }
            }

            /// How long it lasts, if it is to be taken back.
            pub fn lasts(&self) -> Option<Duration> {
                match self {
                    $(Fault::$kind(harm) => harm.lasts()),+
                }
            }
        }
    };
}

faults!(
    Partition,
    Isolate,
    IsolateDatabase,
    Bridge,
    Ring,
    OneWay,
    Clog,
    Reset,
    Latency,
    SlowNode,
    Crash,
    CrashInRecovery,
    PowerLoss,
    Restart,
    RollingRestart,
    Pause,
    ClockSkew,
    ClockJump,
    DiskSlow,
    DiskFull,
    AnswerLost,
    DeliveredTwice,
    Hedged,
    CommitInDoubt,
    SlowCommits,
    ReadOnly,
    Promote,
);

impl Fault {
    /// Every host it names: whatever is text in it, but for its kind.
    pub(crate) fn hosts(&self) -> Vec<Host> {
        fn texts(value: &serde_json::Value, found: &mut Vec<Host>) {
            match value {
                serde_json::Value::String(text) => found.push(Host(text.clone())),
                serde_json::Value::Array(list) => list.iter().for_each(|value| texts(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        let value = serde_json::to_value(self).expect("a fault is plain data");
        for (_, value) in value.as_object().into_iter().flatten().filter(|(name, _)| *name != "kind") {
            texts(value, &mut found);
        }
        found
    }
}

impl std::fmt::Display for Fault {
    /// `crash server, down 1500 ms`: the name, then what the parameters say.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())?;
        let value = serde_json::to_value(self).map_err(|_| std::fmt::Error)?;
        for (name, value) in value.as_object().into_iter().flatten() {
            if name != "kind" {
                write!(f, " {name}={}", Plain(value))?;
            }
        }
        Ok(())
    }
}

struct Plain<'a>(&'a serde_json::Value);

impl std::fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            serde_json::Value::String(text) => f.write_str(text),
            serde_json::Value::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    write!(f, "{}{}", if index == 0 { "" } else { "+" }, Plain(item))?;
                }
                Ok(())
            }
            other => other.fmt(f),
        }
    }
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
