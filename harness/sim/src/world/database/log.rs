//! A database node's log: every write that was applied, in order, in one file. What a crash tore is cut off.
use super::wire::Position;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io;
use std::path::Path;
use tempest_disk::SimDisk;
use tempest_store::file_system::FileSystem;

pub(crate) const FILE: &str = "/data/log";
/// The promise has a file of its own, replaced whole: it must survive when entries are cut off.
pub(crate) const PROMISE: &str = "/data/promise";
const PROMISE_NEW: &str = "/data/promise.new";
const DIRECTORY: &str = "/data";
/// It is there on a disk that took the place of another, until the log has caught up with a primary's.
pub(crate) const REBUILDING: &str = "/data/rebuilding";

/// Length and checksum before each entry.
const HEADER_BYTES: usize = 4 + CHECKSUM_BYTES;
const CHECKSUM_BYTES: usize = 8;

/// One write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub position: Position,
    /// Empty: a term began.
    pub write: Bytes,
}

/// The log of one node. All operations block.
pub struct Log {
    disk: SimDisk,
    file: Box<dyn redb::StorageBackend>,
    entries: Vec<Entry>,
    /// Where each entry ends in the file.
    ends: Vec<u64>,
    promised: u64,
    rebuilding: bool,
}

impl Log {
    /// Opens the log on a disk and reads it.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(disk: &SimDisk) -> io::Result<Log> {
        let file = disk.open_or_create(Path::new(FILE))?;
        disk.sync_directory(Path::new(DIRECTORY))?;
        // What a killed process left unsynced is no part of the log before it is on the medium.
        file.sync_data()?;
        let mut bytes = vec![0; usize::try_from(file.len()?).map_err(io::Error::other)?];
        file.read(0, &mut bytes)?;
        let promised = read_promise(disk)?;
        let rebuilding = disk.exists(Path::new(REBUILDING))?;
        let mut log = Log { disk: disk.clone(), file, entries: Vec::new(), ends: Vec::new(), promised, rebuilding };
        while let Some((entry, end)) = read_entry(&bytes, log.end()) {
            log.take(entry, end);
        }
        if log.end() < bytes.len() as u64 {
            log.file.set_len(log.end())?;
            log.file.sync_data()?;
        }
        Ok(log)
    }

    fn take(&mut self, entry: Entry, end: u64) {
        self.promised = self.promised.max(entry.position.term);
        self.entries.push(entry);
        self.ends.push(end);
    }

    fn end(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn last(&self) -> Position {
        self.entries.last().map(|entry| entry.position).unwrap_or_default()
    }

    pub fn promised(&self) -> u64 {
        self.promised
    }

    /// Whether it may lack anything that was ever committed: its disk took the place of another. Such a node is no primary, and
    /// says nothing of what a failover may keep.
    pub fn is_rebuilding(&self) -> bool {
        self.rebuilding
    }

    /// It has what a primary has committed. Durable when it returns.
    pub fn caught_up(&mut self) -> io::Result<()> {
        if self.rebuilding {
            self.disk.remove(Path::new(REBUILDING))?;
            self.disk.sync_directory(Path::new(DIRECTORY))?;
            self.rebuilding = false;
        }
        Ok(())
    }

    /// Whether it has this very entry. All logs agree on what is before the first.
    pub fn has(&self, position: Position) -> bool {
        position.number == 0 || self.at(position.number).is_some_and(|entry| entry.position == position)
    }

    pub fn at(&self, number: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// No entries of an earlier term are taken from here on. Durable when it returns.
    pub fn promise(&mut self, term: u64) -> io::Result<()> {
        if term <= self.promised {
            return Ok(());
        }
        let file = self.disk.open_or_create(Path::new(PROMISE_NEW))?;
        file.set_len(8)?;
        file.write(0, &term.to_be_bytes())?;
        file.sync_data()?;
        drop(file);
        self.disk.rename(Path::new(PROMISE_NEW), Path::new(PROMISE))?;
        self.disk.sync_directory(Path::new(DIRECTORY))?;
        self.promised = term;
        Ok(())
    }

    /// Appends entries, whose numbers follow the last one's. Durable when it returns.
    pub fn append(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        let start = self.end();
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for entry in &entries {
            let body = rmp_serde::to_vec(entry).map_err(io::Error::other)?;
            let length = u32::try_from(body.len()).map_err(io::Error::other)?;
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&checksum(&body));
            bytes.extend_from_slice(&body);
            ends.push(start + bytes.len() as u64);
        }
        self.file.set_len(start + bytes.len() as u64)?;
        self.file.write(start, &bytes)?;
        if !tempest_rt::is_planted(super::plants::DATABASE_ACKNOWLEDGES_BEFORE_FSYNC.name) {
            self.file.sync_data()?;
        }
        for (entry, end) in entries.into_iter().zip(ends) {
            self.take(entry, end);
        }
        Ok(())
    }

    /// Keeps the first `number` entries. Durable when it returns.
    pub fn truncate(&mut self, number: u64) -> io::Result<()> {
        let keep = usize::try_from(number).unwrap_or(usize::MAX);
        if keep < self.entries.len() {
            self.entries.truncate(keep);
            self.ends.truncate(keep);
            self.file.set_len(self.end())?;
            self.file.sync_data()?;
        }
        Ok(())
    }
}

