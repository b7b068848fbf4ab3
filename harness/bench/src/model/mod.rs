//! Modelled mode: what would limit a cluster that is not here. Deterministic: a plan gives the same figures everywhere.

mod cluster;
mod engine;
mod outcome;
mod program;
#[cfg(test)]
mod tests;

use crate::statistics::{estimate, mean};
use crate::{BenchError, Costs, ModelPlan, Plan};
use cluster::{Cluster, PerStep};
use engine::Engine;
use std::collections::BTreeMap;
use tempest_artifact::{
    BenchMode, BenchPoint, ChoiceCost, Prediction, Resource, SHARD_BENCH_VERSION, ShardBench, ShardsNeeded,
};

pub use cluster::{Place, Setting, StoreKind};
pub use outcome::{Outcome, limit};

/// As `PostgresConfig::lanes` of the server.
const LANES: usize = 4;
/// As `HistoryConfig::acquisitions_in_flight_max` of the server.
const ACQUISITIONS_IN_FLIGHT: usize = 64;
/// Latencies of stores for which a table says how many shards are needed: a local disk, a database beside the nodes,
/// one with a synchronous standby, one in another zone.
const STORE_LATENCIES_US: [u64; 5] = [100, 300, 1_000, 3_000, 10_000];
/// A cluster is sized for so much of what it can do at most.
const HEADROOM: f64 = 0.7;

/// Simulates one cluster: `warm_up` workflows, then `measured` ones, of which the figures are.
fn simulate(setting: &Setting, costs: &Costs, seed: u64, warm_up: u64, measured: u64) -> Outcome {
    let cluster = Cluster::new(setting.clone());
    Engine::run(&cluster, &PerStep::of(costs, setting.store), seed, warm_up, measured)
}

/// Reckons everything that a plan asks for.
///
/// # Errors
/// Something is wrong with the plan; nothing was reckoned then.
pub fn run(plan: &Plan, model: &ModelPlan, progress: &mut dyn FnMut(String)) -> Result<ShardBench, BenchError> {
    plan.validate()?;
    model.validate()?;
    let mut points = Vec::new();
    for shards in &plan.counts {
        for clients in &plan.clients {
            progress(format!("{shards} shards, {clients} clients"));
            points.push(point(plan, model, *shards, *clients));
        }
    }
    let needed = needed(plan, model, progress);
    let choices = choices(plan, model, &points);
    let fsync = fsync_ns(model);
    Ok(ShardBench {
        version: SHARD_BENCH_VERSION,
        mode: BenchMode::Modelled,
        workload: plan.workload.name.to_owned(),
        workload_about: plan.workload.about.to_owned(),
        place: place(plan, model),
        method: format!(
            "Virtual time, {} seeds from {}; of each point {} workflows after {} to warm up; clients start the next \
             workflow when one ends. No clock was read.",
            plan.repetitions,
            model.seed,
            model.workflows,
            warm_up(model, plan.clients.last().copied().unwrap_or(1))
        ),
        nodes: plan.nodes,
        cores: model.cores,
        counts: plan.counts.clone(),
        store_latency_ms: Some(fsync as f64 / 1e6),
        costs: model.costs.stated().to_vec(),
        points,
        predictions: Vec::new(),
        needed,
        choices,
    })
}

/// What the model says of a cluster on this machine that was measured.
pub fn predict(setting: &Setting, costs: &Costs, fitted: bool) -> Prediction {
    let measured = (setting.clients as u64 * 10).max(2_000);
    let outcome = simulate(setting, costs, 1, measured / 4, measured);
    Prediction {
        shards: u32::try_from(setting.shards).unwrap_or(u32::MAX),
        clients: u32::try_from(setting.clients).unwrap_or(u32::MAX),
        throughput: outcome.throughput,
        p50_ms: outcome.p50,
        p99_ms: outcome.p99,
        limit: outcome.limit(),
        fitted,
    }
}

fn fsync_ns(model: &ModelPlan) -> u64 {
    let given = model.store_latency.and_then(|latency| u64::try_from(latency.as_nanos()).ok());
    given.unwrap_or_else(|| model.costs.ns("fsync"))
}

/// So many workflows that the first wave of clients is over.
fn warm_up(model: &ModelPlan, clients: u32) -> u64 {
    (model.workflows / 5).max(2 * u64::from(clients))
}

fn place(plan: &Plan, model: &ModelPlan) -> String {
    let network = model.network.as_secs_f64() * 1e3;
    let store = match store(plan) {
        StoreKind::Embedded => "redb on a disk of its own".to_owned(),
        StoreKind::Shared { lanes } => {
            format!("PostgreSQL with {} cores, over {lanes} lanes of each node", model.database_cores)
        }
    };
    format!(
        "A model of {} nodes with {} cores each, {store}; {} task queues; {network} ms of round trip between machines; \
         clients and workers on machines of their own",
        plan.nodes, model.cores, plan.task_queues
    )
}

/// One node has a file; several share a database.
fn store(plan: &Plan) -> StoreKind {
    if plan.nodes == 1 { StoreKind::Embedded } else { StoreKind::Shared { lanes: LANES } }
}

