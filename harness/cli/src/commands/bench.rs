//! `tempest bench`: throughput and latency by shard count, measured or modelled.
use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tempest_artifact::{BenchMode, BenchPoint, Estimate, Resource, ShardBench};
use tempest_bench::{Costs, Database, ModelPlan, Plan, RealPlan, Workload, parse_counts, parse_latency};

#[derive(Subcommand)]
pub enum BenchCommand {
    /// By shard count: what is reached, where it saturates and why.
    Shards(Box<Shards>),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// The real server on this machine, under real load.
    Real,
    /// A queueing model in virtual time, for clusters that are not here.
    Modelled,
}

#[derive(Args)]
pub struct Shards {
    /// Where the figures come from.
    #[arg(long, value_enum, default_value = "modelled")]
    mode: Mode,
    /// Shard counts, ascending.
    #[arg(long, value_name = "N,N,...", default_value = "1,4,16,64,256,1024")]
    counts: String,
    /// Nodes of the cluster. One has a redb of its own; several share a database.
    #[arg(long, default_value_t = 1)]
    nodes: u32,
    /// What each workflow does: plain, bare or chain.
    #[arg(long, default_value = "plain")]
    workload: String,
    /// Until a batch of commits is durable, like 0.3ms. In real mode each fsync of the file takes at least so long.
    #[arg(long, value_parser = parse_latency)]
    store_latency: Option<Duration>,
    /// Loads: workflows under way at a time, ascending. 1,8,32,128 if real, 16,128,1024,8192 if modelled.
    #[arg(long, value_name = "N,N,...")]
    clients: Option<String>,
    /// Task queues that the workflows spread over.
    #[arg(long, default_value_t = 4)]
    task_queues: u32,
    /// How often each point is measured, or reckoned with another seed.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    #[command(flatten)]
    real: RealOptions,
    #[command(flatten)]
    modelled: ModelOptions,
    /// Also as a page with curves.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// One JSON object on standard output; what people read goes to standard error.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Only with --mode real")]
struct RealOptions {
    /// memory, file (a temporary one), file:DIRECTORY, or the address of a PostgreSQL database, in which each server
    /// gets a schema of its own. file if not given.
    #[arg(long)]
    database: Option<String>,
    /// Before each load is measured. 1s if not given.
    #[arg(long, value_parser = parse_latency)]
    warm_up: Option<Duration>,
    /// How long each load is measured, 10s at most. 3s if not given.
    #[arg(long, value_parser = parse_latency)]
    measure: Option<Duration>,
}

#[derive(Args)]
#[command(next_help_heading = "Only with --mode modelled")]
struct ModelOptions {
    /// Of each node. 8 if not given.
    #[arg(long)]
    cores: Option<u32>,
    /// Of the database that several nodes share. 16 if not given.
    #[arg(long)]
    database_cores: Option<u32>,
    /// Round trip between machines. 0.2ms if not given.
    #[arg(long, value_parser = parse_latency)]
    network: Option<Duration>,
    /// Takes the costs that a real bench has stated with --json, instead of those that this build knows.
    #[arg(long, value_name = "FILE")]
    costs: Option<PathBuf>,
    /// Of the first repetition. 1 if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Of which each point is reckoned. 10000 if not given.
    #[arg(long)]
    workflows: Option<u64>,
}

pub fn run(command: BenchCommand) -> anyhow::Result<ExitCode> {
    let BenchCommand::Shards(shards) = command;
    shards.run()
}

impl Shards {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let plan = self.plan()?;
        plan.validate()?;
        self.refuse_options_of_the_other_mode()?;
        if let Some(out) = &self.out {
            check_place(out)?;
        }
        let progress = ProgressBar::new_spinner();
        progress.enable_steady_tick(Duration::from_millis(200));
        let mut say = |what: String| progress.set_message(what);
        let bench = match self.mode {
            Mode::Real => tempest_bench::real::run(&plan, &self.real.plan(self.store_latency)?, &mut say),
            Mode::Modelled => tempest_bench::model::run(&plan, &self.modelled.plan(self.store_latency)?, &mut say),
        };
        progress.finish_and_clear();
        let bench = bench?;
        if let Some(out) = &self.out {
            let page = tempest_reports::shards_page(&bench);
            std::fs::write(out, page).with_context(|| format!("cannot write {}", out.display()))?;
        }
        let text = text(&bench, self.out.as_deref());
        if self.json {
            eprint!("{text}");
            super::say(serde_json::to_string_pretty(&bench)?);
        } else {
            super::say(text.trim_end());
        }
        Ok(ExitCode::SUCCESS)
    }

