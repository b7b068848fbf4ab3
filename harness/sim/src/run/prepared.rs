//! One run: from a request to a verdict. A process holds one.
use super::ownership::ownership;
use super::phases::{Preparation, Recorded, Watch, perform};
use crate::check::{self, Violation};
use crate::draw::{Decisions, Draw, Seed};
use crate::fault::{FaultPlan, Targets, draw_plan};
use crate::observe::{Observations, PROBES, Panic, RunObserved, events, history_json, reach};
use crate::run::RunReport;
use crate::scenario::{Scenario, Workload};
use crate::world::{
    self, Host, Place, RunSettings, Shared, WorldError, WorldOptions, inside, is_for_plans_alone, now_ns,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempest_artifact::{Drawn, RunRequest, WorldKind, old_names};

/// Why a run did not take place.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Setting(#[from] crate::draw::BadSetting),
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(
        "{scenario} runs on the official SDK, which does not run in the world {world}: leave --world out, or run `program` there"
    )]
    NeedsSdk { scenario: String, world: WorldKind },
    #[error(
        "the plan has a fault that the world {world} lacks: {fault}, since {why}; `tempest faults --world {world}` lists what it has"
    )]
    LacksFault { world: WorldKind, fault: &'static str, why: &'static str },
    #[error(
        "the world {world} has no scheduling points that a host could crash at: leave --world or crash_at_scheduling_point out"
    )]
    LacksSchedulingPoints { world: WorldKind },
    #[error(
        "the plan names {host}, which is no host of this world ({nodes} server nodes, {workers} workers): set nodes and \
         workers to what they were when it was made, nodes=1 for a plan of one \"server\""
    )]
    ForeignPlan { host: Host, nodes: u64, workers: u64 },
    #[error("this process has armed its planted bugs and probes already: one run is one process")]
    ArmedBefore,
    #[error("no runtime for the replayer: {0}")]
    Runtime(std::io::Error),
}

/// What can be watched from outside while a run goes on.
pub type Progress = Arc<Watch>;

/// A run about to take place: everything has been drawn.
pub struct Prepared {
    request: RunRequest,
    decisions: Decisions,
    options: WorldOptions,
    drawn: Vec<Drawn>,
    plan: FaultPlan,
    workload: Arc<dyn Workload>,
    /// How many prefixes of each history a worker is given afterwards.
    frontier_prefixes: u64,
    watch: Progress,
}

/// Draws everything that a run will need.
///
/// # Errors
/// A setting names no option of this scenario.
pub fn prepare(scenario: &dyn Scenario, request: RunRequest) -> Result<Prepared, RunError> {
    let decisions = Decisions::new(Seed(request.seed), request.overrides.clone());
    let mut draw = Draw::new(&decisions, &request.settings).in_world(request.world);
    scenario.adjust(&mut draw);
    let options = WorldOptions::draw(&mut draw);
    let targets = Targets::new(options.nodes, options.workers);
    let plan = draw_plan(&decisions, &mut draw, &options, &targets);
    let plan = plan.with(scenario.faults(&mut draw, &targets));
    let plan = request.plan.clone().or_else(|| scenario.plan()).unwrap_or(plan);
    if let Some(host) = plan.unknown_host(&targets.known()) {
        return Err(RunError::ForeignPlan { host, nodes: options.nodes, workers: options.workers });
    }
    for planned in &plan.0 {
        let fault = planned.fault.name();
        if let Some(why) = world::lacks(request.world, fault) {
            return Err(RunError::LacksFault { world: request.world, fault, why });
        }
    }
    if options.crash_at_scheduling_point > 0 && !world::has_scheduling_points(request.world) {
        return Err(RunError::LacksSchedulingPoints { world: request.world });
    }
    let workload = scenario.prepare(&mut draw, &decisions);
    if workload.needs_sdk() && !request.world.has_sdk() {
        return Err(RunError::NeedsSdk { scenario: scenario.name().to_owned(), world: request.world });
    }
    // More than any history has: all.
    let frontier_prefixes = draw.fixed("frontier_prefixes", 2);
    let drawn = draw.finish()?;
    let watch = Progress::default();
    Ok(Prepared { request, decisions, options, drawn, plan, workload, frontier_prefixes, watch })
}

