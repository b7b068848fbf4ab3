//! `tempest shrink`: a failed run becomes the smallest one found that fails in the same way.
use super::explore::{jobs, parse_duration};
use super::report::page_beside;
use super::verdict::{count, seconds};
use anyhow::{Context, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempest::campaign::{Regression, ShrinkError, Shrunk, Stop, TrialSettings, Trials, Watcher, shrink, target};
use tempest::run::Artifact;

/// As shells say of a program that Ctrl-C has ended.
const EXIT_INTERRUPTED: u8 = 130;
/// A candidate may take so many times as long as the run that is shrunk, and at least this.
const RUN_LIMIT_TIMES: u32 = 10;
const RUN_LIMIT_MIN: Duration = Duration::from_secs(60);

/// Set by Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

#[derive(Args)]
pub struct ShrinkCommand {
    /// What a failed run has written.
    artifact: PathBuf,
    /// Where the smallest run so far is kept; shrinking goes on from what is there. ARTIFACT-shrunk.json if not given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Processes at a time; as many as there are processors if not given.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Tries so many smaller runs at most.
    #[arg(long, default_value = "500")]
    tries: u64,
    /// Tries none after this time: 90s, 10m, 2h.
    #[arg(long, value_parser = parse_duration)]
    time_limit: Option<Duration>,
}

impl ShrinkCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let artifact = Artifact::read(&self.artifact)?;
        let name = self.artifact.display();
        let invariant = target(&artifact).with_context(|| format!("{name} is not shrunk"))?;
        super::run::scenario(&artifact.scenario).with_context(|| {
            format!("{name} is no run of a scenario of this binary; of a test it is shrunk by TEMPEST_SHRINK={name} cargo test")
        })?;
        let out = self.out();
        ensure!(out != self.artifact, "--out {} would replace what is shrunk: name another file", out.display());
        let start = self.resumed(&artifact, &out)?;
        let scratch = scratch_directory()?;
        let executable = std::env::current_exe()?;
        let command = |request: &Path, directory: &Path| {
            let mut command = Command::new(&executable);
            command.arg("run").arg("--request").arg(request).arg("--out").arg(directory).arg("--json");
            command.env_remove("TEMPEST_SEED");
            command
        };
        on_interrupt()?;
        let settings = TrialSettings {
            command: &command,
            scratch: scratch.clone(),
            invariant,
            jobs: jobs(self.jobs),
            tries_max: self.tries,
            deadline: self.time_limit.map(|limit| Instant::now() + limit),
            run_limit: RUN_LIMIT_MIN.max(RUN_LIMIT_TIMES * Duration::from_millis(artifact.wall_ms)),
            interrupted: &INTERRUPTED,
        };
        let shown = Shown { bar: bar(self.tries), began: Instant::now(), out: out.clone() };
        let shrunk = shrink(&start, &mut Trials::new(settings, &shown));
        shown.bar.finish_and_clear();
        let _ = std::fs::remove_dir_all(&scratch);
        let shrunk = shrunk.with_context(|| format!("{name} is not shrunk"))?;
        Self::tell(&artifact, &shrunk, &out, shown.began.elapsed())?;
        let interrupted = matches!(shrunk.stopped, Some(Stop::Interrupted));
        Ok(if interrupted { ExitCode::from(EXIT_INTERRUPTED) } else { ExitCode::SUCCESS })
    }

    fn out(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| {
            let stem = self.artifact.file_stem().unwrap_or_default().to_string_lossy();
            self.artifact.with_file_name(format!("{stem}-shrunk.json"))
        })
    }

    /// What an earlier shrinking of the same run has left, or the run itself.
    fn resumed(&self, artifact: &Artifact, out: &Path) -> anyhow::Result<Artifact> {
        if !out.exists() {
            return Ok(artifact.clone());
        }
        let left = Artifact::read(out)?;
        let of = |artifact: &Artifact| (artifact.scenario.clone(), artifact.seed, artifact.request.plants.clone());
        if of(&left) != of(artifact) || target(&left).ok() != target(artifact).ok() {
            bail!("{} is what another run was shrunk to: name another file with --out, or delete it", out.display());
        }
        eprintln!("note: goes on from {}, where {}", out.display(), sizes(&left));
        Ok(left)
    }

    fn tell(artifact: &Artifact, shrunk: &Shrunk, out: &Path, took: Duration) -> anyhow::Result<()> {
        let best = &shrunk.best;
        let took = seconds(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        super::say(format!("before   {}", sizes(artifact)));
        super::say(format!("after    {}", sizes(best)));
        super::say(format!("tried    {} in {took}", count(shrunk.tries, "smaller run")));
        if let Some(stop) = &shrunk.stopped {
            super::say(format!("ended    {stop}; the same command goes on from here"));
        }
        if !out.exists() {
            super::say("nothing smaller was found");
            return Ok(());
        }
        super::say(format!("artifact {}", out.display()));
        super::say(format!("page     {}", page_beside(out)?.display()));
        for violation in best.violations.iter().take(1) {
            super::say(format!("{}: {}", violation.invariant, violation.what));
        }
        let lesson = format!("{}: say here what was wrong and what was learnt from it", target(artifact)?);
        super::say(format!("\nas a regression:\n\n{}", Regression::of(best, lesson).to_toml()?));
        super::say(format!(
            "keep it:   tempest keep {} scenarios/catalog/regression/NAME.toml --lesson TEXT",
            out.display()
        ));
        super::say(format!("reproduce: {}", best.moved_to(out).reproduce));
        Ok(())
    }
}

