//! The constants of the model: what each step takes. They are measured, and stated wherever a model's figures are
//! shown.

use tempest_artifact::{ShardBench, StatedCost};

/// Microseconds, but for `fsync`, which `--store-latency` replaces.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// By name, in the order of [`NAMES`].
    stated: Vec<StatedCost>,
}

/// Name and meaning of each cost.
const NAMES: [(&str, &str); 11] = [
    (
        "call_cpu",
        "a node's CPU for a call of a client or worker: gRPC, checks, routing, the answer; without the shard's actor",
    ),
    ("hop_cpu", "CPU of a call from node to node and its answer, at both ends together"),
    ("wake_cpu", "CPU that a step costs more if its core was idle: threads are woken, caches are cold"),
    (
        "actor",
        "a shard's actor for one commit: decide, encode, and what follows when it is durable; serial in its shard",
    ),
    ("matching", "a task-queue partition for one task that meets a poll; serial in its partition"),
    ("writer_batch", "the store's writer for a transaction, beside its commits and its fsync"),
    ("writer_commit", "the store's writer for one commit of a transaction"),
    ("fsync", "until a transaction is durable"),
    ("database_batch", "PostgreSQL's CPU for a transaction, beside its commits"),
    ("database_commit", "PostgreSQL's CPU for one commit of a transaction"),
    ("load_call", "a client or worker for one call: CPU of this machine, time elsewhere"),
];

/// Of a dev build, on two cores of a virtual machine that others used, too: for proportions. What `tempest bench shards
/// --mode real` states of a release build on a machine of its own is better, and `--costs` takes it.
const BUILT_IN: [f64; 11] = [75.0, 75.0, 35.0, 110.0, 7.0, 60.0, 20.0, 300.0, 250.0, 70.0, 55.0];
const SOURCE_HERE: &str =
    "measured with a dev build on two contended cores, so rather too high; --costs FILE takes your own";

impl Default for Costs {
    fn default() -> Self {
        let source = |name: &str| match name {
            "hop_cpu" => "assumed: as much as a call of a client",
            "fsync" => "assumed: a local disk; --store-latency says yours",
            "database_batch" => "assumed: three statements",
            _ => SOURCE_HERE,
        };
        Self::new(|index, name| (BUILT_IN[index], source(name).to_owned()))
    }
}

impl Costs {
    /// Value and source of each cost, by its index and name.
    pub(crate) fn new(of: impl Fn(usize, &str) -> (f64, String)) -> Self {
        let row = |(index, (name, about)): (usize, &(&str, &str))| {
            let (value, source) = of(index, name);
            StatedCost { name: (*name).to_owned(), about: (*about).to_owned(), value, unit: "us".to_owned(), source }
        };
        Self { stated: NAMES.iter().enumerate().map(row).collect() }
    }

    /// Those that a real bench has stated.
    ///
    /// # Errors
    /// One is missing, or is no time.
    pub fn of(bench: &ShardBench) -> Result<Self, String> {
        for (name, _) in NAMES {
            match bench.costs.iter().find(|cost| cost.name == name) {
                Some(cost) if cost.value.is_finite() && cost.value >= 0.0 => {}
                Some(cost) => return Err(format!("its cost {name} is {}, which is no time", cost.value)),
                None => {
                    return Err(format!("it does not state the cost {name}: --mode real --json writes such a file"));
                }
            }
        }
        let of = |name: &str| {
            let found = bench.costs.iter().find(|cost| cost.name == name);
            found.map_or((0.0, String::new()), |cost| (cost.value, cost.source.clone()))
        };
        Ok(Self::new(|_, name| of(name)))
    }

    /// All of them, to be shown.
    pub fn stated(&self) -> &[StatedCost] {
        &self.stated
    }

    /// # Panics
    /// If there is no cost of that name.
    pub(crate) fn us(&self, name: &str) -> f64 {
        self.stated.iter().find(|cost| cost.name == name).expect("costs are named in one list").value
    }

    pub(crate) fn ns(&self, name: &str) -> u64 {
        (self.us(name) * 1000.0).round() as u64
    }

    pub(crate) fn set(&mut self, name: &str, us: f64, source: &str) {
        let found = self.stated.iter_mut().find(|cost| cost.name == name);
        let cost = found.expect("costs are named in one list");
        // Short numbers survive being written and read.
        (cost.value, cost.source) = ((us.max(0.0) * 1000.0).round() / 1000.0, source.to_owned());
    }
}
