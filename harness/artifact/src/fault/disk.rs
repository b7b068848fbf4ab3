//! Faults of disks that keep their promises, but late or not for more. A power failure at a change is a fault of the
//! process family.
use super::{Family, Kind, millis};
use crate::Host;
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

impl Kind for DiskSlow {
    const NAME: &'static str = "disk-slow";
    const FAMILY: Family = Family::Disk;
    const ABOUT: &'static str = "each operation of a server's disk takes up to a hundred times as long, for a while";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
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

impl Kind for DiskFull {
    const NAME: &'static str = "disk-full";
    const FAMILY: Family = Family::Disk;
    const ABOUT: &'static str =
        "a server's disk has no room for files to grow, or for any write at all, and a while later it has again";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}
