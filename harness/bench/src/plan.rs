//! What a bench is asked to do, and what is wrong with that.

use crate::{Costs, Workload};
use std::path::PathBuf;
use std::time::Duration;
use tempest_history::HistoryConfig;

/// Beyond this, points are too many for a page, and a bench would run for hours.
const COUNTS_MAX: usize = 24;
const NODES_MAX: u32 = 1000;
const CLIENTS_MAX: u32 = 100_000;
/// What one process of this machine can hold as clients.
const REAL_CLIENTS_MAX: u32 = 2_000;
const REAL_NODES_MAX: u32 = 16;
const LATENCY_MAX: Duration = Duration::from_secs(10);

/// What is wrong with a plan, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPlan(pub String);

fn bad<T>(what: impl Into<String>) -> Result<T, BadPlan> {
    Err(BadPlan(what.into()))
}

/// What both modes need.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Ascending, each once, from 1 to what the store allows.
    pub counts: Vec<u32>,
    pub nodes: u32,
    pub workload: Workload,
    /// Workflows under way at a time: the loads, ascending, each once.
    pub clients: Vec<u32>,
    pub task_queues: u32,
    pub repetitions: usize,
}

/// Where the real server keeps what it acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    Memory,
    /// A redb file in a temporary directory, inside this one if one is given.
    File(Option<PathBuf>),
    /// The URL of a PostgreSQL database. Each server gets a schema of its own there, which is dropped after it.
    Postgres(String),
}

/// The rest of what real mode needs.
#[derive(Clone, Debug, PartialEq)]
pub struct RealPlan {
    pub database: Database,
    /// Each fsync of the file takes at least so long.
    pub fsync_at_least: Option<Duration>,
    pub warm_up: Duration,
    pub measured: Duration,
}

/// The rest of what the model needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelPlan {
    pub costs: Costs,
    /// Of each node.
    pub cores: u32,
    pub database_cores: u32,
    /// Round trip between any two machines.
    pub network: Duration,
    /// How long the database takes to make a batch durable; what was measured, if it is not given.
    pub store_latency: Option<Duration>,
    pub seed: u64,
    /// Workflows of which each point is reckoned.
    pub workflows: u64,
}

impl Plan {
    /// # Errors
    /// What is wrong, naming the option and what to write instead.
    pub fn validate(&self) -> Result<(), BadPlan> {
        check_counts(&self.counts)?;
        within("--nodes", self.nodes, NODES_MAX)?;
        within("--task-queues", self.task_queues, 10_000)?;
        ascending("--clients", &self.clients)?;
        for clients in &self.clients {
            within("--clients", *clients, CLIENTS_MAX)?;
        }
        if !(1..=100).contains(&self.repetitions) {
            return bad(format!("--repetitions is {}: write a number from 1 to 100", self.repetitions));
        }
        Ok(())
    }
}

impl RealPlan {
    /// # Errors
    /// What is wrong, naming the option and what to write instead.
    pub fn validate(&self, plan: &Plan) -> Result<(), BadPlan> {
        if let Some(clients) = plan.clients.iter().find(|clients| **clients > REAL_CLIENTS_MAX) {
            return bad(format!(
                "--clients names {clients}: one process can be {REAL_CLIENTS_MAX} clients at most; for more use --mode \
                 modelled"
            ));
        }
        if plan.nodes > REAL_NODES_MAX {
            return bad(format!(
                "--nodes is {}: one machine runs {REAL_NODES_MAX} nodes at most; for more use --mode modelled",
                plan.nodes
            ));
        }
        if self.fsync_at_least.is_some() && !matches!(self.database, Database::File(_)) {
            return bad(
                "--store-latency slows the fsync of a file down, and this database is none: use --database file, or \
                 --mode modelled, which takes any latency",
            );
        }
        if let Database::File(Some(directory)) = &self.database
            && !directory.is_dir()
        {
            return bad(format!(
                "--database names {}, which is no directory: make it, or write file",
                directory.display()
            ));
        }
        if self.measured.is_zero() {
            return bad("--measure is 0s: nothing would be measured; write 3s");
        }
        Ok(())
    }
}

impl ModelPlan {
    /// # Errors
    /// What is wrong, naming the option and what to write instead.
    pub fn validate(&self) -> Result<(), BadPlan> {
        within("--cores", self.cores, 1024)?;
        within("--database-cores", self.database_cores, 4096)?;
        if !(100..=10_000_000).contains(&self.workflows) {
            return bad(format!("--workflows is {}: write a number from 100 to 10000000", self.workflows));
        }
        Ok(())
    }
}

fn within(option: &str, value: u32, max: u32) -> Result<(), BadPlan> {
    if (1..=max).contains(&value) {
        return Ok(());
    }
    bad(format!("{option} names {value}: write a number from 1 to {max}"))
}

