//! The operating system's files, with their fsyncs counted and timed, and as slow as a bench asks.

use redb::StorageBackend;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tempest_store::file_system::{FileSystem, RealFileSystem};

/// The fsyncs so far.
#[derive(Debug, Default)]
pub struct Syncs {
    number: AtomicU64,
    ns: AtomicU64,
}

/// [`Syncs`] at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct SyncsSoFar {
    pub number: u64,
    pub took: Duration,
}

impl Syncs {
    pub fn so_far(&self) -> SyncsSoFar {
        SyncsSoFar { number: self.number.load(Relaxed), took: Duration::from_nanos(self.ns.load(Relaxed)) }
    }
}

#[derive(Debug, Default)]
pub struct TimedDisk {
    pub syncs: Arc<Syncs>,
    /// A sync that was faster waits until it has taken so long.
    pub sync_at_least: Duration,
}

impl TimedDisk {
    fn timed(&self, file: Box<dyn StorageBackend>) -> Box<dyn StorageBackend> {
        Box::new(TimedFile { file, syncs: self.syncs.clone(), at_least: self.sync_at_least })
    }
}

impl FileSystem for TimedDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>> {
        Ok(self.timed(RealFileSystem.open(path)?))
    }

    fn open_or_create(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>> {
        Ok(self.timed(RealFileSystem.open_or_create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealFileSystem.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealFileSystem.remove(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealFileSystem.exists(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        RealFileSystem.sync_directory(directory)
    }
}

#[derive(Debug)]
struct TimedFile {
    file: Box<dyn StorageBackend>,
    syncs: Arc<Syncs>,
    at_least: Duration,
}

impl StorageBackend for TimedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let began = Instant::now();
        let synced = self.file.sync_data();
        // The writer blocks here as it does in the system's call.
        std::thread::sleep(self.at_least.saturating_sub(began.elapsed()));
        self.syncs.number.fetch_add(1, Relaxed);
        self.syncs.ns.fetch_add(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX), Relaxed);
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}
