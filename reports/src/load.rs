//! Artefacts from disk. A file that is not one is named with its reason and does not stop the others.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
};

use crate::Run;

/// Files of one directory deeper than this are not looked for: a report is pointed at the output of a campaign.
const DEPTH_MAX: usize = 4;

#[derive(Debug, Default)]
pub struct Loaded {
    /// Ordered by scenario, then seed, then file.
    pub runs: Vec<Run>,
    pub skipped: Vec<Skipped>,
}

/// A JSON file that could not be read as a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub path: PathBuf,
    pub reason: String,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read {path}: {error}", path = path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{path} is not a run artefact: {reason}", path = path.display())]
    NotARun { path: PathBuf, reason: String },
}

/// Every artefact in `directory` and below: `*.json` holds one run, `*.jsonl` one per line.
pub fn load_dir(directory: impl AsRef<Path>) -> Result<Loaded, LoadError> {
    let directory = directory.as_ref();
    let mut files = Vec::new();
    collect(directory, 0, &mut files)?;
    files.sort();
    let mut loaded = Loaded::default();
    for file in files {
        let relative = file.strip_prefix(directory).unwrap_or(&file).to_path_buf();
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                loaded.skipped.push(Skipped { path: relative, reason: error.to_string() });
                continue;
            }
        };
        let lines = file.extension().is_some_and(|extension| extension == "jsonl");
        let documents: Vec<&str> =
            if lines { text.lines().filter(|line| !line.trim().is_empty()).collect() } else { vec![&text] };
        for document in documents {
            match parse(document) {
                Ok(mut run) => {
                    run.source = Some(relative.display().to_string());
                    loaded.runs.push(run);
                }
                Err(reason) => loaded.skipped.push(Skipped { path: relative.clone(), reason }),
            }
        }
    }
    loaded.runs = without_summaries_of_artefacts(loaded.runs);
    loaded.runs.sort_by(|a, b| (&a.scenario, a.seed, &a.source).cmp(&(&b.scenario, b.seed, &b.source)));
    Ok(loaded)
}

/// A campaign leaves a line for each run and an artefact for some: of two accounts of one run the fuller one counts.
fn without_summaries_of_artefacts(runs: Vec<Run>) -> Vec<Run> {
    let fullness = |run: &Run| (run.options.len() + run.checks.len() + run.histories.len(), run.operations.len());
    let mut kept: BTreeMap<(String, u64, String), Run> = BTreeMap::new();
    for run in runs {
        match kept.entry((run.scenario.clone(), run.seed, run.trace_hash.clone())) {
            Entry::Vacant(vacant) => drop(vacant.insert(run)),
            Entry::Occupied(mut occupied) if fullness(&run) > fullness(occupied.get()) => drop(occupied.insert(run)),
            Entry::Occupied(_) => {}
        }
    }
    kept.into_values().collect()
}

/// One artefact.
pub fn load_file(path: impl AsRef<Path>) -> Result<Run, LoadError> {
    let path = path.as_ref();
    let text = std::fs::read_to_string(path).map_err(|error| LoadError::Read { path: path.to_path_buf(), error })?;
    let mut run = parse(&text).map_err(|reason| LoadError::NotARun { path: path.to_path_buf(), reason })?;
    run.source = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(run)
}

/// A run from its JSON, or why it is none: every run names at least its scenario.
pub fn parse(text: &str) -> Result<Run, String> {
    let mut run: Run = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if run.scenario.is_empty() {
        return Err("it names no scenario".into());
    }
    run.keep_what_happened();
    Ok(run)
}

fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let read = |error| LoadError::Read { path: directory.to_path_buf(), error };
    for entry in std::fs::read_dir(directory).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.is_dir() {
            if depth < DEPTH_MAX {
                collect(&path, depth + 1, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "json" || extension == "jsonl") {
            files.push(path);
        }
    }
    Ok(())
}
