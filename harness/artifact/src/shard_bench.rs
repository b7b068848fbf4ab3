//! What `tempest bench shards` leaves behind: figures by shard count, from the real server or from the model of one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of [`ShardBench`] that this build writes, and the only one that it reads.
pub const SHARD_BENCH_VERSION: u32 = 1;

/// Where the figures come from. A bench is of one mode, and says so wherever it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BenchMode {
    /// The real server, measured.
    Real,
    /// A queueing model in virtual time.
    Modelled,
}

impl BenchMode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Modelled => "modelled",
        }
    }
}

/// What may be full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// The busiest shard's actor.
    Actor,
    /// The device or the replica that makes a batch of commits durable.
    Fsync,
    /// The one writer of the embedded store, or the busiest lane of a shared one: it waits for its batch.
    Writer,
    /// The cores of the busiest node.
    Cpu,
    /// The busiest partition of a task queue.
    Matching,
    /// The cores of the database's machine.
    DatabaseCpu,
}

impl Resource {
    pub const ALL: [Self; 6] = [Self::Actor, Self::Fsync, Self::Writer, Self::Cpu, Self::Matching, Self::DatabaseCpu];

    pub fn name(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Fsync => "fsync",
            Self::Writer => "writer",
            Self::Cpu => "CPU",
            Self::Matching => "matching",
            Self::DatabaseCpu => "database CPU",
        }
    }

    /// In a sentence: what it is that is full.
    pub fn about(self) -> &'static str {
        match self {
            Self::Actor => "the actor of the busiest shard, which decides one thing at a time",
            Self::Fsync => "the store's device, which makes one batch durable at a time",
            Self::Writer => "the store's writer, which has one transaction open at a time",
            Self::Cpu => "the cores of the busiest node",
            Self::Matching => "the busiest partition of a task queue, which matches one task at a time",
            Self::DatabaseCpu => "the cores of the database",
        }
    }
}

/// A mean with the bounds of its 95 % confidence interval, from so many repetitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
    pub repetitions: usize,
}

/// One constant of the model, and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatedCost {
    pub name: String,
    pub about: String,
    pub value: f64,
    pub unit: String,
    pub source: String,
}

/// What was found at one shard count under one load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchPoint {
    pub shards: u32,
    /// Workflows under way at a time.
    pub clients: u32,
    /// Workflows that ended per second.
    pub throughput: Estimate,
    /// From start to result, in milliseconds.
    pub p50_ms: Estimate,
    pub p95_ms: Estimate,
    pub p99_ms: Estimate,
    /// How busy each resource was, from 0 to 1. What was not measured is not there.
    pub busy: BTreeMap<Resource, f64>,
    /// What is full, if anything is; else clients wait for steps that follow each other.
    pub limit: Option<Resource>,
    /// Microseconds that actors worked, by workflow.
    pub actor_us: f64,
    /// Milliseconds of the server's CPU, by workflow.
    pub server_cpu_ms: f64,
    pub commits: f64,
    /// Commits that became durable together.
    pub commits_per_batch: f64,
    /// Calls that failed and were made again.
    pub failed_calls: u64,
    /// For what backends of the database waited while they were busy, by PostgreSQL's names; how many at a time.
    pub database_waits: BTreeMap<String, f64>,
}

/// What the model says of a point that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    pub shards: u32,
    pub clients: u32,
    pub throughput: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub limit: Option<Resource>,
    /// A constant of the model was fitted at this point: that it is met there proves nothing.
    pub fitted: bool,
}

/// For one latency of the store: by how many shards which rate is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardsNeeded {
    pub store_latency_ms: f64,
    /// Workflows per second at saturation, in the order of the shard counts.
    pub capacity: Vec<f64>,
    pub limits: Vec<Option<Resource>>,
}

/// What a shard count costs or saves, beside the best one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChoiceCost {
    pub shards: u32,
    /// Of the best throughput, from 0 to 1.
    pub share_of_best: f64,
    pub p99_ms: f64,
    pub commits: f64,
    /// Until every shard is owned: after a start (measured) or after a node died and was noticed (modelled).
    pub acquire_ms: f64,
}

/// Everything that a bench found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardBench {
    pub version: u32,
    pub mode: BenchMode,
    pub workload: String,
    pub workload_about: String,
    /// What it ran on, or what was modelled, in a sentence.
    pub place: String,
    /// How it was measured, in a sentence.
    pub method: String,
    pub nodes: u32,
    pub cores: u32,
    pub counts: Vec<u32>,
    pub store_latency_ms: Option<f64>,
    pub costs: Vec<StatedCost>,
    pub points: Vec<BenchPoint>,
    pub predictions: Vec<Prediction>,
    pub needed: Vec<ShardsNeeded>,
    pub choices: Vec<ChoiceCost>,
}

impl ShardBench {
    /// The point of a shard count with the highest throughput.
    pub fn best(&self, shards: u32) -> Option<&BenchPoint> {
        let of_count = self.points.iter().filter(|point| point.shards == shards);
        of_count.max_by(|a, b| a.throughput.mean.total_cmp(&b.throughput.mean))
    }

    pub fn prediction(&self, point: &BenchPoint) -> Option<&Prediction> {
        self.predictions.iter().find(|one| (one.shards, one.clients) == (point.shards, point.clients))
    }

    /// By which share predictions differ from what was measured: the median and the largest, of those that were not
    /// fitted. Nothing if there are none.
    pub fn error(&self, of: impl Fn(&BenchPoint, &Prediction) -> (f64, f64)) -> Option<(f64, f64)> {
        let pairs = self.points.iter().filter_map(|point| Some((point, self.prediction(point)?)));
        let mut errors: Vec<f64> = pairs
            .filter(|(_, predicted)| !predicted.fitted)
            .map(|(point, predicted)| of(point, predicted))
            .filter(|(measured, _)| *measured > 0.0)
            .map(|(measured, predicted)| (predicted / measured - 1.0).abs())
            .collect();
        errors.sort_by(f64::total_cmp);
        Some((*errors.get(errors.len() / 2)?, *errors.last()?))
    }

    /// # Errors
    /// The text is none, or one of another version.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(SHARD_BENCH_VERSION) => {
                serde_json::from_value(value).map_err(|error| error.to_string())
            }
            Some(version) => Err(format!("it has version {version}, and this tempest reads {SHARD_BENCH_VERSION}")),
            None => Err("it is not what `tempest bench shards --json` prints".to_owned()),
        }
    }
}
