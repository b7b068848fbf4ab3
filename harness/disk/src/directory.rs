//! Names of files: what lookups see, what is durable, and the changes between the two. All directories exist.
use crate::faults::Ratio;
use crate::random::Stream;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file, whatever its name.
pub type FileNumber = u64;

#[derive(Clone, Default)]
pub struct Directory {
    current: BTreeMap<PathBuf, FileNumber>,
    durable: BTreeMap<PathBuf, FileNumber>,
    pending: Vec<Change>,
}

/// Entries that change together or not at all.
#[derive(Clone)]
struct Change {
    directory: PathBuf,
    entries: Vec<(PathBuf, Option<FileNumber>)>,
}

impl Directory {
    pub fn find(&self, path: &Path) -> Option<FileNumber> {
        self.current.get(path).copied()
    }

    pub fn create(&mut self, path: &Path, file: FileNumber) {
        self.change(path, vec![(path.to_owned(), Some(file))]);
    }

    /// False if there is no `from`.
    pub fn rename(&mut self, from: &Path, to: &Path) -> bool {
        let Some(file) = self.find(from) else { return false };
        self.change(to, vec![(from.to_owned(), None), (to.to_owned(), Some(file))]);
        true
    }

    /// False if there is no such file.
    pub fn remove(&mut self, path: &Path) -> bool {
        let found = self.find(path).is_some();
        if found {
            self.change(path, vec![(path.to_owned(), None)]);
        }
        found
    }

    pub fn sync(&mut self, directory: &Path) {
        for change in std::mem::take(&mut self.pending) {
            if change.directory == directory {
                change.apply(&mut self.durable);
            } else {
                self.pending.push(change);
            }
        }
    }

    pub fn sync_all(&mut self) {
        self.pending.clear();
        self.durable = self.current.clone();
    }

    /// Each un-synced change is kept or lost on its own; one of several entries is never torn.
    pub fn power_cut(&mut self, survival: &mut Stream) {
        for change in self.pending.drain(..) {
            if survival.strikes(Ratio::one_in(2)) {
                change.apply(&mut self.durable);
            }
        }
        self.current = self.durable.clone();
    }

    /// Whether any name, durable or not, leads to the file.
    pub fn names(&self, file: FileNumber) -> bool {
        let pending = self.pending.iter().flat_map(|change| &change.entries).any(|(_, to)| *to == Some(file));
        pending || self.current.values().chain(self.durable.values()).any(|found| *found == file)
    }

    pub fn files(&self) -> impl Iterator<Item = (&PathBuf, FileNumber)> {
        self.current.iter().map(|(path, file)| (path, *file))
    }

    fn change(&mut self, path: &Path, entries: Vec<(PathBuf, Option<FileNumber>)>) {
        let change = Change { directory: directory_of(path).to_owned(), entries };
        change.clone().apply(&mut self.current);
        self.pending.push(change);
    }
}

impl Change {
    fn apply(self, entries: &mut BTreeMap<PathBuf, FileNumber>) {
        for (path, file) in self.entries {
            match file {
                Some(file) => entries.insert(path, file),
                None => entries.remove(&path),
            };
        }
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
