//! The disk as a whole: power, accounting, faults, and the file system's operations.
use crate::directory::{Directory, FileNumber};
use crate::faults::DiskFaults;
use crate::file::SimFile;
use crate::image::Image;
use crate::random::Random;
use crate::statistics::DiskStatistics;
use redb::StorageBackend;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tempest_store::file_system::FileSystem;

/// What a disk is, for its whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskOptions {
    /// Bytes that are written whole or not at all, at least 1.
    pub sector_bytes: u64,
    /// Sum of file lengths beyond which the disk is full; `None` for no bound. Can be changed later.
    pub capacity_bytes: Option<u64>,
    /// How long a read, write, truncation or name operation takes: the calling thread sleeps, unless [`SimDisk::on_latency`]
    /// says what it does instead.
    pub latency: Duration,
    /// How long a sync takes.
    pub sync_latency: Duration,
}

impl Default for DiskOptions {
    fn default() -> Self {
        Self { sector_bytes: 512, capacity_bytes: None, latency: Duration::ZERO, sync_latency: Duration::ZERO }
    }
}

/// A simulated disk. Clones share it.
#[derive(Clone)]
pub struct SimDisk(Arc<Disk>);

struct Disk {
    state: Mutex<State>,
    options: DiskOptions,
}

type PowerCutCallback = Arc<dyn Fn() + Send + Sync>;
type LatencyCallback = Arc<dyn Fn(Duration) + Send + Sync>;

pub(crate) struct State {
    powered: bool,
    /// Raised by every restart; files of an earlier one are dead.
    incarnation: u64,
    cut_at: Option<u64>,
    capacity_bytes: Option<u64>,
    faults: DiskFaults,
    random: Random,
    pub(crate) statistics: DiskStatistics,
    directory: Directory,
    images: BTreeMap<FileNumber, Image>,
    /// Which handle has which file open.
    locks: BTreeMap<FileNumber, u64>,
    numbers_used: u64,
    on_power_cut: Option<PowerCutCallback>,
    on_latency: Option<LatencyCallback>,
}

/// What an operation is, for counting, time and faults.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Change,
    Sync,
}

impl std::fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.lock();
        f.debug_struct("SimDisk")
            .field("powered", &state.powered)
            .field("statistics", &state.statistics)
            .finish_non_exhaustive()
    }
}

impl SimDisk {
    /// An empty disk whose every choice follows from `seed`.
    pub fn new(seed: [u8; 32], options: DiskOptions) -> Self {
        assert!(options.sector_bytes > 0, "a sector has at least one byte");
        let state = State {
            powered: true,
            incarnation: 0,
            cut_at: None,
            capacity_bytes: options.capacity_bytes,
            faults: DiskFaults::default(),
            random: Random::new(seed),
            statistics: DiskStatistics::default(),
            directory: Directory::default(),
            images: BTreeMap::new(),
            locks: BTreeMap::new(),
            numbers_used: 0,
            on_power_cut: None,
            on_latency: None,
        };
        Self(Arc::new(Disk { state: Mutex::new(state), options }))
    }

    /// Cuts the power now. Cut it before a node is killed: otherwise destructors flush politely and nothing is tested.
    pub fn cut_power(&self) {
        let callback = self.cut_power_locked(&mut self.lock());
        run(callback);
    }

    /// Cuts the power at the `changes`-th change from now, from 1; that change is in flight. Replaces an earlier order.
    pub fn cut_power_in(&self, changes: u64) {
        let mut state = self.lock();
        state.cut_at = Some(state.statistics.changes + changes.max(1));
    }

    /// The disk after the cut: what survived is there, files opened before are dead, locks are gone. Turns no fault off.
    /// If the power was never cut, this is a restart of the process: un-synced changes are still there.
    pub fn restore_power(&self) {
        let mut state = self.lock();
        state.powered = true;
        state.incarnation += 1;
        state.locks.clear();
        state.cut_at = None;
        state.drop_nameless();
    }

    pub fn is_powered(&self) -> bool {
        self.lock().powered
    }

    /// Another disk in its place: it has what is durable of the files that are `kept`, and `new` ones, all of it durable. The
    /// power stays as it is, and what was open is dead.
    pub fn replace(&self, kept: &[&Path], new: &[(&Path, &[u8])]) {
        let mut state = self.lock();
        let saved =
            |path: &&Path| Some((path.to_path_buf(), state.images.get(&state.directory.find(path)?)?.on_medium()));
        let saved: Vec<(PathBuf, Image)> = kept.iter().filter_map(saved).collect();
        state.incarnation += 1;
        state.locks.clear();
        state.images.clear();
        state.directory = Directory::default();
        let new = new.iter().map(|(path, bytes)| (path.to_path_buf(), Image::of(bytes)));
        for (path, image) in saved.into_iter().chain(new) {
            let file = state.next_number();
            state.images.insert(file, image);
            state.directory.create(&path, file);
        }
        state.directory.sync_all();
    }

