//! Who owned which shard when, what failovers of the database cost, what was in doubt and what was lost.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::words::duration;

/// Empty for a server that was alone. Every field may be missing; times are virtual and in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ownership {
    pub tenures: Vec<Tenure>,
    /// Commits whose end their server never learned.
    pub in_doubt: u64,
    /// How many of those are known to be in the database.
    pub in_doubt_applied: u64,
    /// Those commits by time; the first ones of very many, none in older artefacts.
    pub commits_in_doubt: Vec<CommitInDoubt>,
    /// Every promotion but the first, with which the database began.
    pub failovers: Vec<Failover>,
    /// Acknowledged commits that a failover of an asynchronous database lost.
    pub lost: u64,
    /// How often a server noticed that a shard lost some.
    pub losses_reported: u64,
    /// Ids of the workflows that are excused because of it.
    pub harmed: Vec<String>,
}

/// A server's time with a shard under one range id, from its first commit to its last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tenure {
    pub shard: u64,
    pub server: String,
    pub range_id: i64,
    pub from_ms: f64,
    pub to_ms: f64,
    pub commits: u64,
}

/// A commit whose server never learned how it ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommitInDoubt {
    pub at_ms: f64,
    pub server: String,
    pub shard: u64,
    pub range: String,
    pub sequence: u64,
    pub workflow_ids: Vec<String>,
    /// What became of it: `applied`, `not-applied`, `lost` by a failover, or `unknown`.
    pub fate: String,
}

/// A database node took over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failover {
    pub at_ms: f64,
    pub database: String,
    pub term: u64,
    /// From the last commit before it to the first one after it.
    pub without_commits_ms: f64,
}

/// A server's time with a shard until another server had it, whatever number of times it took its own shard anew.
#[derive(Debug, PartialEq)]
pub(crate) struct Owner<'run> {
    pub server: &'run str,
    pub from_ms: f64,
    /// When the next owner's first commit was, or this one's last if there is no next.
    pub until_ms: f64,
    pub last_commit_ms: f64,
    pub times_taken: u64,
    pub commits: u64,
}

impl Ownership {
    pub fn is_empty(&self) -> bool {
        *self == Ownership::default()
    }

    /// The servers that owned anything, `server-2` before `server-10`.
    pub(crate) fn servers(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self.tenures.iter().map(|tenure| tenure.server.as_str()).collect();
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_by_key(|name| name.chars().count());
        names
    }

    /// The owners of each shard, in order.
    pub(crate) fn owners(&self) -> BTreeMap<u64, Vec<Owner<'_>>> {
        let mut shards: BTreeMap<u64, Vec<&Tenure>> = BTreeMap::new();
        for tenure in &self.tenures {
            shards.entry(tenure.shard).or_default().push(tenure);
        }
        shards.into_iter().map(|(shard, tenures)| (shard, owners_of_one(tenures))).collect()
    }

    /// How often a shard went from one server to another.
    pub(crate) fn hand_overs(&self) -> u64 {
        self.owners().values().map(|owners| owners.len() as u64 - 1).sum()
    }

    /// The time without commits around a failover. The artefact has its length; where it began is known only if no
    /// tenure goes on through the failover, for a tenure does not say when its commits in between were.
    pub(crate) fn silence(&self, failover: &Failover) -> Option<(f64, f64)> {
        let at_ms = failover.at_ms;
        if self.tenures.iter().any(|tenure| tenure.from_ms <= at_ms && at_ms < tenure.to_ms) {
            return None;
        }
        let last_commits = self.tenures.iter().map(|tenure| tenure.to_ms).filter(|to_ms| *to_ms <= at_ms);
        let from_ms = last_commits.fold(0.0, f64::max);
        let to_ms = from_ms + failover.without_commits_ms;
        (to_ms >= at_ms).then_some((from_ms, to_ms))
    }
}

fn owners_of_one(mut tenures: Vec<&Tenure>) -> Vec<Owner<'_>> {
    tenures.sort_by(|a, b| a.from_ms.total_cmp(&b.from_ms));
    let mut owners: Vec<Owner> = Vec::new();
    for tenure in tenures {
        if let Some(before) = owners.last_mut() {
            if before.server == tenure.server {
                before.until_ms = before.until_ms.max(tenure.to_ms);
                before.last_commit_ms = before.until_ms;
                before.times_taken += 1;
                before.commits = before.commits.saturating_add(tenure.commits);
                continue;
            }
            before.until_ms = tenure.from_ms;
        }
        owners.push(Owner {
            server: &tenure.server,
            from_ms: tenure.from_ms,
            until_ms: tenure.to_ms,
            last_commit_ms: tenure.to_ms,
            times_taken: 1,
            commits: tenure.commits,
        });
    }
    owners
}

