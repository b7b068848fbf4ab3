//! A simulated disk: a small file system that loses power, tears writes, fills up, slows down, fails and lies, all by
//! one seed.
//!
//! [`SimDisk`] implements the store's `FileSystem`. What was written but not synced is kept apart from what is durable,
//! per sector; creations, renames and removals are durable only after their directory was synced. A power cut decides by
//! seed what of the rest survived, and kills every open file for good: a process that outlives its power cannot write.
//!
//! The model, in steps:
//! 1. Reads see what was written last. A change (write, truncation, sync, creation, rename, removal, directory sync) is
//!    counted, so that a power cut can be placed at any of them; one placed at a read would be one at the next change.
//! 2. `sync_data` makes the file's changes so far durable; `sync_directory` those of the directory.
//! 3. A cut at a change leaves that change in flight: it may survive, in part, or not. Each un-synced sector and each
//!    un-synced directory change is kept or lost on its own, at a rate that is drawn anew for each cut.
//! 4. Until [`SimDisk::restore_power`] every operation fails; files opened before it fail forever.
//!
//! Faults ([`DiskFaults`]) lie over this and end with it when they are taken away; those that make a disk lie are for
//! controls: no store survives them, and a test that does not notice them is no test.
#![forbid(unsafe_code)]

mod directory;
mod disk;
mod faults;
mod file;
mod image;
mod random;
mod statistics;

pub use disk::{DiskOptions, SimDisk};
pub use faults::{DiskFaults, Ratio};
pub use statistics::DiskStatistics;