    /// Turns over so many bits, drawn anew for each, of what a file has on the medium.
    pub fn rot(&self, path: &Path, bits: u32) {
        let mut state = self.lock();
        let state = &mut *state;
        let file = state.directory.find(path);
        let Some(image) = file.and_then(|file| state.images.get_mut(&file)) else { return };
        for _ in 0..bits {
            let place = state.random.rot.below(8 * image.durable_bytes() as u64);
            image.turn_over(place);
            state.statistics.faults += 1;
        }
    }

    /// Called, outside all locks, by the operation at which the power is cut: the place to kill the node.
    pub fn on_power_cut(&self, callback: impl Fn() + Send + Sync + 'static) {
        self.lock().on_power_cut = Some(Arc::new(callback));
    }

    /// Called, outside all locks, with the time that an operation takes, in place of a sleep of the calling thread.
    pub fn on_latency(&self, callback: impl Fn(Duration) + Send + Sync + 'static) {
        self.lock().on_latency = Some(Arc::new(callback));
    }

    /// Changes the faults that lie over the disk; the default of all heals it.
    pub fn change_faults(&self, change: impl FnOnce(&mut DiskFaults)) {
        change(&mut self.lock().faults);
    }

    /// Changes how much fits. What is there stays, also if it is more.
    pub fn set_capacity(&self, capacity_bytes: Option<u64>) {
        self.lock().capacity_bytes = capacity_bytes;
    }

    /// Sum of file lengths.
    pub fn used_bytes(&self) -> u64 {
        self.lock().used_bytes()
    }

    /// Names of the files there are.
    pub fn files(&self) -> Vec<PathBuf> {
        self.lock().directory.files().map(|(path, _)| path.clone()).collect()
    }

    pub fn statistics(&self) -> DiskStatistics {
        self.lock().statistics
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One operation of a file or of the file system: power, faults, count, the act itself, perhaps the cut, and time.
    /// `incarnation` is the one the file was opened in, `None` for operations by name.
    pub(crate) fn operate<T>(
        &self,
        kind: Kind,
        incarnation: Option<u64>,
        act: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut guard = self.lock();
        let state = &mut *guard;
        if !state.powered || incarnation.is_some_and(|opened_in| opened_in != state.incarnation) {
            return Err(power_is_off());
        }
        let mut cut = false;
        if kind != Kind::Read {
            state.statistics.changes += 1;
            cut = state.cut_at == Some(state.statistics.changes);
        }
        let result = match state.strike(kind) {
            Some(kind) => Err(io::Error::new(kind, "the simulated disk failed")),
            None => act(state),
        };
        if cut {
            let callback = self.cut_power_locked(state);
            drop(guard);
            run(callback);
            return Err(power_is_off());
        }
        let latency = self.latency(kind, state.faults.slowness);
        let takes_time = state.on_latency.clone();
        drop(guard);
        if latency > Duration::ZERO {
            match takes_time {
                Some(takes_time) => takes_time(latency),
                None => std::thread::sleep(latency),
            }
        }
        result
    }

    pub(crate) fn sector_bytes(&self) -> usize {
        usize::try_from(self.0.options.sector_bytes).expect("a sector fits memory")
    }

    fn cut_power_locked(&self, state: &mut State) -> Option<PowerCutCallback> {
        if !state.powered {
            return None;
        }
        state.powered = false;
        state.cut_at = None;
        state.statistics.power_cuts += 1;
        state.directory.power_cut(&mut state.random.survival);
        for image in state.images.values_mut() {
            image.power_cut(self.sector_bytes(), &mut state.random.survival, &mut state.statistics);
        }
        state.on_power_cut.clone()
    }

    fn latency(&self, kind: Kind, slowness: u32) -> Duration {
        let normal = if kind == Kind::Sync { self.0.options.sync_latency } else { self.0.options.latency };
        normal * slowness.max(1)
    }

    fn open_file(&self, state: &mut State, file: FileNumber) -> io::Result<Box<dyn StorageBackend>> {
        if state.locks.contains_key(&file) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let handle = state.next_number();
        state.locks.insert(file, handle);
        state.image(file).reread();
        Ok(Box::new(SimFile::new(self.clone(), file, state.incarnation, handle)))
    }
}

impl State {
    pub(crate) fn image(&mut self, file: FileNumber) -> &mut Image {
        self.images.get_mut(&file).expect("a file that is open has an image")
    }

