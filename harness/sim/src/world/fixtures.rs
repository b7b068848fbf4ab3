//! What every world has in the same way: disks, callers whose calls may be struck, an operator.
use super::{Ambiguities, Host, LOG_FILE, Operator, PROMISE, REBUILDING, Shared};
use std::collections::BTreeMap;
use std::path::Path;
use tempest_disk::{Ratio, SimDisk};

/// How far in the future the power fails of a disk whose power is not to fail.
pub(super) const NEVER: u64 = u64::MAX / 2;

/// What a world is fitted with.
pub struct Fixtures {
    pub(super) disks: BTreeMap<Host, SimDisk>,
    pub(super) ambiguities: Ambiguities,
    pub(super) operator: Operator,
}

impl Fixtures {
    pub(super) fn new(shared: &Shared) -> Fixtures {
        let (ambiguities, operator) = (shared.ambiguities.clone(), shared.operator.clone());
        Fixtures { disks: BTreeMap::new(), ambiguities, operator }
    }

    /// Does something to the host's disk, if it has one.
    pub(super) fn on_disk(&self, host: &Host, act: impl FnOnce(&SimDisk)) {
        if let Some(disk) = self.disks.get(host) {
            act(disk);
        }
    }

    pub(super) fn is_powered(&self, host: &Host) -> bool {
        self.disks.get(host).is_none_or(SimDisk::is_powered)
    }
}

pub(super) fn replace_disk(disk: &SimDisk) {
    disk.replace(&[Path::new(PROMISE)], &[(Path::new(REBUILDING), b"")]);
}

/// A node that is known to be damaged is rebuilt from what it has.
pub(super) fn rot_disk(disk: &SimDisk, bits: u32) {
    disk.replace(&[Path::new(PROMISE), Path::new(LOG_FILE)], &[(Path::new(REBUILDING), b"")]);
    disk.rot(Path::new(LOG_FILE), bits);
}

pub(super) fn of_a_million(times: u64) -> Ratio {
    Ratio { times: u32::try_from(times).unwrap_or(u32::MAX), of: 1_000_000 }
}
