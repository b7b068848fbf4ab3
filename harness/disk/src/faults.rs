//! Faults that lie over the disk while they are set.

/// A probability as a ratio of integers: `times` in `of`. The default never happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ratio {
    pub times: u32,
    pub of: u32,
}

impl Ratio {
    pub const NEVER: Ratio = Ratio { times: 0, of: 0 };

    pub fn one_in(of: u32) -> Self {
        Self { times: 1, of }
    }
}

/// Everything that can be wrong with a disk for a while. Setting the default heals it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskFaults {
    /// Reads and changes that fail with an I/O error and do nothing.
    pub failing_operations: Ratio,
    /// Syncs that fail and drop what was dirty: some of it is durable, the rest never will be, though reads still show it
    /// until the file is opened again, and the next sync succeeds.
    pub failing_syncs: Ratio,
    /// A lie, for controls: writes that are shown to readers but never reach the medium.
    pub lost_writes: Ratio,
    /// A lie, for controls: writes that reach the medium somewhere else in the same file.
    pub misdirected_writes: Ratio,
    /// A lie, for controls: syncs succeed and do nothing.
    pub lying_syncs: bool,
    /// There is no room left even to overwrite, as on file systems that never overwrite in place: every write fails with
    /// `StorageFull`. Files that grow are the affair of [`SimDisk::set_capacity`](crate::SimDisk::set_capacity).
    pub overwrites_refused: bool,
    /// Each operation takes this much longer: 0 and 1 are normal speed.
    pub slowness: u32,
}