    fn plan(&self) -> anyhow::Result<Plan> {
        let Some(workload) = Workload::named(&self.workload) else {
            let known: Vec<String> =
                Workload::ALL.iter().map(|known| format!("{} ({})", known.name, known.about)).collect();
            bail!("--workload is {:?}: write one of {}", self.workload, known.join("; "));
        };
        let loads = match self.mode {
            Mode::Real => "1,8,32,128",
            Mode::Modelled => "16,128,1024,8192",
        };
        Ok(Plan {
            counts: parse_counts("--counts", &self.counts)?,
            nodes: self.nodes,
            workload,
            clients: parse_counts("--clients", self.clients.as_deref().unwrap_or(loads))?,
            task_queues: self.task_queues,
            repetitions: self.repetitions,
        })
    }

    /// What would silently do nothing is an error.
    fn refuse_options_of_the_other_mode(&self) -> anyhow::Result<()> {
        let Self { real, modelled, .. } = self;
        let given = match self.mode {
            Mode::Real => [
                ("--cores", modelled.cores.is_some()),
                ("--database-cores", modelled.database_cores.is_some()),
                ("--network", modelled.network.is_some()),
                ("--costs", modelled.costs.is_some()),
                ("--seed", modelled.seed.is_some()),
                ("--workflows", modelled.workflows.is_some()),
            ]
            .to_vec(),
            Mode::Modelled => vec![
                ("--database", real.database.is_some()),
                ("--warm-up", real.warm_up.is_some()),
                ("--measure", real.measure.is_some()),
            ],
        };
        let (mode, other) = match self.mode {
            Mode::Real => ("real", "modelled"),
            Mode::Modelled => ("modelled", "real"),
        };
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => {
                bail!("{option} has no meaning with --mode {mode}: leave it out, or add --mode {other}")
            }
            None => Ok(()),
        }
    }
}

impl RealOptions {
    fn plan(&self, fsync_at_least: Option<Duration>) -> anyhow::Result<RealPlan> {
        Ok(RealPlan {
            database: database(self.database.as_deref().unwrap_or("file"))?,
            fsync_at_least,
            warm_up: self.warm_up.unwrap_or(Duration::from_secs(1)),
            measured: self.measure.unwrap_or(Duration::from_secs(3)),
        })
    }
}

impl ModelOptions {
    fn plan(&self, store_latency: Option<Duration>) -> anyhow::Result<ModelPlan> {
        let costs = match &self.costs {
            None => Costs::default(),
            Some(file) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
                let stated = ShardBench::from_json(&text).and_then(|bench| Costs::of(&bench));
                stated.map_err(|why| anyhow::anyhow!("{} states no costs: {why}", file.display()))?
            }
        };
        Ok(ModelPlan {
            costs,
            cores: self.cores.unwrap_or(8),
            database_cores: self.database_cores.unwrap_or(16),
            network: self.network.unwrap_or(Duration::from_micros(200)),
            store_latency,
            seed: self.seed.unwrap_or(1),
            workflows: self.workflows.unwrap_or(10_000),
        })
    }
}

fn database(text: &str) -> anyhow::Result<Database> {
    match text.split_once(':') {
        None if text == "memory" => Ok(Database::Memory),
        None if text == "file" => Ok(Database::File(None)),
        Some(("file", directory)) => Ok(Database::File(Some(directory.into()))),
        Some(("postgres" | "postgresql", _)) => Ok(Database::Postgres(text.to_owned())),
        // Not the whole of it: there may be a password in it.
        _ => bail!(
            "--database begins with {:?}: write memory, file, file:DIRECTORY or postgres://user:password@host/name",
            text.split(':').next().unwrap_or_default()
        ),
    }
}

/// A bench that cannot write its page should not run for minutes first.
fn check_place(out: &Path) -> anyhow::Result<()> {
    let directory = out.parent().filter(|directory| !directory.as_os_str().is_empty());
    match directory {
        Some(directory) if !directory.is_dir() => {
            bail!("--out {}: there is no directory {}; make it first", out.display(), directory.display())
        }
        _ if out.is_dir() => bail!("--out {} is a directory: name a file in it, like report.html", out.display()),
        _ => Ok(()),
    }
}