impl Prepared {
    /// All options, in the order they were drawn.
    pub fn drawn(&self) -> &[Drawn] {
        &self.drawn
    }

    pub fn plan(&self) -> &FaultPlan {
        &self.plan
    }

    pub fn progress(&self) -> Progress {
        self.watch.clone()
    }

    /// Runs it on a thread of its own, and judges it. The process should then end without running destructors of what
    /// was frozen: [`std::process::exit`].
    ///
    /// # Errors
    /// The simulation cannot be had on this machine or in this build.
    pub fn run(self, settings: &RunSettings) -> Result<RunReport, RunError> {
        let began = Instant::now();
        let shared = Shared::new(self.decisions.clone());
        self.arm(&shared)?;
        let panics = watch_panics();
        let preparation = Preparation {
            decisions: self.decisions.clone(),
            options: self.options.clone(),
            plan: self.plan.clone(),
            workload: self.workload.clone(),
            shared: shared.clone(),
            watch: self.watch.clone(),
        };
        let place = Place {
            seed: self.request.seed,
            options: self.options.clone(),
            settings: settings.clone(),
            shared: shared.clone(),
        };
        let (recorded, trace_hash) = world::take_place(self.request.world, place, |world| perform(world, preparation))?;
        let observations = self.observe(&shared, &recorded, panics);
        let mut violations = check::judge(&observations);
        violations.extend(self.replay(&observations)?);
        violations.extend(self.workload.check(&observations));
        let violations = check::in_order(violations);
        Ok(self.report(&shared, observations, recorded, violations, trace_hash, began.elapsed()))
    }

    fn arm(&self, shared: &Shared) -> Result<(), RunError> {
        let (decisions, ambiguities) = (self.decisions.clone(), shared.ambiguities.clone());
        let by_chance = self.options.buggify;
        // Two levels: half of the sites are quiet in a run, the others act now and then.
        let acts_by_chance = move |site: &'static str, visit: u64| {
            by_chance
                && !is_for_plans_alone(site)
                && decisions.chance(&format!("buggify.{site}.on"), 0, 1, 2)
                && decisions.chance(&format!("buggify.{site}"), visit, 1, 20)
        };
        let acts =
            move |site: &'static str, visit: u64| ambiguities.strikes_at(site, visit) || acts_by_chance(site, visit);
        let duplicates = shared.duplicates.clone();
        let plants = self.request.plants.iter();
        let planted = plants.map(|name| old_names::planted_bug(name).unwrap_or(name).to_owned()).collect();
        let armed = tempest_rt::arm(tempest_rt::Arms {
            planted,
            buggify: Some(Box::new(acts)),
            duplicated: Some(Box::new(move |call: &[u8]| duplicates.note(now_ns(), call))),
            inline_blocking: world::inline_blocking(self.request.world),
        });
        if armed { Ok(()) } else { Err(RunError::ArmedBefore) }
    }

    fn observe(&self, shared: &Shared, recorded: &Recorded, panics: Panics) -> Observations {
        let mut problems = shared.problems();
        let mut runs = BTreeMap::new();
        for (key, record, stored, is_current) in &recorded.inspection.stored {
            let state = match tempest_history::decode_record(record) {
                Ok(state) => Some(state),
                Err(error) => {
                    problems.push(format!("{} / {}: {error}", key.workflow_id, key.run_id));
                    None
                }
            };
            let served = recorded.inspection.served.get(key.run_id.as_str()).cloned().unwrap_or_default();
            let observed =
                RunObserved { key: key.clone(), stored: stored.clone(), served, state, is_current: *is_current };
            runs.insert(key.run_id.0.clone(), observed);
        }
        let panics = std::mem::take(&mut *panics.lock().expect("hooks do not panic"));
        let mut observations = Observations {
            operations: shared.operations.snapshot(),
            runs,
            namespaces: recorded.inspection.namespaces.clone(),
            panics,
            problems,
            clock_slack_ns: recorded.clock_slack_ns,
            may_stay_open: self.workload.may_stay_open(),
            clients_done: recorded.clients_done,
            clients_waited_for: recorded.waited_for.clone(),
            deadline_ns: recorded.deadline_ns,
            settled_from_ns: recorded.settled_from_ns,
            duplicates: shared.duplicates.snapshot(),
            ..Observations::default()
        };
        shared.commits.observe(&mut observations);
        observations
    }

    /// The replayer and the worker at the frontier are outside the simulation, which has ended: what they say depends on
    /// the histories alone.
    fn replay(&self, observations: &Observations) -> Result<Vec<Violation>, RunError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RunError::Runtime)?;
        let violations = runtime.block_on(async {
            let register = || self.workload.register();
            let mut violations = check::replay(register, observations).await;
            let prefixes = self.frontier_prefixes;
            violations.extend(check::frontier(register(), observations, &self.decisions, prefixes).await);
            violations
        });
        runtime.shutdown_background();
        Ok(violations)
    }

    fn report(
        self,
        shared: &Shared,
        observations: Observations,
        recorded: Recorded,
        violations: Vec<Violation>,
        trace_hash: String,
        wall: Duration,
    ) -> RunReport {
        let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
        for run in observations.runs.values() {
            let close = run.stored.last().filter(|event| events::is_close(event));
            *outcomes.entry(close.map_or("OPEN".to_owned(), events::name)).or_default() += 1;
        }
        let histories = if violations.is_empty() { BTreeMap::new() } else { histories(&observations) };
        // Zero is worth telling.
        let mut probes: BTreeMap<String, u64> = PROBES.iter().map(|name| ((*name).to_owned(), 0)).collect();
        probes.extend(tempest_rt::probes().into_iter().map(|(name, hits)| (name.to_owned(), hits)));
        RunReport {
            program: self.workload.program(),
            options: self.drawn,
            plan: self.plan,
            timeline: recorded.timeline,
            phases: recorded.phases,
            checks: super::judged::checks(&observations, &violations),
            violations,
            trace_hash,
            workflows: observations.runs.len() as u64,
            outcomes,
            ownership: ownership(&observations, &recorded.promotions),
            faults: recorded.faults,
            probes,
            repeats: super::repeats::repeats(&observations),
            reach: reach::of(&observations),
            commits: shared.commits.len() as u64,
            scheduling_points: recorded.scheduling_points,
            virtual_ms: recorded.ended_ns / 1_000_000,
            wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
            operations: observations.operations.iter().map(Into::into).collect(),
            histories,
            request: self.request,
        }
    }
}

