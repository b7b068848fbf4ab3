//! What belongs to whom, by rendezvous hashing: every node ranks all members for a key and the highest has it. When a
//! member comes or goes, only what it gets or had moves.
use serde::{Deserialize, Serialize};
use tempest_core::NamespaceId;
use tempest_store::{Role, ShardId};

/// A node that is taken to be alive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    pub name: String,
    /// `host:port` where other nodes call it.
    pub address: String,
    pub roles: Vec<Role>,
}

/// The members that one node sees, at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    /// By name.
    members: Vec<Member>,
}

impl Ring {
    pub fn new(mut members: Vec<Member>) -> Self {
        members.sort();
        Self { members }
    }

    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member that should own a shard; none if no member has the role.
    pub fn of_shard(&self, shard: ShardId) -> Option<&Member> {
        self.highest(Role::History, &["shard", &shard.to_string()])
    }

    /// Who is to own a task queue. Its workflow and activity tasks are at one node.
    pub fn of_task_queue(&self, namespace: &NamespaceId, name: &str) -> Option<&Member> {
        self.highest(Role::Matching, &["task queue", namespace.as_str(), name])
    }

    fn highest(&self, role: Role, key: &[&str]) -> Option<&Member> {
        let with_role = self.members.iter().filter(|member| member.roles.contains(&role));
        // Names are unique, so two members of one weight are ranked by name.
        with_role.max_by_key(|member| (weight(&member.name, key), &member.name))
    }
}

/// FNV-1a (64 bit) over the parts with a separator, then mixed so that close names spread.
fn weight(member: &str, key: &[&str]) -> u64 {
    let parts = std::iter::once(member).chain(key.iter().copied());
    let bytes = parts.flat_map(|part| part.bytes().chain([0xff]));
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn ring(names: &[&str]) -> Ring {
        let member = |name: &&str| Member {
            name: (*name).to_owned(),
            address: format!("{name}:7234"),
            roles: vec![Role::History, Role::Matching],
        };
        Ring::new(names.iter().map(member).collect())
    }

    fn owners(ring: &Ring, shards: u32) -> Vec<String> {
        (1..=shards).map(|shard| ring.of_shard(ShardId(shard)).expect("there are members").name.clone()).collect()
    }

    #[test]
    fn shards_spread_over_the_members() {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for owner in owners(&ring(&["a", "b", "c"]), 3_000) {
            *counts.entry(owner).or_default() += 1;
        }
        assert_eq!(counts.len(), 3);
        assert!(counts.values().all(|count| (900..=1_100).contains(count)), "{counts:?}");
    }

    #[test]
    fn only_what_a_leaving_member_had_moves() {
        let (before, after) = (owners(&ring(&["a", "b", "c"]), 500), owners(&ring(&["a", "c"]), 500));
        for (before, after) in before.iter().zip(&after) {
            assert!(before == after || before == "b", "{before} gave a shard to {after}");
        }
    }

    #[test]
    fn work_goes_only_to_members_with_the_role() {
        let mut members = ring(&["a", "b"]).members().to_vec();
        members[0].roles = vec![Role::Frontend];
        let ring = Ring::new(members);
        assert!(owners(&ring, 50).iter().all(|owner| owner == "b"));
        assert_eq!(Ring::default().of_task_queue(&"n".into(), "q"), None);
    }
}