/// What people read.
fn text(bench: &ShardBench, out: Option<&Path>) -> String {
    let mut text = match bench.mode {
        BenchMode::Real => format!("MEASURED  {}\n{}\n", bench.place, bench.method),
        BenchMode::Modelled => format!("MODELLED, not measured  {}\n{}\n", bench.place, bench.method),
    };
    text += &format!("workload {}: {}\n\n", bench.workload, bench.workload_about);
    text += &table(&rows(bench));
    if let Some(best) = bench.counts.iter().filter_map(|count| bench.best(*count)).max_by(by_throughput) {
        let limit = best.limit.map_or("nothing is full".to_owned(), |resource| format!("full is {}", resource.about()));
        text += &format!("\nbest: {:.0} workflows/s with {} shards; {limit}\n", best.throughput.mean, best.shards);
    }
    for choice in &bench.choices {
        text += &format!(
            "{:>6} shards: {:>3.0} % of the best, p99 {:.1} ms, {:.1} commits by workflow, all owned in {:.0} ms\n",
            choice.shards,
            choice.share_of_best * 100.0,
            choice.p99_ms,
            choice.commits,
            choice.acquire_ms
        );
    }
    text += &needed(bench);
    text += &errors(bench);
    text += "costs:";
    for cost in &bench.costs {
        text += &format!(" {}={:.1}{}", cost.name, cost.value, cost.unit);
    }
    text.push('\n');
    if let Some(out) = out {
        text += &format!("page  {}\n", out.display());
    }
    text
}

fn by_throughput(a: &&BenchPoint, b: &&BenchPoint) -> std::cmp::Ordering {
    a.throughput.mean.total_cmp(&b.throughput.mean)
}

fn rows(bench: &ShardBench) -> Vec<Vec<String>> {
    let header =
        ["shards", "clients", "per second", "95 %", "p50 ms", "p95 ms", "p99 ms", "actor us", "busiest", "full"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for point in &bench.points {
        let ms = |estimate: &Estimate| format!("{:.1}", estimate.mean);
        let half = (point.throughput.high - point.throughput.mean) / point.throughput.mean.max(1e-9) * 100.0;
        let busiest = point.busy.iter().max_by(|a, b| a.1.total_cmp(b.1));
        rows.push(vec![
            point.shards.to_string(),
            point.clients.to_string(),
            format!("{:.1}", point.throughput.mean),
            format!("± {half:.0} %"),
            ms(&point.p50_ms),
            ms(&point.p95_ms),
            ms(&point.p99_ms),
            format!("{:.0}", point.actor_us),
            busiest.map_or_else(String::new, |(what, share)| format!("{} {:.0} %", what.name(), share * 100.0)),
            point.limit.map_or("-", Resource::name).to_owned(),
        ]);
    }
    rows
}

/// Columns as wide as their widest cell, aligned at the right.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}")).collect();
        cells.join("  ") + "\n"
    };
    rows.iter().map(line).collect()
}

/// What each count carries, on stores of several latencies.
fn needed(bench: &ShardBench) -> String {
    if bench.needed.is_empty() {
        return String::new();
    }
    let header =
        std::iter::once("store latency".to_owned()).chain(bench.counts.iter().map(|count| format!("{count} shards")));
    let mut rows = vec![header.collect::<Vec<_>>()];
    for row in &bench.needed {
        let cell = |(capacity, limit): (&f64, &Option<Resource>)| {
            format!("{capacity:.0} {}", limit.map_or("-", Resource::name))
        };
        let cells = row.capacity.iter().zip(&row.limits).map(cell);
        rows.push(std::iter::once(format!("{} ms", row.store_latency_ms)).chain(cells).collect());
    }
    format!(
        "\nworkflows/s that a count carries with three tenths to spare, and what is full beyond:\n{}\n",
        table(&rows)
    )
}

fn errors(bench: &ShardBench) -> String {
    let rate = bench.error(|point, predicted| (point.throughput.mean, predicted.throughput));
    let median = bench.error(|point, predicted| (point.p50_ms.mean, predicted.p50_ms));
    let (Some(rate), Some(median)) = (rate, median) else { return String::new() };
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    format!(
        "model beside this, where nothing was fitted: throughput is off by {} in the median and {} at worst, p50 by {} \
         and {}\n",
        percent(rate.0),
        percent(rate.1),
        percent(median.0),
        percent(median.1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_named_by_their_kind() {
        assert_eq!(database("memory").ok(), Some(Database::Memory));
        assert_eq!(database("file").ok(), Some(Database::File(None)));
        assert_eq!(database("file:/tmp").ok(), Some(Database::File(Some("/tmp".into()))));
        assert!(matches!(database("postgres://u:p@h/d"), Ok(Database::Postgres(_))));
        let said = database("mysql://u:secret@h/d").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("begins with \"mysql\"") && !said.contains("secret"), "{said}");
    }

    #[test]
    fn cells_are_aligned_at_the_right() {
        let rows = [vec!["shards".to_owned(), "full".to_owned()], vec!["1".to_owned(), "CPU".to_owned()]];
        assert_eq!(table(&rows), "shards  full\n     1   CPU\n");
    }
}
