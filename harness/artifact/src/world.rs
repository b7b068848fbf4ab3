use serde::{Deserialize, Serialize};
use std::fmt;

/// The worlds that a run can take place in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorldKind {
    /// Every host is real threads in turn; network, disks and clocks are ours. The official SDK runs in it.
    #[default]
    Lockstep,
    /// Network, clocks and turns are turmoil's; disks are ours. Workers speak the protocol themselves.
    Turmoil,
    /// Turns, clocks and randomness are madsim's; network and disks are ours. Workers speak the protocol themselves.
    Madsim,
}

impl WorldKind {
    pub const ALL: [WorldKind; 3] = [WorldKind::Lockstep, WorldKind::Turmoil, WorldKind::Madsim];

    pub fn name(self) -> &'static str {
        match self {
            WorldKind::Lockstep => "lockstep",
            WorldKind::Turmoil => "turmoil",
            WorldKind::Madsim => "madsim",
        }
    }

    /// Whether the official SDK runs in it.
    pub fn has_sdk(self) -> bool {
        self == WorldKind::Lockstep
    }

    /// What is not said where nothing else is meant.
    pub fn is_default(&self) -> bool {
        *self == WorldKind::default()
    }
}

impl fmt::Display for WorldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no world {0:?}; there are: lockstep, turmoil, madsim")]
pub struct UnknownWorld(String);

impl std::str::FromStr for WorldKind {
    type Err = UnknownWorld;

    fn from_str(text: &str) -> Result<WorldKind, UnknownWorld> {
        WorldKind::ALL.into_iter().find(|world| world.name() == text).ok_or_else(|| UnknownWorld(text.to_owned()))
    }
}
