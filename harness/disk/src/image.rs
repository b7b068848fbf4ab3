//! One file's bytes: what readers see, what is durable, and the changes between the two.
use crate::faults::Ratio;
use crate::random::Stream;
use crate::statistics::DiskStatistics;

#[derive(Clone, Default)]
pub struct Image {
    pub current: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

/// Where a write goes on the medium.
#[derive(Clone, Copy)]
pub enum Medium {
    Asked,
    Nowhere,
    Elsewhere { offset: usize },
}

/// How much of what is un-synced survives, drawn per cut: the extremes are as instructive as the middle.
const SURVIVAL_PERCENT: [u32; 5] = [0, 10, 50, 90, 100];

impl Image {
    /// A file that is on the medium, whole.
    pub fn of(bytes: &[u8]) -> Image {
        Image { current: bytes.to_vec(), durable: bytes.to_vec(), pending: Vec::new() }
    }

    /// What is on the medium, without what is on its way there.
    pub fn on_medium(&self) -> Image {
        Image::of(&self.durable)
    }

    /// Bytes that are on the medium.
    pub fn durable_bytes(&self) -> usize {
        self.durable.len()
    }

    /// Turns a bit over that is on the medium. Readers that trust a cache see it once the file is opened again.
    pub fn turn_over(&mut self, bit: u64) {
        if let Some(byte) = self.durable.get_mut(usize::try_from(bit / 8).unwrap_or(usize::MAX)) {
            *byte ^= 1 << (bit % 8);
        }
    }

    pub fn write(&mut self, offset: usize, bytes: &[u8], medium: Medium) {
        put(&mut self.current, offset, bytes);
        let place = match medium {
            Medium::Asked => offset,
            Medium::Elsewhere { offset } => offset,
            Medium::Nowhere => return,
        };
        self.pending.push(Pending::Write { offset: place, bytes: bytes.to_vec() });
    }

    pub fn set_len(&mut self, len: usize) {
        self.current.resize(len, 0);
        self.pending.push(Pending::Length(len));
    }

    pub fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// A sync that failed: dirty pages count as clean from now on, whether they reached the medium or not.
    pub fn sync_failed(&mut self, sector: usize, survival: &mut Stream, statistics: &mut DiskStatistics) {
        self.settle(sector, survival, statistics);
    }

    /// What an opener sees who trusts no cache: the medium and what is still on its way there.
    pub fn reread(&mut self) {
        self.current = self.durable.clone();
        for change in self.pending.clone() {
            change.apply(&mut self.current);
        }
    }

    /// The power went: readers after the restart see what is durable.
    pub fn power_cut(&mut self, sector: usize, survival: &mut Stream, statistics: &mut DiskStatistics) {
        self.settle(sector, survival, statistics);
        self.current = self.durable.clone();
    }

    fn settle(&mut self, sector: usize, survival: &mut Stream, statistics: &mut DiskStatistics) {
        if self.pending.is_empty() {
            return;
        }
        let percent = SURVIVAL_PERCENT[survival.below(SURVIVAL_PERCENT.len() as u64) as usize];
        let mut survives = |statistics: &mut DiskStatistics| {
            let kept = survival.strikes(Ratio { times: percent, of: 100 });
            *(if kept { &mut statistics.sectors_kept } else { &mut statistics.sectors_lost }) += 1;
            kept
        };
        for change in self.pending.drain(..) {
            match change {
                Pending::Length(_) if !survives(statistics) => {}
                change @ Pending::Length(_) => change.apply(&mut self.durable),
                Pending::Write { offset, bytes } => {
                    let mut done = 0;
                    while done < bytes.len() {
                        let begin = offset + done;
                        let end = ((begin / sector + 1) * sector).min(offset + bytes.len());
                        if survives(statistics) {
                            put(&mut self.durable, begin, &bytes[done..end - offset]);
                        }
                        done = end - offset;
                    }
                }
            }
        }
    }
}

impl Pending {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Pending::Write { offset, bytes: written } => put(bytes, offset, &written),
            Pending::Length(len) => bytes.resize(len, 0),
        }
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    let end = offset + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(written);
}
