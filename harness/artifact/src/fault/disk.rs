//! Faults of disks that keep their promises late, not for more, or not at all and say so. A power failure at a change is a
//! fault of the process family.
use super::rpc::struck_calls;
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

struck_calls! {
    /// Reads and writes fail.
    DiskErrors, "disk-errors" of Disk:
    "some reads and writes of a server's disk fail with an I/O error and do nothing, for a while";

    /// Syncs fail.
    SyncErrors, "sync-errors" of Disk:
    "some syncs of a server's disk fail: part of what was to be durable never will be, although reads show it until the \
     file is opened again";
}

/// A database node comes back with an empty disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskLost {
    pub host: Host,
    pub down_ms: u64,
}

impl Kind for DiskLost {
    const NAME: &'static str = "disk-lost";
    const FAMILY: Family = Family::Disk;
    const ABOUT: &'static str = "a node of a database that replicates asynchronously crashes and comes back with an empty \
                                 disk: it is no primary before it has what the others have";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }
}

/// Bits turn over on a database node's disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitRot {
    pub host: Host,
    pub bits: u32,
    pub down_ms: u64,
}

impl Kind for BitRot {
    const NAME: &'static str = "bit-rot";
    const FAMILY: Family = Family::Disk;
    const ABOUT: &'static str = "a node of a database that replicates asynchronously crashes, and bits of its log turn over: \
                                 it keeps what is before them, and is no primary before it has what the others have";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }
}
