//! What a simulated cluster did: figures of one point.

use super::cluster::{Cluster, StoreKind};
use crate::statistics::percentile;
use std::collections::BTreeMap;
use tempest_artifact::Resource;

/// Of a resource that is this busy, all that waits elsewhere waits for it in the end.
const FULL: f64 = 0.85;

/// How long everything was at work so far, in nanoseconds.
pub struct Busy {
    /// Cores of each pool, and the work of all of them.
    pub pools: Vec<(usize, u64)>,
    pub actors: Vec<u64>,
    pub queues: Vec<u64>,
    pub lanes: Vec<u64>,
    pub flush: u64,
    pub commits: u64,
    pub batches: u64,
}

impl Busy {
    pub fn since(&self, before: &Busy) -> Busy {
        let less = |now: &[u64], before: &[u64]| now.iter().zip(before).map(|(now, before)| now - before).collect();
        let pools = self.pools.iter().zip(&before.pools).map(|((cores, now), (_, before))| (*cores, now - before));
        Busy {
            pools: pools.collect(),
            actors: less(&self.actors, &before.actors),
            queues: less(&self.queues, &before.queues),
            lanes: less(&self.lanes, &before.lanes),
            flush: self.flush - before.flush,
            commits: self.commits - before.commits,
            batches: self.batches - before.batches,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Workflows per second.
    pub throughput: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub mean: f64,
    pub busy: BTreeMap<Resource, f64>,
    /// Microseconds of actors by workflow.
    pub actor_us: f64,
    /// Milliseconds of the nodes' cores by workflow.
    pub cpu_ms: f64,
    /// By workflow.
    pub commits: f64,
    pub commits_per_batch: f64,
}

impl Outcome {
    /// From sorted latencies and what everything did within `elapsed`.
    pub fn new(cluster: &Cluster, latencies: Vec<u64>, elapsed: u64, busy: &Busy) -> Self {
        let (ms, elapsed) = (|ns: u64| ns as f64 / 1e6, elapsed as f64);
        let workflows = (latencies.len() as f64).max(1.0);
        // What began before the window and ended in it is counted whole.
        let share = |work: u64| (work as f64 / elapsed).min(1.0);
        let most = |all: &[u64]| share(all.iter().copied().max().unwrap_or(0));
        let of_pool = |(cores, work): &(usize, u64)| share(*work / (*cores).max(1) as u64);
        let database = cluster.pool_of_database();
        let nodes = if database == 0 { busy.pools.len() } else { database };
        let mut shares = BTreeMap::from([
            (Resource::Actor, most(&busy.actors)),
            (Resource::Fsync, share(busy.flush)),
            (Resource::Writer, most(&busy.lanes)),
            (Resource::Cpu, busy.pools[..nodes].iter().map(of_pool).fold(0.0, f64::max)),
            (Resource::Matching, most(&busy.queues)),
        ]);
        if let (StoreKind::Shared { .. }, Some(pool)) = (cluster.store, busy.pools.get(nodes)) {
            shares.insert(Resource::DatabaseCpu, of_pool(pool));
        }
        let on_nodes: u64 = busy.pools[..nodes].iter().map(|(_, work)| work).sum();
        Self {
            throughput: latencies.len() as f64 / elapsed * 1e9,
            p50: ms(percentile(&latencies, 0.5)),
            p95: ms(percentile(&latencies, 0.95)),
            p99: ms(percentile(&latencies, 0.99)),
            mean: latencies.iter().map(|latency| ms(*latency)).sum::<f64>() / workflows,
            busy: shares,
            actor_us: busy.actors.iter().sum::<u64>() as f64 / 1e3 / workflows,
            cpu_ms: on_nodes as f64 / 1e6 / workflows,
            commits: busy.commits as f64 / workflows,
            commits_per_batch: busy.commits as f64 / (busy.batches as f64).max(1.0),
        }
    }

    /// What is full.
    pub fn limit(&self) -> Option<Resource> {
        limit(&self.busy)
    }
}

/// The busiest resource, if it is full. Writer and device are always busy under load, because their batches grow with
/// it: they limit only if nothing else does, and a writer that waits for its device does not.
pub fn limit(busy: &BTreeMap<Resource, f64>) -> Option<Resource> {
    let share = |resource| busy.get(&resource).copied().unwrap_or(0.0);
    let of_one_thing = busy.iter().filter(|(resource, _)| !matches!(resource, Resource::Writer | Resource::Fsync));
    if let Some((resource, _)) = of_one_thing.max_by(|a, b| a.1.total_cmp(b.1)).filter(|(_, share)| **share >= FULL) {
        return Some(*resource);
    }
    let (writer, fsync) = (share(Resource::Writer), share(Resource::Fsync));
    match writer.max(fsync) {
        most if most < FULL => None,
        _ if fsync > writer / 2.0 => Some(Resource::Fsync),
        _ => Some(Resource::Writer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_resource_limits_if_it_is_full() {
        let check = |busy: &[(Resource, f64)], expected| {
            assert_eq!(limit(&busy.iter().copied().collect()), expected, "{busy:?}");
        };
        check(&[(Resource::Cpu, 0.6), (Resource::Actor, 0.7)], None);
        check(&[(Resource::Cpu, 0.97), (Resource::Actor, 0.7)], Some(Resource::Cpu));
        check(&[(Resource::Writer, 0.99), (Resource::Fsync, 0.8), (Resource::Cpu, 0.5)], Some(Resource::Fsync));
        check(&[(Resource::Writer, 0.99), (Resource::Fsync, 0.2), (Resource::Cpu, 0.5)], Some(Resource::Writer));
        check(&[(Resource::Writer, 0.99), (Resource::Fsync, 0.8), (Resource::Actor, 0.9)], Some(Resource::Actor));
        check(&[], None);
    }
}
