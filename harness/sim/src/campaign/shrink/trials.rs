//! Candidates are run, each in a process of its own, several at a time.
use super::ShrinkError;
use crate::campaign::process::finish;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempest_artifact::{Artifact, Invariant, RunRequest, Summary};

/// Why no more candidates are run.
#[derive(Debug)]
pub enum Stop {
    Interrupted,
    /// So many candidates as were allowed have been run.
    Tries,
    /// The time is over.
    Time,
    /// None can be run.
    Failed(ShrinkError),
}

/// How candidates are run.
pub struct TrialSettings<'a> {
    /// Makes the process of one run, from the file with its request and the directory for its artifact. It prints its
    /// summary as one JSON object.
    pub command: &'a (dyn Fn(&Path, &Path) -> Command + Sync),
    /// For requests and artifacts of candidates.
    pub scratch: PathBuf,
    /// What a candidate must violate.
    pub invariant: Invariant,
    /// Processes at a time; at least one.
    pub jobs: usize,
    pub tries_max: u64,
    /// No candidate is run after it.
    pub deadline: Option<Instant>,
    /// A candidate that takes longer counts as one that does not fail.
    pub run_limit: Duration,
    /// Set from outside: the trials end.
    pub interrupted: &'a AtomicBool,
}

/// What a caller does while candidates are run.
pub trait Watcher: Sync {
    /// So many candidates have been run.
    fn tried(&self, tries: u64);

    /// A run that is smaller than all before it fails in the same way.
    ///
    /// # Errors
    /// It cannot be written down.
    fn better(&self, artifact: &Artifact) -> Result<(), ShrinkError>;
}

/// Runs candidates and remembers the best.
pub struct Trials<'a> {
    settings: TrialSettings<'a>,
    watcher: &'a dyn Watcher,
    tried: AtomicU64,
    /// Requests that did not fail, as JSON.
    in_vain: BTreeSet<String>,
    best: Option<Artifact>,
}

impl<'a> Trials<'a> {
    pub fn new(settings: TrialSettings<'a>, watcher: &'a dyn Watcher) -> Trials<'a> {
        Trials { settings, watcher, tried: AtomicU64::new(0), in_vain: BTreeSet::new(), best: None }
    }

    /// The artifact of the last candidate that failed.
    pub fn best(&self) -> Option<&Artifact> {
        self.best.as_ref()
    }

    /// Candidates that were run.
    pub fn tries(&self) -> u64 {
        self.tried.load(Ordering::SeqCst)
    }

    /// The first of the candidates that still fails. Those before it were all run; which of those behind it were too
    /// makes no difference.
    ///
    /// # Errors
    /// The trials are over.
    pub(super) fn first_failing(&mut self, candidates: Vec<RunRequest>) -> Result<Option<usize>, Stop> {
        let json = |request: &RunRequest| serde_json::to_string(request).expect("a request is plain data");
        let texts: Vec<String> = candidates.iter().map(json).collect();
        let todo: Vec<usize> = (0..texts.len()).filter(|index| !self.in_vain.contains(&texts[*index])).collect();
        let found = self.race(&todo, &texts)?;
        let passed = todo.iter().filter(|index| found.as_ref().is_none_or(|(first, _)| *index < first));
        self.in_vain.extend(passed.map(|index| texts[*index].clone()));
        let Some((index, artifact)) = found else { return Ok(None) };
        self.watcher.better(&artifact).map_err(Stop::Failed)?;
        self.best = Some(artifact);
        Ok(Some(index))
    }

    /// Runs these of the requests, several at a time, and returns the first that fails.
    fn race(&self, todo: &[usize], texts: &[String]) -> Result<Option<(usize, Artifact)>, Stop> {
        let next = AtomicUsize::new(0);
        let first = AtomicUsize::new(usize::MAX);
        let found: Mutex<Option<(usize, Artifact)>> = Mutex::new(None);
        let stopped: Mutex<Option<Stop>> = Mutex::new(None);
        let stop = |reason| {
            stopped.lock().expect("no holder of this lock panics").get_or_insert(reason);
            next.store(todo.len(), Ordering::SeqCst);
        };
        std::thread::scope(|scope| {
            for _ in 0..self.settings.jobs.clamp(1, todo.len().max(1)) {
                scope.spawn(|| {
                    while let Some(index) = todo.get(next.fetch_add(1, Ordering::SeqCst)).copied() {
                        if index > first.load(Ordering::SeqCst) {
                            return;
                        }
                        let is_late = || index > first.load(Ordering::SeqCst);
                        match self.one(&texts[index], &is_late) {
                            Ok(Some(artifact)) => {
                                first.fetch_min(index, Ordering::SeqCst);
                                let mut found = found.lock().expect("no holder of this lock panics");
                                if found.as_ref().is_none_or(|(other, _)| index < *other) {
                                    *found = Some((index, artifact));
                                }
                            }
                            Ok(None) => {}
                            Err(reason) => return stop(reason),
                        }
                    }
                });
            }
        });
        match stopped.into_inner().expect("no holder of this lock panics") {
            Some(reason) => Err(reason),
            None => Ok(found.into_inner().expect("no holder of this lock panics")),
        }
    }

    /// Runs one candidate; its artifact if it fails as it must. Nothing, too, if it `is_late`: an earlier one failed.
    fn one(&self, request: &str, is_late: &dyn Fn() -> bool) -> Result<Option<Artifact>, Stop> {
        self.may_go_on()?;
        let number = self.tried.fetch_add(1, Ordering::SeqCst);
        let directory = self.settings.scratch.join(number.to_string());
        let failed = |error: std::io::Error| Stop::Failed(error.into());
        std::fs::create_dir_all(&directory).map_err(failed)?;
        let file = directory.join("request.json");
        std::fs::write(&file, request).map_err(failed)?;
        let command = (self.settings.command)(&file, &directory);
        let over = |ran: Duration| ran >= self.settings.run_limit || is_late() || self.may_go_on_running().is_err();
        let finished = finish(command, &over).map_err(failed)?;
        self.watcher.tried(number + 1);
        // A process that was interrupted together with this one says nothing of its candidate.
        self.may_go_on_running()?;
        let summary = finished.summary.and_then(|summary| serde_json::from_value::<Summary>(summary).ok());
        let artifact = summary.filter(|summary| self.fails(summary)).and_then(|summary| summary.artifact);
        let artifact = artifact.map(|file| Artifact::read(Path::new(&file)));
        // It is read, and there will be many.
        let _ = std::fs::remove_dir_all(&directory);
        artifact.transpose().map_err(|error| Stop::Failed(error.into()))
    }

    fn fails(&self, summary: &Summary) -> bool {
        summary.violations.iter().any(|violation| violation.invariant == self.settings.invariant)
    }

    fn may_go_on(&self) -> Result<(), Stop> {
        self.may_go_on_running()?;
        if self.tries() >= self.settings.tries_max { Err(Stop::Tries) } else { Ok(()) }
    }

    fn may_go_on_running(&self) -> Result<(), Stop> {
        if self.settings.interrupted.load(Ordering::SeqCst) {
            return Err(Stop::Interrupted);
        }
        match self.settings.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Stop::Time),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stop::Interrupted => f.write_str("interrupted"),
            Stop::Tries => f.write_str("so many runs as were allowed were tried"),
            Stop::Time => f.write_str("the time is over"),
            Stop::Failed(error) => error.fmt(f),
        }
    }
}
