//! The seam to the disk: the few operations an embedded store needs, so that a simulated disk can take their place.
use redb::StorageBackend;
use std::fmt::Debug;
use std::io;
use std::path::Path;

/// A small file system. All operations block: call them through `tempest_rt::task::blocking` only.
///
/// A new or renamed file is there after a power cut only if its directory was synced since.
pub trait FileSystem: Debug + Send + Sync + 'static {
    /// Opens a file that exists, for reading and writing, and locks it against everybody else until
    /// [`StorageBackend::close`] or drop. What it shows comes from the medium: after a failed sync a cache may show what
    /// the medium never got, and a process that recovers from that builds on sand.
    ///
    /// # Errors
    /// `NotFound` if there is none, `ResourceBusy` if another process has it open.
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>>;

    /// As [`FileSystem::open`], but makes an empty file if there is none. Never truncates: what is there may belong to
    /// a process that holds the lock.
    ///
    /// # Errors
    /// `ResourceBusy` if another process has it open.
    fn open_or_create(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>>;

    /// Renames within one directory, replacing `to`.
    ///
    /// # Errors
    /// `NotFound` if there is no `from`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// # Errors
    /// `NotFound` if there is no such file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// # Errors
    /// If it cannot be told.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Makes creations, renames and removals in a directory durable.
    ///
    /// # Errors
    /// If they may not be durable.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFileSystem;

impl FileSystem for RealFileSystem {
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>> {
        RealFile::lock(std::fs::OpenOptions::new().read(true).write(true).open(path)?)
    }

    fn open_or_create(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>> {
        let file = std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        RealFile::lock(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        std::fs::File::open(directory)?.sync_all()
    }
}

#[derive(Debug)]
struct RealFile(std::fs::File);

impl RealFile {
    fn lock(file: std::fs::File) -> io::Result<Box<dyn StorageBackend>> {
        match file.try_lock() {
            Ok(()) => {
                forget_cached(&file)?;
                Ok(Box::new(Self(file)))
            }
            Err(std::fs::TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Makes the next reads come from the medium. Pages that are still dirty stay, those that a failed sync called clean go.
#[cfg(target_os = "linux")]
fn forget_cached(file: &std::fs::File) -> io::Result<()> {
    Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?)
}

#[cfg(not(target_os = "linux"))]
fn forget_cached(_: &std::fs::File) -> io::Result<()> {
    Ok(())
}

/// Reserves the blocks of a file that grows, so that a full disk is noticed here, before a transaction commits, and not
/// while its pages are being written.
#[cfg(target_os = "linux")]
fn reserve(file: &std::fs::File, from: u64, until: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), from, until - from) {
        Ok(()) => Ok(()),
        // This file system cannot reserve; it will tell later.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => file.set_len(until),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(file: &std::fs::File, _: u64, until: u64) -> io::Result<()> {
    file.set_len(until)
}

impl StorageBackend for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let now = self.0.metadata()?.len();
        if len > now { reserve(&self.0, now, len) } else { self.0.set_len(len) }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, data, offset)
    }

    fn close(&self) -> io::Result<()> {
        self.0.unlock()
    }
}

/// A boxed file where redb wants a type of its own.
#[derive(Debug)]
pub(crate) struct BoxedFile(pub Box<dyn StorageBackend>);

impl StorageBackend for BoxedFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}
