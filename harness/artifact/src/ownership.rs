//! Who owned which shard when, which commits were in doubt, and what failovers of the database cost.
use serde::{Deserialize, Serialize};
use std::fmt;

/// A server's time as owner of a shard, from its first commit to its last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub shard: u32,
    pub server: String,
    pub range_id: i64,
    pub from_ms: u64,
    pub to_ms: u64,
    pub commits: u64,
}

/// A database node became primary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    pub at_ms: u64,
    pub database: String,
    pub term: u64,
    /// From the last acknowledged commit before it to the first one after it.
    pub without_commits_ms: u64,
}

/// A commit whose server never learned how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitInDoubt {
    /// Virtual time at which it was handed to the store.
    pub at_ms: u64,
    pub server: String,
    pub shard: u32,
    /// Its range id as the log shows it: `7`, or `2:7` after two failovers.
    pub range: String,
    pub sequence: u64,
    /// The workflows it writes; none if it is about the shard alone.
    pub workflow_ids: Vec<String>,
    #[serde(alias = "fate")]
    pub outcome: InDoubtOutcome,
}

/// What became of a commit in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InDoubtOutcome {
    /// It is in the database.
    Applied,
    /// It is not in the database, and nothing shows that it ever was.
    NotApplied,
    /// It was in the database until a failover lost it.
    Lost,
    /// Neither the database nor later commits tell.
    Unknown,
}

impl fmt::Display for InDoubtOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InDoubtOutcome::Applied => "applied",
            InDoubtOutcome::NotApplied => "not applied",
            InDoubtOutcome::Lost => "lost by a failover",
            InDoubtOutcome::Unknown => "not known",
        })
    }
}

/// All but when it was.
impl fmt::Display for CommitInDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CommitInDoubt { server, shard, range, sequence, workflow_ids, outcome, .. } = self;
        write!(f, "{server} shard {shard} range {range} sequence {sequence}")?;
        if !workflow_ids.is_empty() {
            write!(f, " of {}", workflow_ids.join(", "))?;
        }
        write!(f, ": {outcome}")
    }
}

/// Empty for a server that is alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// By shard, then in order.
    #[serde(alias = "tenures")]
    pub leases: Vec<Lease>,
    /// Commits whose end their server never learned.
    pub in_doubt: u64,
    /// How many of those are in the database.
    pub in_doubt_applied: u64,
    /// Those commits, by the time at which they were handed to the store; the first ones if there are very many, none in
    /// artifacts of early harnesses.
    #[serde(default)]
    pub commits_in_doubt: Vec<CommitInDoubt>,
    /// All but the first, with which the database began.
    pub failovers: Vec<Promotion>,
    /// Commits that were acknowledged and that failovers of an asynchronous database have lost.
    #[serde(default)]
    pub lost: u64,
    /// How often a server said that a shard lost some.
    #[serde(default)]
    pub losses_reported: u64,
    /// Workflows that are excused because of it, themselves or for dealing with one that is.
    #[serde(default)]
    pub harmed: Vec<String>,
}

impl Ownership {
    pub fn is_empty(&self) -> bool {
        *self == Ownership::default()
    }
}