fn setting(plan: &Plan, model: &ModelPlan, shards: u32, clients: u32) -> Setting {
    Setting {
        workload: plan.workload,
        shards: shards as usize,
        nodes: plan.nodes as usize,
        cores: model.cores as usize,
        database_cores: model.database_cores as usize,
        place: Place::Apart,
        store: store(plan),
        clients: clients as usize,
        task_queues: plan.task_queues as usize,
        network: u64::try_from(model.network.as_nanos()).unwrap_or(u64::MAX),
        fsync: fsync_ns(model),
    }
}

fn point(plan: &Plan, model: &ModelPlan, shards: u32, clients: u32) -> BenchPoint {
    let setting = setting(plan, model, shards, clients);
    let measured = model.workflows.max(2 * u64::from(clients));
    let one =
        |number: usize| simulate(&setting, &model.costs, model.seed + number as u64, warm_up(model, clients), measured);
    let outcomes: Vec<Outcome> = (0..plan.repetitions).map(one).collect();
    let each = |of: fn(&Outcome) -> f64| outcomes.iter().map(of).collect::<Vec<f64>>();
    let busy: BTreeMap<Resource, f64> = outcomes[0]
        .busy
        .keys()
        .map(|resource| (*resource, mean(&outcomes.iter().map(|one| one.busy[resource]).collect::<Vec<f64>>())))
        .collect();
    BenchPoint {
        shards,
        clients,
        throughput: estimate(&each(|one| one.throughput)),
        p50_ms: estimate(&each(|one| one.p50)),
        p95_ms: estimate(&each(|one| one.p95)),
        p99_ms: estimate(&each(|one| one.p99)),
        limit: limit(&busy),
        busy,
        actor_us: mean(&each(|one| one.actor_us)),
        server_cpu_ms: mean(&each(|one| one.cpu_ms)),
        commits: mean(&each(|one| one.commits)),
        commits_per_batch: mean(&each(|one| one.commits_per_batch)),
        failed_calls: 0,
        database_waits: BTreeMap::new(),
    }
}

/// What each shard count can do on stores of other latencies, and on this one: under the highest load, and more on slow
/// stores, so that the number of clients is not what limits.
fn needed(plan: &Plan, model: &ModelPlan, progress: &mut dyn FnMut(String)) -> Vec<ShardsNeeded> {
    let own = fsync_ns(model);
    let mut latencies: Vec<u64> = STORE_LATENCIES_US.iter().map(|us| us * 1_000).chain([own]).collect();
    latencies.sort_unstable();
    latencies.dedup();
    let clients = plan.clients.last().copied().unwrap_or(1);
    let row = |latency: u64| {
        progress(format!("stores of {} ms", latency as f64 / 1e6));
        let outcome = |shards: &u32| {
            let times = (latency / own.max(1)).clamp(1, 8);
            let clients = u32::try_from(u64::from(clients) * times).unwrap_or(u32::MAX);
            let setting = Setting { fsync: latency, ..setting(plan, model, *shards, clients) };
            let measured = model.workflows.max(2 * u64::from(clients));
            simulate(&setting, &model.costs, model.seed, warm_up(model, clients), measured)
        };
        let outcomes: Vec<Outcome> = plan.counts.iter().map(outcome).collect();
        ShardsNeeded {
            store_latency_ms: latency as f64 / 1e6,
            capacity: outcomes.iter().map(|outcome| outcome.throughput * HEADROOM).collect(),
            limits: outcomes.iter().map(Outcome::limit).collect(),
        }
    };
    latencies.into_iter().map(row).collect()
}

/// What each shard count costs at the highest load.
fn choices(plan: &Plan, model: &ModelPlan, points: &[BenchPoint]) -> Vec<ChoiceCost> {
    let highest = plan.clients.last().copied().unwrap_or(1);
    let of_load: Vec<&BenchPoint> = points.iter().filter(|point| point.clients == highest).collect();
    let best = of_load.iter().map(|point| point.throughput.mean).fold(f64::MIN_POSITIVE, f64::max);
    let choice = |point: &&BenchPoint| ChoiceCost {
        shards: point.shards,
        share_of_best: point.throughput.mean / best,
        p99_ms: point.p99_ms.mean,
        commits: point.commits,
        acquire_ms: acquire_ms(&setting(plan, model, point.shards, highest), &model.costs),
    };
    of_load.iter().map(choice).collect()
}

/// Until the shards of a node are owned by others, once they know that it is dead: rounds of so many acquisitions, each
/// a transaction, which all nodes but the dead one begin at once and the database flushes together.
fn acquire_ms(setting: &Setting, costs: &Costs) -> f64 {
    let cluster = Cluster::new(setting.clone());
    let costs = PerStep::of(costs, setting.store);
    let moved = cluster.shards_of_fullest_node();
    let survivors = (setting.nodes - 1).max(1);
    let each = moved.div_ceil(survivors);
    let rounds = each.div_ceil(ACQUISITIONS_IN_FLIGHT) as u64;
    let trips = if setting.store == StoreKind::Embedded { 0 } else { 3 * setting.network };
    // A row of the shard is written, and its tasks are read.
    let work = costs.batch * rounds + 2 * costs.commit * moved as u64 / setting.database_cores.max(1) as u64;
    (rounds * (trips * 2 + setting.fsync) + work) as f64 / 1e6
}
