//! Shrinking: a failed run becomes the smallest one found that violates the same invariant.
//!
//! Faults go first, then the workload's sizes get smaller and programs shorter, then the world. What to try is decided by functions from one
//! request to others; [`Trials`] runs those, each in a process of its own. Every size is said in a request, and every
//! choice of a run is keyed by its place, so that what is taken away leaves the rest as it was.
mod as_test;
mod faults;
mod program;
mod sizes;
mod trials;
mod world;

pub use as_test::as_test;
pub use trials::{Stop, TrialSettings, Trials, Watcher};

use super::regression::sized;
use crate::draw::{Decisions, Draw, Seed};
use crate::world::WorldOptions;
use tempest_artifact::{Artifact, Invariant, RunRequest, Settings, Verdict};

/// Why an artifact cannot be shrunk.
#[derive(Debug, thiserror::Error)]
pub enum ShrinkError {
    #[error("the run held: there is nothing to shrink")]
    Held,
    #[error("the run was not deterministic, and a smaller one would say no more: compare two traces of its seed")]
    NotDeterministic,
    #[error("the run has no verdict: there is no invariant that a smaller one could violate")]
    NoVerdict,
    #[error("this tempest runs it, and {0} is not violated any more: there is nothing to shrink")]
    Fixed(Invariant),
    #[error("cannot run it: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Artifact(#[from] tempest_artifact::ArtifactError),
}

/// How the shrinking ended, and at what.
#[derive(Debug)]
pub struct Shrunk {
    /// The smallest run that was found.
    pub best: Artifact,
    pub tries: u64,
    /// Why it ended before everything was tried.
    pub stopped: Option<Stop>,
}

/// The invariant that a smaller run has to violate, too.
///
/// # Errors
/// There is none.
pub fn target(artifact: &Artifact) -> Result<Invariant, ShrinkError> {
    match (artifact.verdict, artifact.violations.first()) {
        (Verdict::Held, _) => Err(ShrinkError::Held),
        (Verdict::Nondeterministic, _) => Err(ShrinkError::NotDeterministic),
        (_, Some(violation)) => Ok(violation.invariant),
        (_, None) => Err(ShrinkError::NoVerdict),
    }
}

/// Shrinks until nothing that is tried makes it smaller, or until the trials stop.
///
/// # Errors
/// The run does not fail, or none can be performed.
pub fn shrink(artifact: &Artifact, trials: &mut Trials<'_>) -> Result<Shrunk, ShrinkError> {
    let invariant = target(artifact)?;
    let mut current = sized(artifact);
    let stopped = match trials.first_failing(vec![current.clone()]) {
        Ok(Some(_)) => all_passes(&mut current, &mut |candidates| trials.first_failing(candidates)).err(),
        Ok(None) => return Err(ShrinkError::Fixed(invariant)),
        Err(stop) => Some(stop),
    };
    let stopped = match stopped {
        Some(Stop::Failed(error)) => return Err(error),
        stopped => stopped,
    };
    let best = trials.best().cloned().unwrap_or_else(|| artifact.clone());
    Ok(Shrunk { best, tries: trials.tries(), stopped })
}

/// Tells which is the first of some requests that still fails.
pub(super) type StillFails<'a> = dyn FnMut(Vec<RunRequest>) -> Result<Option<usize>, Stop> + 'a;

/// Rounds of all passes: what a smaller workload no longer needs, the next round takes away.
const ROUNDS_MAX: usize = 4;

fn all_passes(current: &mut RunRequest, still_fails: &mut StillFails<'_>) -> Result<(), Stop> {
    for _ in 0..ROUNDS_MAX {
        let before = current.clone();
        faults::fewer(current, still_fails)?;
        sizes::smaller(current, &workload_sizes(current), still_fails)?;
        program::shorter(current, still_fails)?;
        world::plainer(current, still_fails)?;
        faults::fewer(current, still_fails)?;
        faults::simpler(current, still_fails)?;
        if *current == before {
            break;
        }
    }
    Ok(())
}

/// Takes the first of these requests that still fails, and says whether there is one.
fn take_first(
    current: &mut RunRequest,
    candidates: Vec<RunRequest>,
    still_fails: &mut StillFails<'_>,
) -> Result<bool, Stop> {
    let mut candidates: Vec<RunRequest> = candidates.into_iter().filter(|candidate| candidate != current).collect();
    let Some(index) = still_fails(candidates.clone())? else { return Ok(false) };
    *current = candidates.swap_remove(index);
    Ok(true)
}

