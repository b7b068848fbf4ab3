//! What happened to a disk.

/// Counters since the disk was made; restarts do not reset them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskStatistics {
    /// Changes, the ordinal by which power cuts are placed.
    pub changes: u64,
    pub reads: u64,
    pub writes: u64,
    pub syncs: u64,
    pub bytes_read: u64,
    pub bytes_written: u64,
    pub power_cuts: u64,
    /// Un-synced sectors that power cuts and failed syncs kept.
    pub sectors_kept: u64,
    /// Un-synced sectors that power cuts and failed syncs lost.
    pub sectors_lost: u64,
    /// Operations that a fault made fail, lie or go astray.
    pub faults: u64,
    /// Writes and truncations that failed because the disk was full.
    pub refused_for_room: u64,
}

impl DiskStatistics {
    /// Operations that failed for a reason that no program is to blame for, or did not what they said.
    pub fn failures(&self) -> u64 {
        self.refused_for_room + self.faults
    }
}
