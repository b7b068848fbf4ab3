//! An open file, as the storage engine sees it.
use crate::directory::FileNumber;
use crate::disk::{Kind, SimDisk, State};
use crate::image::Medium;
use redb::StorageBackend;
use std::io;

#[derive(Debug)]
pub struct SimFile {
    disk: SimDisk,
    file: FileNumber,
    incarnation: u64,
    handle: u64,
}

impl SimFile {
    pub fn new(disk: SimDisk, file: FileNumber, incarnation: u64, handle: u64) -> Self {
        Self { disk, file, incarnation, handle }
    }

    fn operate<T>(&self, kind: Kind, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        self.disk.operate(kind, Some(self.incarnation), act)
    }
}

impl StorageBackend for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.operate(Kind::Read, |state| Ok(state.image(self.file).current.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.operate(Kind::Read, |state| {
            let bytes = usize::try_from(offset)
                .ok()
                .and_then(|begin| state.image(self.file).current.get(begin..begin.checked_add(out.len())?))
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            out.copy_from_slice(bytes);
            state.statistics.reads += 1;
            state.statistics.bytes_read += out.len() as u64;
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.operate(Kind::Change, |state| {
            state.check_room(self.file, len)?;
            state.image(self.file).set_len(usize::try_from(len).map_err(io::Error::other)?);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.operate(Kind::Sync, |state| {
            state.statistics.syncs += 1;
            if state.cut_is_now() {
                return Ok(());
            }
            let failure = state.strike_sync();
            let (image, random, faults, statistics) = state.parts(self.file);
            if let Some(kind) = failure {
                image.sync_failed(self.disk.sector_bytes(), &mut random.survival, statistics);
                return Err(io::Error::new(kind, "the simulated disk could not sync"));
            }
            if !faults.lying_syncs {
                image.sync();
            }
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.operate(Kind::Change, |state| {
            state.check_overwrite()?;
            state.check_room(self.file, offset + data.len() as u64)?;
            let sector = self.disk.sector_bytes();
            let (image, random, faults, statistics) = state.parts(self.file);
            let medium = if random.faults.strikes(faults.lost_writes) {
                Medium::Nowhere
            } else if random.faults.strikes(faults.misdirected_writes) {
                let sectors = (image.current.len() / sector).max(1) as u64;
                Medium::Elsewhere { offset: random.places.below(sectors) as usize * sector }
            } else {
                Medium::Asked
            };
            statistics.faults += u64::from(!matches!(medium, Medium::Asked));
            statistics.writes += 1;
            statistics.bytes_written += data.len() as u64;
            image.write(usize::try_from(offset).map_err(io::Error::other)?, data, medium);
            Ok(())
        })
    }

    fn close(&self) -> io::Result<()> {
        self.disk.lock().unlock(self.file, self.handle);
        Ok(())
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        self.disk.lock().unlock(self.file, self.handle);
    }
}
