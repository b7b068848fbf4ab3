//! `tempest run`: one seed, one process.
use super::verdict::{announcement, seconds, verdict};
use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempest::campaign::{OwnCore, leave_a_shared_core};
use tempest::draw::Seed;
use tempest::run::{Prepared, RunReport, RunRequest, RunSettings, prepare};
use tempest_artifact::{Settings, WorldKind, old_names};

/// An invariant was violated.
const EXIT_VIOLATED: i32 = 1;

#[derive(Args)]
pub struct RunCommand {
    /// A name from `tempest scenarios`.
    #[arg(required_unless_present = "request")]
    scenario: Option<String>,
    /// Runs what this file asks for: JSON, as `request` in an artifact.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "seed", "file", "plant", "set"])]
    request: Option<PathBuf>,
    /// The universe to run; drawn and printed if it is not given.
    #[arg(long, env = "TEMPEST_SEED", value_parser = parse_seed, allow_hyphen_values = true)]
    seed: Option<Seed>,
    #[command(flatten)]
    how: How,
    /// Runs the program of this file in place of a drawn one; only the scenario `program` does.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Puts a bug from `tempest plants` into the server.
    #[arg(long, value_name = "BUG")]
    plant: Vec<String>,
    /// Sets an option that would have been drawn: see the first lines of a run, where a ! marks those that were set.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// How a run is watched and what is left of it.
#[derive(Args)]
pub struct How {
    /// Where the run takes place: lockstep, turmoil or madsim; lockstep, or where the artifact's run took place, if not given.
    #[arg(long, value_name = "WORLD")]
    world: Option<WorldKind>,
    /// Writes the trace as readable lines.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Adds a line per scheduling point to the trace.
    #[arg(long, requires = "trace")]
    trace_turns: bool,
    /// Prints what servers and workers log, with virtual time and host, on standard error: `info`, `tempest_history=debug`.
    #[arg(long, value_name = "FILTER", env = "RUST_LOG")]
    log: Option<String>,
    /// Where the artifact of a failed run goes.
    #[arg(long, value_name = "DIR", default_value = "tempest-out")]
    out: PathBuf,
    /// One JSON object on standard output; what people read goes to standard error.
    #[arg(long)]
    json: bool,
}

/// What a failed run leaves for the person who looks into it.
pub enum Leave {
    /// An artifact and its page; the name is without directory and extension.
    Artifact(String),
    /// Nothing: this artifact says it all.
    Known(PathBuf),
}

pub fn parse_seed(text: &str) -> Result<Seed, String> {
    text.parse().map_err(|error: tempest::draw::BadSeed| error.to_string())
}

impl RunCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let request = self.asked_for()?;
        let report = self.how.perform(request)?;
        let status = if report.holds() { 0 } else { EXIT_VIOLATED };
        let of_run = [report.request.scenario.clone(), report.request.seed.to_string()];
        let world = Some(report.request.world).filter(|world| !world.is_default());
        let of_run = of_run.into_iter().chain(world.map(|world| world.to_string()));
        let name = of_run.chain(report.request.plants.iter().cloned()).collect::<Vec<_>>().join("-");
        self.how.conclude(&report, status, &Leave::Artifact(name))
    }

    fn asked_for(&self) -> anyhow::Result<RunRequest> {
        if let Some(file) = &self.request {
            let name = file.display();
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
            let request: RunRequest =
                serde_json::from_str(&text).with_context(|| format!("{name} is no request of a run"))?;
            known_plants(&request.plants)?;
            return Ok(request);
        }
        let mut settings = Settings::default();
        for text in &self.set {
            settings.add(text)?;
        }
        known_plants(&self.plant)?;
        let seed = self.seed.unwrap_or_else(Seed::draw).0;
        let scenario = self.scenario.clone().unwrap_or_default();
        let program = self.file.as_deref().map(|file| program_of(&scenario, file)).transpose()?;
        let plants = self.plant.clone();
        Ok(RunRequest { scenario, seed, settings, program, plants, ..RunRequest::default() })
    }
}

impl How {
    /// Where it takes place: what is asked for counts more than what the request says.
    pub fn world_of(&self, request: &RunRequest) -> WorldKind {
        self.world.unwrap_or(request.world)
    }

    /// Announces, runs, and shows how far it is.
    pub fn perform(&self, request: RunRequest) -> anyhow::Result<RunReport> {
        let world = self.world_of(&request);
        super::builds::enter(world)?;
        let request = RunRequest { world, ..request };
        let scenario = scenario_of(&request)?;
        for note in old_names::notes(&request) {
            eprintln!("note: {note}");
        }
        let prepared = prepare(scenario.as_ref(), request.clone())?;
        self.tell(&announcement(&request, &prepared));
        let core = OwnCore::claim();
        let pin_to_core = core.as_ref().map(|core| core.number);
        leave_a_shared_core();
        let settings =
            RunSettings { pin_to_core, trace_file: self.trace.clone(), trace_scheduling_points: self.trace_turns };
        if let Some(filter) = &self.log {
            super::simulated_log::begin(filter)?;
        }
        let bar = show_progress(&prepared);
        let report = prepared.run(&settings)?;
        bar.finish_and_clear();
        self.tell(&verdict(&report));
        Ok(report)
    }