/// Prepares and runs.
///
/// # Errors
/// As [`prepare`] and [`Prepared::run`].
pub fn run(scenario: &dyn Scenario, request: RunRequest, settings: &RunSettings) -> Result<RunReport, RunError> {
    prepare(scenario, request)?.run(settings)
}

type Panics = Arc<Mutex<Vec<Panic>>>;

/// What the standard library says before it aborts.
const PANIC_IN_CLEANUP: &str = "panic in a destructor during cleanup";

/// Panics are noted, not printed: what they come to is said in the verdict.
fn watch_panics() -> Panics {
    let panics = Panics::default();
    let noted = panics.clone();
    let elsewhere = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| match inside::host_name() {
        Some(host) => {
            let panic = Panic { host, at_ns: now_ns(), message: info.to_string() };
            if let Ok(mut noted) = noted.lock() {
                noted.push(panic);
                // A panic while another unwinds ends the process, and the verdict with it: this is all that will be said.
                if info.to_string().ends_with(PANIC_IN_CLEANUP) {
                    let said = noted.iter().map(|Panic { host, at_ns, message }| {
                        format!("{host} at {:.3} s: {message}\n", *at_ns as f64 / 1e9)
                    });
                    eprintln!(
                        "a host ends as a process would, and takes this one with it:\n{}",
                        said.collect::<String>()
                    );
                }
            }
        }
        // On no host is the harness itself: its panics are bugs of the harness.
        None => elsewhere(info),
    }));
    panics
}

/// In the JSON that Temporal's tools load.
fn histories(observations: &Observations) -> BTreeMap<String, serde_json::Value> {
    let of_run = |run: &RunObserved| {
        let history = history_json(&run.stored);
        (format!("{}/{}", run.key.workflow_id, run.key.run_id), history)
    };
    observations.runs.values().map(of_run).collect()
}
