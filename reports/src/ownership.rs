//! Who owned which shard when, what failovers of the database cost: read off what the artifact tells of it.

use std::collections::{BTreeMap, BTreeSet};

use tempest_artifact::{Lease, Ownership, Promotion};

use crate::words::duration;

/// A server's time with a shard until another server had it, whatever number of times it acquired its own shard anew.
#[derive(Debug, PartialEq)]
pub(crate) struct Owner<'run> {
    pub server: &'run str,
    pub from_ms: u64,
    /// When the next owner's first commit was, or this one's last if there is no next.
    pub until_ms: u64,
    pub last_commit_ms: u64,
    pub times_acquired: u64,
    pub commits: u64,
}

/// The servers that owned anything, `server-2` before `server-10`.
pub(crate) fn servers(ownership: &Ownership) -> Vec<&str> {
    let names: BTreeSet<&str> = ownership.leases.iter().map(|lease| lease.server.as_str()).collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by_key(|name| name.chars().count());
    names
}

/// The owners of each shard, in order.
pub(crate) fn owners(ownership: &Ownership) -> BTreeMap<u32, Vec<Owner<'_>>> {
    let mut shards: BTreeMap<u32, Vec<&Lease>> = BTreeMap::new();
    for lease in &ownership.leases {
        shards.entry(lease.shard).or_default().push(lease);
    }
    shards.into_iter().map(|(shard, leases)| (shard, owners_of_one(leases))).collect()
}

/// How often a shard went from one server to another.
pub(crate) fn transfers(ownership: &Ownership) -> u64 {
    owners(ownership).values().map(|owners| owners.len() as u64 - 1).sum()
}

/// The time without commits around a failover. The artifact has its length; where it began is known only if no lease
/// goes on through the failover, for a lease does not say when its commits in between were.
pub(crate) fn silence(ownership: &Ownership, failover: &Promotion) -> Option<(u64, u64)> {
    let at_ms = failover.at_ms;
    if ownership.leases.iter().any(|lease| lease.from_ms <= at_ms && at_ms < lease.to_ms) {
        return None;
    }
    let last_commits = ownership.leases.iter().map(|lease| lease.to_ms).filter(|to_ms| *to_ms <= at_ms);
    let from_ms = last_commits.max().unwrap_or(0);
    let to_ms = from_ms.saturating_add(failover.without_commits_ms);
    (to_ms >= at_ms).then_some((from_ms, to_ms))
}

/// `db-2 primary of term 2: no commit for 7.10 s`.
pub(crate) fn failover_in_words(failover: &Promotion) -> String {
    let took_over = format!("{} primary of term {}", failover.database, failover.term);
    match failover.without_commits_ms {
        0 => took_over,
        silence => format!("{took_over}: no commit for {}", duration(silence)),
    }
}

fn owners_of_one(mut leases: Vec<&Lease>) -> Vec<Owner<'_>> {
    leases.sort_by_key(|lease| lease.from_ms);
    let mut owners: Vec<Owner> = Vec::new();
    for lease in leases {
        if let Some(before) = owners.last_mut() {
            if before.server == lease.server {
                before.until_ms = before.until_ms.max(lease.to_ms);
                before.last_commit_ms = before.until_ms;
                before.times_acquired += 1;
                before.commits = before.commits.saturating_add(lease.commits);
                continue;
            }
            before.until_ms = lease.from_ms;
        }
        owners.push(Owner {
            server: &lease.server,
            from_ms: lease.from_ms,
            until_ms: lease.to_ms,
            last_commit_ms: lease.to_ms,
            times_acquired: 1,
            commits: lease.commits,
        });
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ownership(leases: &[(u32, &str, u64, u64)]) -> Ownership {
        let leases = leases.iter().map(|(shard, server, from_ms, to_ms)| Lease {
            shard: *shard,
            server: (*server).into(),
            from_ms: *from_ms,
            to_ms: *to_ms,
            range_id: 1,
            commits: 10,
        });
        Ownership { leases: leases.collect(), ..Ownership::default() }
    }

    #[test]
    fn a_server_that_takes_its_shard_anew_is_the_same_owner() {
        let ownership = ownership(&[
            (3, "server-1", 10, 20),
            (3, "server-2", 70, 90),
            (3, "server-1", 30, 40),
            (5, "server-1", 50, 60),
        ]);
        let owners = owners(&ownership);
        let said = |shard: u32| -> Vec<String> {
            let say = |owner: &Owner| {
                let Owner { server, from_ms, until_ms, last_commit_ms, times_acquired, commits } = owner;
                format!("{server} {from_ms}-{until_ms}, last {last_commit_ms}, {times_acquired} x, {commits} commits")
            };
            owners[&shard].iter().map(say).collect()
        };
        assert_eq!(
            said(3),
            ["server-1 10-70, last 40, 2 x, 20 commits", "server-2 70-90, last 90, 1 x, 10 commits"],
            "an owner lasts until the next one's first commit, the last until its own last"
        );
        assert_eq!(said(5), ["server-1 50-60, last 60, 1 x, 10 commits"], "another shard has its own owners");
        assert_eq!(transfers(&ownership), 1);
    }

    #[test]
    fn the_time_without_commits_is_placed_only_where_it_is_known() {
        let promotion =
            |without_commits_ms| Promotion { at_ms: 100, database: "db-2".into(), term: 2, without_commits_ms };
        let around = [(1, "server-1", 10, 80), (2, "server-2", 20, 60), (1, "server-1", 131, 200)];
        assert_eq!(
            silence(&ownership(&around), &promotion(50)),
            Some((80, 130)),
            "after the last of all shards' commits"
        );
        let through = [(1, "server-1", 10, 80), (2, "server-2", 20, 160)];
        assert_eq!(silence(&ownership(&through), &promotion(50)), None, "server-2 may have committed at any time");
        assert_eq!(silence(&ownership(&around), &promotion(0)), None);
    }

    #[test]
    fn servers_are_in_the_order_of_their_numbers() {
        let ownership = ownership(&[(1, "server-10", 0, 1), (1, "server-2", 2, 3), (2, "server-2", 0, 1)]);
        assert_eq!(servers(&ownership), ["server-2", "server-10"]);
    }
}
