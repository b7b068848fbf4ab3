//! Faults as data: what goes wrong, where and for how long. A family has a file, a kind has a struct in it that
//! implements [`Kind`]; [`Fault`] is any of them.
mod clock;
mod database;
mod disk;
mod network;
mod plan;
mod process;
mod rpc;

pub use clock::{ClockJump, ClockSkew};
pub use database::{CommitInDoubt, OwnershipTaken, Promote, ReadOnly, SlowCommits, SlowReads};
pub use disk::{BitRot, DiskErrors, DiskFull, DiskLost, DiskSlow, SyncErrors};
pub use network::{
    Bridge, Clog, Flapping, Isolate, IsolateDatabase, Latency, OneWay, Partition, Reset, Ring, SlowDatabaseLink,
    SlowNode,
};
pub use plan::{FaultPlan, PlannedFault};
pub use process::{
    Crash, CrashInRecovery, Pause, PowerLoss, Restart, RestartUnderLoad, RollingRestart, ServerGone, ServerReplaced,
    ZoneLoss,
};
pub use rpc::{AnswerLost, DeliveredTwice, Hedged, PeerAnswerLost, PeerCallLate, PeerCallLost, PeerCallTwice};

use crate::Host;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// What a fault meddles with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    Network,
    Process,
    Clock,
    Disk,
    Rpc,
    Database,
}

impl Family {
    pub const ALL: [Family; 6] =
        [Family::Network, Family::Process, Family::Clock, Family::Disk, Family::Rpc, Family::Database];

    pub fn name(self) -> &'static str {
        match self {
            Family::Network => "network",
            Family::Process => "process",
            Family::Clock => "clock",
            Family::Disk => "disk",
            Family::Rpc => "rpc",
            Family::Database => "database",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Lists are aligned by it.
        f.pad(self.name())
    }
}

/// One direction between two hosts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    pub from: Host,
    pub to: Host,
}

impl Link {
    pub fn new(from: &Host, to: &Host) -> Link {
        Link { from: from.clone(), to: to.clone() }
    }
}

/// What a kind of fault says of itself.
pub trait Kind {
    /// Its name in options, plans and lists.
    const NAME: &'static str;
    const FAMILY: Family;
    /// One sentence: what happens and when it is over.
    const ABOUT: &'static str;

    /// The hosts it is aimed at.
    fn hosts(&self) -> Vec<Host>;

    /// The links that it disturbs, in the order in which it does.
    fn links(&self) -> Vec<Link> {
        Vec::new()
    }

    /// When it is to be taken back, after it began; nothing if there is nothing to take back.
    fn lasts(&self) -> Option<Duration> {
        None
    }
}

/// What is listed of a kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FaultKind {
    pub name: &'static str,
    pub family: Family,
    pub about: &'static str,
}

/// Calls a macro with all kinds of faults, family by family: the one list of them.
#[macro_export]
macro_rules! every_fault {
    ($with:ident) => {
        $with! {
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
            SlowDatabaseLink,
            Flapping,
            Crash,
            CrashInRecovery,
            PowerLoss,
            Restart,
            RollingRestart,
            RestartUnderLoad,
            ZoneLoss,
            ServerGone,
            ServerReplaced,
            Pause,
            ClockSkew,
            ClockJump,
            DiskSlow,
            DiskFull,
            DiskErrors,
            SyncErrors,
            DiskLost,
            BitRot,
            AnswerLost,
            DeliveredTwice,
            Hedged,
            PeerCallLost,
            PeerCallLate,
            PeerCallTwice,
            PeerAnswerLost,
            CommitInDoubt,
            SlowCommits,
            SlowReads,
            OwnershipTaken,
            ReadOnly,
            Promote,
        }
    };
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
            pub fn name(&self) -> &'static str {
                match self {
                    $(Fault::$kind(_) => $kind::NAME),+
                }
            }

            pub fn family(&self) -> Family {
                match self {
                    $(Fault::$kind(_) => $kind::FAMILY),+
                }
            }

            /// One sentence: what happens and when it is over.
            pub fn about(&self) -> &'static str {
                match self {
                    $(Fault::$kind(_) => $kind::ABOUT),+
                }
            }

            /// The hosts it is aimed at.
            pub fn hosts(&self) -> Vec<Host> {
                match self {
                    $(Fault::$kind(fault) => fault.hosts()),+
                }
            }

            /// The links that it disturbs, in the order in which it does.
            pub fn links(&self) -> Vec<Link> {
                match self {
                    $(Fault::$kind(fault) => fault.links()),+
                }
            }

            /// How long it lasts, if it is to be taken back.
            pub fn lasts(&self) -> Option<Duration> {
                match self {
                    $(Fault::$kind(fault) => fault.lasts()),+
                }
            }
        }
    };
}

every_fault!(faults);

impl Fault {
    /// Every host it names: those it is aimed at and the ends of the links it disturbs.
    pub fn named_hosts(&self) -> BTreeSet<Host> {
        let ends = self.links().into_iter().flat_map(|Link { from, to }| [from, to]);
        self.hosts().into_iter().chain(ends).collect()
    }
}

impl fmt::Display for Fault {
    /// `crash down_ms=1500 host=server`: the name, then what the parameters say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let value = serde_json::to_value(self).map_err(|_| fmt::Error)?;
        for (name, value) in value.as_object().into_iter().flatten() {
            if name != "kind" {
                write!(f, " {name}={}", Plain(value))?;
            }
        }
        Ok(())
    }
}

struct Plain<'a>(&'a serde_json::Value);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
