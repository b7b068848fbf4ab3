//! What is modelled: machines, shards and what is where.

use crate::{Costs, Workload};
use rand_chacha::ChaCha12Rng;
use rand_core::Rng;

/// Where clients, workers and the database run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On machines of their own, which are never full.
    Apart,
    /// Everything shares the cores of one machine, as in real mode.
    OneMachine,
}

/// What makes commits durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// One writer in the server's process, with a transaction at a time.
    Embedded,
    /// A database that nodes share, over so many connections of each node: three round trips a transaction, and flushes
    /// of the log that transactions share.
    Shared { lanes: usize },
}

/// One cluster under one load, as it is asked for. Times are nanoseconds.
#[derive(Clone, Debug)]
pub struct Setting {
    pub workload: Workload,
    pub shards: usize,
    pub nodes: usize,
    /// Of each node; of the machine, if there is one.
    pub cores: usize,
    pub database_cores: usize,
    pub place: Place,
    pub store: StoreKind,
    pub clients: usize,
    pub task_queues: usize,
    /// Round trip between two machines.
    pub network: u64,
    /// Until a batch is durable.
    pub fsync: u64,
}

/// The costs of the steps, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct PerStep {
    pub call_cpu: u64,
    pub hop_cpu: u64,
    pub wake_cpu: u64,
    pub actor: u64,
    pub matching: u64,
    pub batch: u64,
    pub commit: u64,
    pub load_call: u64,
}

impl PerStep {
    /// The writer's part is the database's, if the store is one.
    pub fn of(costs: &Costs, store: StoreKind) -> Self {
        let (batch, commit) = match store {
            StoreKind::Embedded => ("writer_batch", "writer_commit"),
            StoreKind::Shared { .. } => ("database_batch", "database_commit"),
        };
        Self {
            call_cpu: costs.ns("call_cpu"),
            hop_cpu: costs.ns("hop_cpu"),
            wake_cpu: costs.ns("wake_cpu"),
            actor: costs.ns("actor"),
            matching: costs.ns("matching"),
            batch: costs.ns(batch),
            commit: costs.ns(commit),
            load_call: costs.ns("load_call"),
        }
    }
}

/// The same, with what is where.
pub struct Cluster {
    setting: Setting,
    /// Nodes by shard, and by task queue.
    of_shards: Vec<usize>,
    of_queues: Vec<usize>,
}

impl std::ops::Deref for Cluster {
    type Target = Setting;

    fn deref(&self) -> &Setting {
        &self.setting
    }
}

impl Cluster {
    /// Shards and task queues are spread by rendezvous hashing, as by the server's ring.
    pub fn new(setting: Setting) -> Self {
        let place = |kind: u64, number: usize| {
            let highest =
                |key: usize| (0..setting.nodes).max_by_key(|node| weight(kind, key as u64, *node as u64)).unwrap_or(0);
            (0..number).map(highest).collect()
        };
        Self { of_shards: place(1, setting.shards), of_queues: place(2, setting.task_queues), setting }
    }

    pub fn node_of_shard(&self, shard: usize) -> usize {
        self.of_shards[shard]
    }

    pub fn node_of_queue(&self, queue: usize) -> usize {
        self.of_queues[queue]
    }

    /// How many shards the node with the most of them has.
    pub fn shards_of_fullest_node(&self) -> usize {
        let of_node = |node| self.of_shards.iter().filter(|owner| **owner == node).count();
        (0..self.nodes).map(of_node).max().unwrap_or(0)
    }

    pub fn pool_of_node(&self, node: usize) -> usize {
        if self.place == Place::OneMachine { 0 } else { node }
    }

    /// The cores of the database: behind those of the nodes.
    pub fn pool_of_database(&self) -> usize {
        match (self.place, self.store) {
            (Place::OneMachine, _) | (_, StoreKind::Embedded) => 0,
            (Place::Apart, StoreKind::Shared { .. }) => self.nodes,
        }
    }

    /// How many cores each pool has.
    pub fn pools(&self) -> Vec<usize> {
        let nodes = if self.place == Place::OneMachine { 1 } else { self.nodes };
        let mut pools = vec![self.cores; nodes];
        if self.pool_of_database() == pools.len() {
            pools.push(self.database_cores);
        }
        pools
    }

    pub fn lanes_per_node(&self) -> usize {
        match self.store {
            StoreKind::Embedded => 1,
            StoreKind::Shared { lanes } => lanes,
        }
    }

    /// The connection or writer that a shard's commits take.
    pub fn lane_of_shard(&self, shard: usize) -> usize {
        match self.store {
            StoreKind::Embedded => 0,
            StoreKind::Shared { lanes } => self.node_of_shard(shard) * lanes + shard % lanes,
        }
    }
}

/// Mixes three numbers (splitmix64) so that close ones spread.
fn weight(kind: u64, key: u64, node: u64) -> u64 {
    let mut mixed = kind.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ key.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    for part in [node, key] {
        mixed = (mixed ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
    }
    mixed
}

/// A number below `bound`.
pub fn below(random: &mut ChaCha12Rng, bound: usize) -> usize {
    // The bias of a remainder is one part in 2^40 for what is counted here.
    usize::try_from(random.next_u64() % bound.max(1) as u64).unwrap_or(0)
}