    /// The last lines, what a failed run leaves, and the end of the process: threads of the simulation are frozen forever,
    /// nothing of them is to be dropped.
    pub fn conclude(&self, report: &RunReport, status: i32, leave: &Leave) -> anyhow::Result<ExitCode> {
        let artifact = match leave {
            _ if report.holds() => None,
            Leave::Known(file) => Some(file.display().to_string()),
            Leave::Artifact(name) => {
                let file = self.out.join(format!("{name}.json"));
                self.leave(report, &file)
            }
        };
        if report.holds() && !report.request.plants.is_empty() {
            self.tell(&format!(
                "note     this seed did not find what was planted: {}\n",
                report.request.plants.join(", ")
            ));
        }
        let reproduce = format!("reproduce: {}", report.request.command(artifact.as_deref()));
        if self.json {
            if !report.holds() {
                eprintln!("{reproduce}");
            }
            say(&serde_json::to_string(&report.summary(artifact.as_deref()))?);
        } else {
            say(&report.verdict_line());
            if !report.holds() {
                say(&reproduce);
            }
        }
        std::process::exit(status)
    }

    /// Writes artifact and page; the artifact's path if it is there. The verdict counts, whatever becomes of them.
    fn leave(&self, report: &RunReport, file: &Path) -> Option<String> {
        if let Err(error) = report.artifact(file).write(file) {
            eprintln!("note: no artifact was left: {error}");
            return None;
        }
        self.tell(&format!("artifact {}\n", file.display()));
        match super::report::page_beside(file) {
            Ok(page) => self.tell(&format!("page     {}\n", page.display())),
            // It can be made again from the artifact.
            Err(error) => eprintln!("note: no page was written: {error:#}"),
        }
        Some(file.display().to_string())
    }

    /// What people read: on standard output, or on standard error where that has the JSON object.
    pub fn tell(&self, text: &str) {
        // The reader may have had enough (`| head`): that is no reason to panic.
        let _ = if self.json {
            std::io::stderr().write_all(text.as_bytes())
        } else {
            std::io::stdout().write_all(text.as_bytes())
        };
    }
}

/// A line on standard output, if its reader is still there.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The text of a program, once it has been read without a mistake.
fn program_of(scenario: &str, file: &Path) -> anyhow::Result<String> {
    anyhow::ensure!(scenario == "program", "--file is for the scenario `program`: {scenario:?} draws what it does");
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    tempest_program::text::read(&text).with_context(|| format!("{} is no program", file.display()))?;
    Ok(text)
}

/// The scenario of a request.
fn scenario_of(request: &RunRequest) -> anyhow::Result<std::sync::Arc<dyn tempest::Scenario>> {
    match &request.program {
        Some(text) => Ok(tempest_scenarios::of_program(tempest_program::text::read(text)?)),
        None => scenario(&request.scenario),
    }
}

/// The scenario of that name, or all names.
pub fn scenario(name: &str) -> anyhow::Result<std::sync::Arc<dyn tempest::Scenario>> {
    let renamed = || old_names::scenario(name).and_then(tempest_scenarios::named);
    tempest_scenarios::named(name).or_else(renamed).with_context(|| {
        let names: Vec<String> = tempest_scenarios::all().iter().map(|scenario| scenario.name().to_owned()).collect();
        format!("there is no scenario {name:?}; there are: {}", names.join(", "))
    })
}

/// Refuses bugs that are not there to be planted.
pub fn known_plants(plants: &[String]) -> anyhow::Result<()> {
    let known = tempest::planted_bugs();
    for plant in plants {
        let name = old_names::planted_bug(plant).unwrap_or(plant);
        if !known.iter().any(|bug| bug.name == name) {
            let names: Vec<&str> = known.iter().map(|bug| bug.name).collect();
            anyhow::bail!("there is no bug {plant:?} to plant; there are: {}", names.join(", "));
        }
    }
    Ok(())
}

/// A line that a thread outside the simulation keeps up to date, if a person can see it.
fn show_progress(prepared: &Prepared) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").expect("the template is well formed"));
    let (progress, shown) = (prepared.progress(), bar.clone());
    std::thread::spawn(move || {
        while !shown.is_finished() {
            let phase = tempest::PHASES.get(progress.phase.load(Ordering::Relaxed)).unwrap_or(&"");
            shown.set_message(format!(
                "{phase:<8} {:>11} virtual  {} faults  {} commits  {} runs open",
                seconds(progress.virtual_ms.load(Ordering::Relaxed)),
                progress.faults.load(Ordering::Relaxed),
                progress.commits.load(Ordering::Relaxed),
                progress.open.load(Ordering::Relaxed),
            ));
            shown.tick();
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    bar
}