/// The sizes of a request that are the workload's, largest first; how long the storm lasts is one of them.
fn workload_sizes(request: &RunRequest) -> Vec<String> {
    let of_world = world_options();
    let is_workload = |name: &str| name == "storm_ms" || !of_world.iter().any(|option| option == name);
    let mut sizes: Vec<(&String, &u64)> =
        request.settings.0.iter().filter(|(name, _)| is_workload(name) && *name != "frontier_prefixes").collect();
    sizes.sort_by_key(|(name, value)| (std::cmp::Reverse(**value), *name));
    sizes.into_iter().map(|(name, _)| name.clone()).collect()
}

/// The names of the options that every world has.
fn world_options() -> Vec<String> {
    let settings = Settings::default();
    let decisions = Decisions::new(Seed(1), []);
    let mut draw = Draw::new(&decisions, &settings);
    WorldOptions::draw(&mut draw);
    let drawn = draw.finish().expect("nothing was set that could be wrong");
    drawn.into_iter().map(|option| option.name).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::fault::{Crash, Fault, FaultPlan, PlannedFault, Reset};
    use crate::world::Host;

    /// A run of three nodes with a crash of each worker, a reset, and so many sagas.
    pub fn request(sagas: u64) -> RunRequest {
        let crash = |host: &str| Fault::Crash(Crash { host: Host(host.to_owned()), down_ms: 4_321 });
        let reset = Fault::Reset(Reset { one: Host("server-3".to_owned()), other: Host("server-1".to_owned()) });
        let faults = [crash("worker-1"), crash("worker-2"), reset, crash("server-2")];
        let plan = (1..).zip(faults).map(|(number, fault)| PlannedFault { at_ms: number * 1_234, fault }).collect();
        let sizes = [("sagas", sagas), ("nodes", 3), ("shards", 16), ("workers", 2), ("storm_ms", 30_000)];
        let sizes = sizes.into_iter().chain([("frontend_nodes", 7), ("history_nodes", 6), ("matching_nodes", 3)]);
        RunRequest {
            scenario: "order-saga".to_owned(),
            seed: 7,
            settings: Settings(sizes.map(|(name, value)| (name.to_owned(), value)).collect()),
            plan: Some(FaultPlan(plan)),
            ..RunRequest::default()
        }
    }

    /// Shrinks as if a run failed when this says so.
    pub fn shrunk(mut current: RunRequest, fails: impl Fn(&RunRequest) -> bool) -> RunRequest {
        all_passes(&mut current, &mut |candidates| Ok(candidates.iter().position(&fails))).expect("nothing stops it");
        current
    }

    #[test]
    fn what_is_not_needed_goes_and_what_is_needed_stays() {
        let names = |request: &RunRequest| -> Vec<String> {
            request.plan.iter().flat_map(|plan| &plan.0).map(|planned| planned.fault.to_string()).collect()
        };
        let needs_a_worker = |request: &RunRequest| {
            request.settings.0["sagas"] >= 5 && names(request).iter().any(|fault| fault.contains("worker"))
        };
        let small = shrunk(request(60), needs_a_worker);
        assert_eq!(small.settings.0["sagas"], 5);
        assert_eq!((small.settings.0["nodes"], small.settings.0["workers"], small.settings.0["shards"]), (1, 1, 1));
        assert_eq!(names(&small), ["crash down_ms=0 host=worker-1"]);
    }

    #[test]
    fn two_faults_that_are_needed_together_stay_together() {
        let both = |request: &RunRequest| {
            let plan = request.plan.as_ref().expect("a candidate has a plan");
            let has = |host: &str| plan.0.iter().any(|planned| planned.fault.hosts().contains(&Host(host.to_owned())));
            has("worker-2") && has("server-2")
        };
        let small = shrunk(request(60), both);
        assert_eq!(small.plan.map(|plan| plan.0.len()), Some(2));
    }

    #[test]
    fn only_a_violated_run_is_shrunk() {
        let said = |verdict| {
            let artifact = Artifact { verdict, ..Artifact::default() };
            target(&artifact).expect_err("there is no violation").to_string()
        };
        assert_eq!(said(Verdict::Held), "the run held: there is nothing to shrink");
        assert!(said(Verdict::Nondeterministic).starts_with("the run was not deterministic"));
        assert!(said(Verdict::Unknown).starts_with("the run has no verdict"));
    }
}
