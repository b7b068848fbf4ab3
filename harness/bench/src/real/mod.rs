//! Real mode: the real server, real load, real clocks. Figures depend on the machine and on what else it does.

mod calibration;
mod database;
mod disk;
mod load;
mod processor;
mod server;
mod watched_store;

use crate::model::{self, Place, Setting, StoreKind};
use crate::statistics::{estimate, mean, percentile};
use crate::{BenchError, Costs, Database, Plan, RealPlan};
use calibration::Alone;
use load::{Ended, Load};
use processor::{LOAD_THREADS, UsedSoFar};
use server::{DoneSoFar, Server};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tempest_artifact::{
    BenchMode, BenchPoint, ChoiceCost, Estimate, Prediction, Resource, SHARD_BENCH_VERSION, ShardBench,
};

/// As `PostgresConfig::lanes` of the server.
const LANES: usize = 4;

/// What one repetition found at one shard count under one load.
#[derive(Clone, Debug, Default)]
struct Sample {
    throughput: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    busy: BTreeMap<Resource, f64>,
    actor_us: f64,
    server_cpu_ms: f64,
    load_cpu_ms: f64,
    commits: f64,
    commits_per_batch: f64,
    /// Nothing where no fsync was seen.
    fsync_us: Option<f64>,
    failed_calls: u64,
    waits: BTreeMap<String, f64>,
}

/// The samples of all points, and how long servers took to acquire their shards.
#[derive(Default)]
struct Measured {
    samples: BTreeMap<(u32, u32), Vec<Sample>>,
    acquired_ms: BTreeMap<u32, Vec<f64>>,
}

/// Measures everything that a plan asks for.
///
/// # Errors
/// Something is wrong with the plan, and nothing was started; or the server or the database failed.
pub fn run(plan: &Plan, real: &RealPlan, progress: &mut dyn FnMut(String)) -> Result<ShardBench, BenchError> {
    plan.validate()?;
    real.validate(plan)?;
    let clients = tokio::runtime::Builder::new_multi_thread()
        .worker_threads((cores() / 2).max(1))
        .thread_name(LOAD_THREADS)
        .enable_all()
        .build()?;
    if let Database::Postgres(url) = &real.database {
        clients.block_on(database::connect(url))?;
    }
    progress("calibration".to_owned());
    let alone = calibration::measure_alone(real)?;
    let mut measured = Measured::default();
    for repetition in 0..plan.repetitions {
        let mut counts = plan.counts.clone();
        if repetition % 2 == 1 {
            // What a machine does beside changes from minute to minute: it must not fall on the same counts again.
            counts.reverse();
        }
        for shards in counts {
            progress(format!("repetition {} of {}, {shards} shards", repetition + 1, plan.repetitions));
            clients.block_on(async {}); // the runtime's threads are up before a server competes with them
            measure_count(plan, real, shards, &clients, &mut measured)?;
        }
    }
    clients.shutdown_background();
    Ok(bench(plan, real, alone, &measured))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// One server with an empty database, under each load.
fn measure_count(
    plan: &Plan,
    real: &RealPlan,
    shards: u32,
    runtime: &tokio::runtime::Runtime,
    measured: &mut Measured,
) -> Result<(), BenchError> {
    let server = Server::start(plan, real, shards)?;
    measured.acquired_ms.entry(shards).or_default().push(ms(server.acquired_in));
    let load = Load::new(plan.workload, server.addresses.clone(), plan.task_queues);
    let of_levels = runtime.block_on(async {
        let workers = load.workers(plan.clients.last().copied().unwrap_or(1));
        let mut samples = Vec::new();
        for clients in &plan.clients {
            samples.push((*clients, measure_load(real, &server, &load, *clients).await));
        }
        workers.iter().for_each(tokio::task::JoinHandle::abort);
        samples
    });
    server.stop();
    for (clients, sample) in of_levels {
        if sample.throughput == 0.0 {
            return Err(BenchError::Nothing { shards, clients });
        }
        measured.samples.entry((shards, clients)).or_default().push(sample);
    }
    Ok(())
}

async fn measure_load(real: &RealPlan, server: &Server, load: &std::sync::Arc<Load>, clients: u32) -> Sample {
    let running = load.clients(clients);
    tokio::time::sleep(real.warm_up).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let waits = match &real.database {
        Database::Postgres(url) => Some(tokio::spawn(database::sample_waits(url.clone(), stopped))),
        _ => None,
    };
    let (began, done, used, failed) = (Instant::now(), server.so_far(), UsedSoFar::read(), load.failed_calls());
    tokio::time::sleep(real.measured).await;
    let (ended, done, used) = (Instant::now(), server.so_far().since(&done), UsedSoFar::read().since(used));
    let failed_calls = load.failed_calls() - failed;
    stop.send_replace(true);
    let waits = match waits {
        Some(sampling) => sampling.await.unwrap_or_default(),
        None => BTreeMap::new(),
    };
    let mut latencies: Vec<u64> = within(running.stop().await, began, ended);
    latencies.sort_unstable();
    Sample { failed_calls, waits, ..sample(&latencies, ended - began, &done, &used) }
}

/// In nanoseconds, of the workflows that ended within a window.
fn within(workflows: Vec<Ended>, from: Instant, to: Instant) -> Vec<u64> {
    let inside = workflows.into_iter().filter(|(at, _)| (from..to).contains(at));
    inside.map(|(_, latency)| u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX)).collect()
}