    pub(crate) fn parts(&mut self, file: FileNumber) -> (&mut Image, &mut Random, &DiskFaults, &mut DiskStatistics) {
        let image = self.images.get_mut(&file).expect("a file that is open has an image");
        (image, &mut self.random, &self.faults, &mut self.statistics)
    }

    /// Whether the file may grow to `len`.
    pub(crate) fn check_room(&mut self, file: FileNumber, len: u64) -> io::Result<()> {
        let now = self.image(file).current.len() as u64;
        let used = self.used_bytes();
        match self.capacity_bytes {
            Some(capacity) if len > now && used - now + len > capacity => Err(self.no_room()),
            _ => Ok(()),
        }
    }

    /// Whether bytes may be written, wherever they go.
    pub(crate) fn check_overwrite(&mut self) -> io::Result<()> {
        if self.faults.overwrites_refused { Err(self.no_room()) } else { Ok(()) }
    }

    fn no_room(&mut self) -> io::Error {
        self.statistics.refused_for_room += 1;
        io::Error::new(io::ErrorKind::StorageFull, "the simulated disk is full")
    }

    pub(crate) fn unlock(&mut self, file: FileNumber, handle: u64) {
        if self.locks.get(&file) == Some(&handle) {
            self.locks.remove(&file);
        }
    }

    fn used_bytes(&self) -> u64 {
        self.images.values().map(|image| image.current.len() as u64).sum()
    }

    /// Whether a fault makes this operation fail. A sync's own failure is the file's affair, it drops what is dirty.
    fn strike(&mut self, kind: Kind) -> Option<io::ErrorKind> {
        if kind == Kind::Sync {
            return None;
        }
        let struck = self.random.faults.strikes(self.faults.failing_operations).then_some(io::ErrorKind::Other);
        self.statistics.faults += u64::from(struck.is_some());
        struck
    }

    /// Whether a fault makes this sync fail.
    pub(crate) fn strike_sync(&mut self) -> Option<io::ErrorKind> {
        let struck = self.random.faults.strikes(self.faults.failing_syncs).then_some(io::ErrorKind::Other);
        self.statistics.faults += u64::from(struck.is_some());
        struck
    }

    fn next_number(&mut self) -> u64 {
        self.numbers_used += 1;
        self.numbers_used
    }

    /// Files that no name leads to and that are not open are gone.
    fn drop_nameless(&mut self) {
        let (directory, locks) = (&self.directory, &self.locks);
        self.images.retain(|file, _| locks.contains_key(file) || directory.names(*file));
    }
}

impl FileSystem for SimDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>> {
        self.operate(Kind::Read, None, |state| {
            let file = state.directory.find(path).ok_or(io::ErrorKind::NotFound)?;
            self.open_file(state, file)
        })
    }

    fn open_or_create(&self, path: &Path) -> io::Result<Box<dyn StorageBackend>> {
        self.operate(Kind::Change, None, |state| {
            let file = match state.directory.find(path) {
                Some(file) => file,
                None => {
                    let file = state.next_number();
                    state.images.insert(file, Image::default());
                    state.directory.create(path, file);
                    file
                }
            };
            self.open_file(state, file)
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(Kind::Change, None, |state| {
            if !state.directory.rename(from, to) {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operate(Kind::Change, None, |state| {
            if !state.directory.remove(path) {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(())
        })
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.operate(Kind::Read, None, |state| Ok(state.directory.find(path).is_some()))
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.operate(Kind::Sync, None, |state| {
            state.statistics.syncs += 1;
            if let Some(kind) = state.strike_sync() {
                return Err(io::Error::new(kind, "the simulated disk could not sync a directory"));
            }
            if !state.faults.lying_syncs && !state.cut_is_now() {
                state.directory.sync(directory);
                state.drop_nameless();
            }
            Ok(())
        })
    }
}

impl State {
    /// Whether the power goes during the operation that is being done: a sync in flight has made nothing durable yet.
    pub(crate) fn cut_is_now(&self) -> bool {
        self.cut_at == Some(self.statistics.changes)
    }
}

fn run(callback: Option<PowerCutCallback>) {
    if let Some(callback) = callback {
        callback();
    }
}

fn power_is_off() -> io::Error {
    io::Error::other("power is off")
}