fn ascending(option: &str, list: &[u32]) -> Result<(), BadPlan> {
    let mut sorted = list.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let fixed = || sorted.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    if list.is_empty() {
        return bad(format!("{option} is empty: write numbers separated by commas, like 1,4,16"));
    }
    for pair in list.windows(2) {
        if pair[0] == pair[1] {
            return bad(format!("{option} names {} twice: write {option} {}", pair[0], fixed()));
        }
        if pair[0] > pair[1] {
            return bad(format!(
                "{option} is not in order, {} comes before {}: write {option} {}",
                pair[0],
                pair[1],
                fixed()
            ));
        }
    }
    if list.len() > COUNTS_MAX {
        return bad(format!("{option} has {} numbers: {COUNTS_MAX} at most", list.len()));
    }
    Ok(())
}

fn check_counts(counts: &[u32]) -> Result<(), BadPlan> {
    if counts.contains(&0) {
        return bad("--counts names 0 shards: a cluster has at least 1; leave the 0 out");
    }
    for count in counts {
        let config = HistoryConfig { shard_count: *count, ..HistoryConfig::default() };
        if config.validate().is_err() {
            return bad(format!("--counts names {count} shards: a store allows 1 to 16384"));
        }
    }
    ascending("--counts", counts)
}

/// Numbers separated by commas.
///
/// # Errors
/// Something between the commas is no number.
pub fn parse_counts(option: &str, text: &str) -> Result<Vec<u32>, BadPlan> {
    let number = |word: &str| {
        let word = word.trim();
        word.parse().map_err(|_| {
            BadPlan(format!("{option} has {word:?} between its commas, which is no number: write it like 1,4,16"))
        })
    };
    text.split(',').map(number).collect()
}

/// `300us`, `0.3ms`, `2s`.
///
/// # Errors
/// It is no duration with a unit, or one above ten seconds.
pub fn parse_latency(text: &str) -> Result<Duration, String> {
    let at = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let malformed = || format!("{text:?} is no duration: write it with its unit, like 300us, 0.3ms or 2s");
    let number: f64 = number.parse().map_err(|_| malformed())?;
    let seconds = match unit {
        "us" | "µs" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        _ => return Err(malformed()),
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(latency) if latency <= LATENCY_MAX => Ok(latency),
        _ => Err(format!("{text:?} is more than {} s", LATENCY_MAX.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(counts: &[u32]) -> Plan {
        let workload = Workload::named("plain").unwrap();
        Plan { counts: counts.to_vec(), nodes: 1, workload, clients: vec![1, 8], task_queues: 1, repetitions: 3 }
    }

    #[test]
    fn shard_counts_that_no_store_takes_or_no_curve_shows_are_refused() {
        let check = |counts: &[u32], expect: &str| {
            let said = plan(counts).validate().err().map(|error| error.to_string());
            assert_eq!(said.unwrap_or_default(), expect);
        };
        check(&[1, 4, 16384], "");
        check(&[0, 4], "--counts names 0 shards: a cluster has at least 1; leave the 0 out");
        check(&[4, 16385], "--counts names 16385 shards: a store allows 1 to 16384");
        check(&[4, 4, 1], "--counts names 4 twice: write --counts 1,4");
        check(&[16, 4], "--counts is not in order, 16 comes before 4: write --counts 4,16");
        check(&[], "--counts is empty: write numbers separated by commas, like 1,4,16");
    }

    #[test]
    fn what_only_one_mode_can_do_is_said_of_the_other() {
        let real = RealPlan {
            database: Database::Memory,
            fsync_at_least: Some(Duration::from_millis(1)),
            warm_up: Duration::ZERO,
            measured: Duration::from_secs(1),
        };
        let said = real.validate(&plan(&[1])).unwrap_err().to_string();
        assert!(said.contains("use --database file"), "{said}");
        let many = Plan { clients: vec![5_000], ..plan(&[1]) };
        let said = real.validate(&many).unwrap_err().to_string();
        assert!(said.contains("for more use --mode modelled"), "{said}");
    }

    #[test]
    fn lists_and_latencies_are_read() {
        assert_eq!(parse_counts("--counts", "1, 4,16"), Ok(vec![1, 4, 16]));
        assert!(parse_counts("--counts", "1,,4").unwrap_err().to_string().contains("no number"));
        assert_eq!(parse_latency("0.3ms"), Ok(Duration::from_micros(300)));
        assert_eq!(parse_latency("250us"), Ok(Duration::from_micros(250)));
        for nonsense in ["3", "ms", "-1ms", "1.2.3s", "60s", "1e99s", "infs", "1m"] {
            assert!(parse_latency(nonsense).is_err(), "{nonsense}");
        }
    }
}