fn sample(latencies: &[u64], elapsed: Duration, done: &DoneSoFar, used: &UsedSoFar) -> Sample {
    let workflows = latencies.len().max(1) as f64;
    let share = |time: Duration| time.as_secs_f64() / elapsed.as_secs_f64();
    let most = |all: &[Duration]| share(all.iter().max().copied().unwrap_or_default());
    let mut busy = BTreeMap::from([(Resource::Actor, most(&done.actors)), (Resource::Writer, most(&done.lanes))]);
    if done.syncs.number > 0 {
        busy.insert(Resource::Fsync, share(done.syncs.took));
    }
    if !used.machine.is_zero() {
        busy.insert(Resource::Cpu, used.machine_busy.as_secs_f64() / used.machine.as_secs_f64());
    }
    let at = |share| percentile(latencies, share) as f64 / 1e6;
    Sample {
        throughput: latencies.len() as f64 / elapsed.as_secs_f64(),
        p50_ms: at(0.5),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        busy,
        actor_us: done.actors.iter().sum::<Duration>().as_secs_f64() * 1e6 / workflows,
        server_cpu_ms: ms(used.server) / workflows,
        load_cpu_ms: ms(used.load) / workflows,
        commits: done.commits as f64 / workflows,
        commits_per_batch: if done.syncs.number > 0 { done.commits as f64 / done.syncs.number as f64 } else { 0.0 },
        fsync_us: (done.syncs.number > 0).then(|| ms(done.syncs.took) * 1e3 / done.syncs.number as f64),
        failed_calls: 0,
        waits: BTreeMap::new(),
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn bench(plan: &Plan, real: &RealPlan, alone: Alone, measured: &Measured) -> ShardBench {
    let points: Vec<BenchPoint> = measured.samples.iter().map(|(at, samples)| point(*at, samples)).collect();
    // The middle shard count is where constants are fitted; the others are predicted.
    let fitted = plan.counts[plan.counts.len() / 2];
    let (lowest, highest) = (plan.clients[0], plan.clients[plan.clients.len() - 1]);
    let costs = match (find(&points, fitted, lowest), find(&points, fitted, highest)) {
        (Some(low), Some(high)) => {
            let load = |clients| mean(&each(&measured.samples[&(fitted, clients)], |sample| sample.load_cpu_ms));
            let fsyncs: Vec<f64> =
                measured.samples[&(fitted, highest)].iter().filter_map(|sample| sample.fsync_us).collect();
            let fsync = (!fsyncs.is_empty()).then(|| mean(&fsyncs));
            alone.with(plan, (low, load(lowest)), (high, load(highest)), fsync)
        }
        _ => Costs::default(),
    };
    let predictions = points.iter().map(|point| {
        let is_fitted = point.shards == fitted && (point.clients == lowest || point.clients == highest);
        predict(plan, real, &costs, point, is_fitted)
    });
    ShardBench {
        version: SHARD_BENCH_VERSION,
        mode: BenchMode::Real,
        workload: plan.workload.name.to_owned(),
        workload_about: plan.workload.about.to_owned(),
        place: place(plan, real),
        method: method(plan, real),
        nodes: plan.nodes,
        cores: u32::try_from(cores()).unwrap_or(u32::MAX),
        counts: plan.counts.clone(),
        store_latency_ms: (costs.us("fsync") > 0.0).then(|| costs.us("fsync") / 1e3),
        costs: costs.stated().to_vec(),
        predictions: predictions.collect(),
        needed: Vec::new(),
        choices: choices(plan, &points, &measured.acquired_ms),
        points,
    }
}

fn find(points: &[BenchPoint], shards: u32, clients: u32) -> Option<&BenchPoint> {
    points.iter().find(|point| (point.shards, point.clients) == (shards, clients))
}

fn each(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Vec<f64> {
    samples.iter().map(of).collect()
}

fn point((shards, clients): (u32, u32), samples: &[Sample]) -> BenchPoint {
    let of = |of: fn(&Sample) -> f64| -> Estimate { estimate(&each(samples, of)) };
    let average = |of: fn(&Sample) -> f64| mean(&each(samples, of));
    let busy: BTreeMap<Resource, f64> = samples[0]
        .busy
        .keys()
        .map(|resource| (*resource, mean(&each(samples, |sample| sample.busy.get(resource).copied().unwrap_or(0.0)))))
        .collect();
    let mut waits: BTreeMap<String, f64> = BTreeMap::new();
    for (wait, number) in samples.iter().flat_map(|sample| &sample.waits) {
        *waits.entry(wait.clone()).or_default() += number / samples.len() as f64;
    }
    BenchPoint {
        shards,
        clients,
        throughput: of(|sample| sample.throughput),
        p50_ms: of(|sample| sample.p50_ms),
        p95_ms: of(|sample| sample.p95_ms),
        p99_ms: of(|sample| sample.p99_ms),
        limit: model::limit(&busy),
        busy,
        actor_us: average(|sample| sample.actor_us),
        server_cpu_ms: average(|sample| sample.server_cpu_ms),
        commits: average(|sample| sample.commits),
        commits_per_batch: average(|sample| sample.commits_per_batch),
        failed_calls: samples.iter().map(|sample| sample.failed_calls).sum(),
        database_waits: waits,
    }
}

fn predict(plan: &Plan, real: &RealPlan, costs: &Costs, point: &BenchPoint, is_fitted: bool) -> Prediction {
    let store = match real.database {
        Database::Postgres(_) => StoreKind::Shared { lanes: LANES },
        Database::Memory | Database::File(_) => StoreKind::Embedded,
    };
    let setting = Setting {
        workload: plan.workload,
        shards: point.shards as usize,
        nodes: plan.nodes as usize,
        cores: cores(),
        database_cores: cores(),
        place: Place::OneMachine,
        store,
        clients: point.clients as usize,
        task_queues: plan.task_queues as usize,
        network: 0,
        fsync: (costs.us("fsync") * 1e3) as u64,
    };
    model::predict(&setting, costs, is_fitted)
}

fn choices(plan: &Plan, points: &[BenchPoint], acquired_ms: &BTreeMap<u32, Vec<f64>>) -> Vec<ChoiceCost> {
    let highest = plan.clients[plan.clients.len() - 1];
    let of_load = || points.iter().filter(|point| point.clients == highest);
    let best = of_load().map(|point| point.throughput.mean).fold(f64::MIN_POSITIVE, f64::max);
    let choice = |point: &BenchPoint| ChoiceCost {
        shards: point.shards,
        share_of_best: point.throughput.mean / best,
        p99_ms: point.p99_ms.mean,
        commits: point.commits,
        acquire_ms: mean(acquired_ms.get(&point.shards).map_or(&[], Vec::as_slice)),
    };
    of_load().map(choice).collect()
}

fn place(plan: &Plan, real: &RealPlan) -> String {
    let database = match &real.database {
        Database::Memory => "redb in memory".to_owned(),
        Database::File(_) => "redb in a file, every acknowledged commit fsynced".to_owned(),
        Database::Postgres(_) => "PostgreSQL".to_owned(),
    };
    let nodes = if plan.nodes == 1 { "one node".to_owned() } else { format!("{} nodes", plan.nodes) };
    let slowed =
        real.fsync_at_least.map_or_else(String::new, |least| format!(", each fsync at least {} ms", ms(least)));
    format!(
        "This machine, with {} cores for everything: {nodes} in one process over {database}{slowed}, clients, workers \
         and {} task queues beside them",
        cores(),
        plan.task_queues
    )
}

fn method(plan: &Plan, real: &RealPlan) -> String {
    format!(
        "{} repetitions, each with a new server on an empty database, shard counts in turns; {} s to warm up and {} s \
         measured at each load; clients start the next workflow when one ends; intervals are 95 % by Student's t{}.",
        plan.repetitions,
        real.warm_up.as_secs_f64(),
        real.measured.as_secs_f64(),
        if cfg!(debug_assertions) { "; a DEBUG build, whose figures say nothing" } else { "" }
    )
}