impl CommitInDoubt {
    /// What became of it; words of a later harness as they are.
    pub(crate) fn fate_in_words(&self) -> &str {
        match self.fate.as_str() {
            "not-applied" => "not applied",
            "lost" => "lost by a failover",
            "unknown" | "" => "not known",
            other => other,
        }
    }
}

impl Failover {
    /// `db-2 primary of term 2: no commit for 7.10 s`.
    pub(crate) fn in_words(&self) -> String {
        let took_over = format!("{} primary of term {}", self.database, self.term);
        if self.without_commits_ms > 0.0 {
            return format!("{took_over}: no commit for {}", duration(self.without_commits_ms));
        }
        took_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ownership(tenures: &[(u64, &str, f64, f64)]) -> Ownership {
        let tenures = tenures.iter().map(|(shard, server, from_ms, to_ms)| Tenure {
            shard: *shard,
            server: (*server).into(),
            from_ms: *from_ms,
            to_ms: *to_ms,
            commits: 10,
            ..Tenure::default()
        });
        Ownership { tenures: tenures.collect(), ..Ownership::default() }
    }

    #[test]
    fn a_server_that_takes_its_shard_anew_is_the_same_owner() {
        let ownership = ownership(&[
            (3, "server-1", 10.0, 20.0),
            (3, "server-2", 70.0, 90.0),
            (3, "server-1", 30.0, 40.0),
            (5, "server-1", 50.0, 60.0),
        ]);
        let owners = ownership.owners();
        let said = |shard: u64| -> Vec<String> {
            let say = |owner: &Owner| {
                let Owner { server, from_ms, until_ms, last_commit_ms, times_taken, commits } = owner;
                format!("{server} {from_ms}-{until_ms}, last {last_commit_ms}, {times_taken} x, {commits} commits")
            };
            owners[&shard].iter().map(say).collect()
        };
        assert_eq!(
            said(3),
            ["server-1 10-70, last 40, 2 x, 20 commits", "server-2 70-90, last 90, 1 x, 10 commits"],
            "an owner lasts until the next one's first commit, the last until its own last"
        );
        assert_eq!(said(5), ["server-1 50-60, last 60, 1 x, 10 commits"], "another shard has its own owners");
        assert_eq!(ownership.hand_overs(), 1);
    }

    #[test]
    fn the_time_without_commits_is_placed_only_where_it_is_known() {
        let failover = Failover { at_ms: 100.0, without_commits_ms: 50.0, ..Failover::default() };
        let around = [(1, "server-1", 10.0, 80.0), (2, "server-2", 20.0, 60.0), (1, "server-1", 131.0, 200.0)];
        assert_eq!(ownership(&around).silence(&failover), Some((80.0, 130.0)), "after the last of all shards' commits");
        let through = [(1, "server-1", 10.0, 80.0), (2, "server-2", 20.0, 160.0)];
        assert_eq!(ownership(&through).silence(&failover), None, "server-2 may have committed at any time");
        let unmeasured = Failover { at_ms: 100.0, ..Failover::default() };
        assert_eq!(ownership(&around).silence(&unmeasured), None);
    }

    #[test]
    fn fates_are_words() {
        let said = ["applied", "not-applied", "lost", "unknown", "", "of tomorrow"]
            .map(|fate| CommitInDoubt { fate: fate.into(), ..CommitInDoubt::default() }.fate_in_words().to_owned());
        assert_eq!(said, ["applied", "not applied", "lost by a failover", "not known", "not known", "of tomorrow"]);
    }

    #[test]
    fn servers_are_in_the_order_of_their_numbers() {
        let ownership = ownership(&[(1, "server-10", 0.0, 1.0), (1, "server-2", 2.0, 3.0), (2, "server-2", 0.0, 1.0)]);
        assert_eq!(ownership.servers(), ["server-2", "server-10"]);
    }
}
