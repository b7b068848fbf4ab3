//! Artifacts from disk. A file that is not one is named with its reason and does not stop the others.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempest_artifact::{Artifact, Summary};

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
    #[error("{path} is no artifact of a run: {reason}", path = path.display())]
    NotARun { path: PathBuf, reason: String },
}

/// Every artifact in `directory` and below: `*.json` holds one run, `*.jsonl` one per line.
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
    loaded.runs.sort_by(|a, b| {
        (&a.artifact.scenario, a.artifact.seed, &a.source).cmp(&(&b.artifact.scenario, b.artifact.seed, &b.source))
    });
    Ok(loaded)
}

/// A campaign leaves a line for each run and an artifact for some: of two accounts of one run the fuller one counts.
fn without_summaries_of_artefacts(runs: Vec<Run>) -> Vec<Run> {
    let fullness = |Run { artifact, .. }: &Run| {
        (artifact.options.len() + artifact.checks.len() + artifact.histories.len(), artifact.operations.len())
    };
    let mut kept: BTreeMap<(String, u64, String), Run> = BTreeMap::new();
    for run in runs {
        let Artifact { scenario, seed, trace_hash, .. } = &run.artifact;
        match kept.entry((scenario.clone(), *seed, trace_hash.clone())) {
            Entry::Vacant(vacant) => drop(vacant.insert(run)),
            Entry::Occupied(mut occupied) if fullness(&run) > fullness(occupied.get()) => drop(occupied.insert(run)),
            Entry::Occupied(_) => {}
        }
    }
    kept.into_values().collect()
}

/// One artifact.
pub fn load_file(path: impl AsRef<Path>) -> Result<Run, LoadError> {
    let path = path.as_ref();
    let text = std::fs::read_to_string(path).map_err(|error| LoadError::Read { path: path.to_path_buf(), error })?;
    let mut run = parse(&text).map_err(|reason| LoadError::NotARun { path: path.to_path_buf(), reason })?;
    run.source = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(run)
}

/// A run from the JSON of its artifact, which has a version, or of its summary; or in a sentence why it is none.
pub fn parse(text: &str) -> Result<Run, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value.get("version").is_some() {
        return Artifact::from_json(value).map(Run::from);
    }
    let summary: Summary = serde_json::from_value(value)
        .map_err(|error| format!("it has no version as artifacts have, and is no summary: {error}"))?;
    Ok(Artifact::from(summary).into())
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