fn read_promise(disk: &SimDisk) -> io::Result<u64> {
    let mut bytes = [0; 8];
    match disk.open(Path::new(PROMISE)) {
        Ok(file) => file.read(0, &mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(u64::from_be_bytes(bytes))
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::digest(body);
    std::array::from_fn(|index| digest[index])
}

/// The entry at `at` and where it ends; nothing if what is there is no whole entry.
fn read_entry(bytes: &[u8], at: u64) -> Option<(Entry, u64)> {
    let rest = bytes.get(usize::try_from(at).ok()?..)?;
    let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
    let body = rest.get(HEADER_BYTES..HEADER_BYTES.checked_add(length)?)?;
    if length == 0 || rest[4..HEADER_BYTES] != checksum(body) {
        return None;
    }
    Some((rmp_serde::from_slice(body).ok()?, at + (HEADER_BYTES + length) as u64))
}

/// The most advanced of some logs: what a promotion among them keeps.
pub fn newest(logs: Vec<Log>) -> Option<Log> {
    logs.into_iter().max_by_key(Log::last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_disk::DiskOptions;

    fn entry(term: u64, number: u64) -> Entry {
        Entry { position: Position { term, number }, write: Bytes::from(vec![7; 1000]) }
    }

    #[test]
    fn what_was_appended_survives_a_power_cut_and_what_was_torn_does_not() {
        for cut_at in 1..12 {
            let disk = SimDisk::new([cut_at as u8; 32], DiskOptions::default());
            let mut log = Log::open(&disk).expect("an empty disk opens");
            log.promise(1).expect("there is power");
            log.append(vec![entry(1, 1), entry(1, 2)]).expect("there is power");
            disk.cut_power_in(cut_at);
            let mut acknowledged = 2;
            while log.append(vec![entry(1, acknowledged + 1)]).is_ok() {
                acknowledged += 1;
            }
            disk.restore_power();
            let found = Log::open(&disk).expect("there is power again");
            assert!(found.last().number >= acknowledged, "cut at {cut_at}");
            assert!(found.last().number <= acknowledged + 1, "cut at {cut_at}");
            assert_eq!(found.promised(), 1);
        }
    }

    #[test]
    fn what_is_cut_off_takes_no_promise_with_it() {
        let disk = SimDisk::new([1; 32], DiskOptions::default());
        let mut log = Log::open(&disk).expect("an empty disk opens");
        log.append(vec![entry(1, 1), entry(1, 2)]).expect("there is power");
        log.promise(3).expect("there is power");
        log.truncate(1).expect("there is power");
        drop(log);
        let log = Log::open(&disk).expect("there is power");
        assert_eq!((log.last().number, log.promised()), (1, 3));
        assert!(log.has(Position { term: 1, number: 1 }) && !log.has(Position { term: 2, number: 1 }));
    }
}