/// How large a run is, in a line.
fn sizes(artifact: &Artifact) -> String {
    let sizes = ["nodes", "workers", "shards"].into_iter().filter_map(|name| {
        let option = artifact.options.iter().find(|option| option.name == name)?;
        Some(format!(", {name}={}", option.value))
    });
    let (faults, workflows) = (artifact.plan.0.len() as u64, artifact.workflows);
    format!("{}, {}{}", count(faults, "fault"), count(workflows, "workflow run"), sizes.collect::<String>())
}

/// The bar, and the file in which the best run so far is.
struct Shown {
    bar: ProgressBar,
    began: Instant,
    out: PathBuf,
}

impl Watcher for Shown {
    fn tried(&self, tries: u64) {
        self.bar.set_position(tries);
    }

    fn better(&self, artifact: &Artifact) -> Result<(), ShrinkError> {
        artifact.moved_to(&self.out).replace(&self.out)?;
        let sizes = sizes(artifact);
        // Elsewhere than on a terminal a line is for good.
        if self.bar.is_hidden() && self.bar.message() != sizes {
            eprintln!("{:>6} s  {sizes}", self.began.elapsed().as_secs());
        }
        self.bar.set_message(sizes);
        Ok(())
    }
}

fn bar(tries: u64) -> ProgressBar {
    let bar = ProgressBar::new(tries);
    let template = "{spinner} {pos}/{len} tried  {msg}  {elapsed}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Sets the flag at the first Ctrl-C; the second ends the process as ever.
fn on_interrupt() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                INTERRUPTED.store(true, Ordering::SeqCst);
            }
            let _ = tokio::signal::ctrl_c().await;
            std::process::exit(i32::from(EXIT_INTERRUPTED));
        });
    });
    Ok(())
}

/// A directory of this process's own.
fn scratch_directory() -> anyhow::Result<PathBuf> {
    let directory = std::env::temp_dir().join(format!("tempest-shrink-{}", std::process::id()));
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_beside_the_artifact_unless_said_otherwise() {
        let command = |out: Option<&str>| ShrinkCommand {
            artifact: PathBuf::from("out/order-saga-7.json"),
            out: out.map(PathBuf::from),
            jobs: None,
            tries: 1,
            time_limit: None,
        };
        assert_eq!(command(None).out(), Path::new("out/order-saga-7-shrunk.json"));
        assert_eq!(command(Some("small.json")).out(), Path::new("small.json"));
    }
}
