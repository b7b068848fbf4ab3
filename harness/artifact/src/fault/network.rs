//! Faults of the network. Blocked traffic is retransmitted with back-off, as TCP does, so healing is seen a little late.
use super::{Family, Kind, Link, millis};
use crate::Host;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Both directions of every link between two groups.
fn between(one_side: &[Host], other_side: &[Host]) -> Vec<Link> {
    let pairs = one_side.iter().flat_map(|one| other_side.iter().map(move |other| (one, other)));
    pairs.flat_map(|(one, other)| [Link::new(one, other), Link::new(other, one)]).collect()
}

/// Nothing passes between two groups of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    pub one_side: Vec<Host>,
    pub other_side: Vec<Host>,
    pub for_ms: u64,
}

impl Kind for Partition {
    const NAME: &'static str = "partition";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str = "nothing passes, either way, between two groups of hosts, for a while";

    fn hosts(&self) -> Vec<Host> {
        [self.one_side.as_slice(), &self.other_side].concat()
    }

    fn links(&self) -> Vec<Link> {
        between(&self.one_side, &self.other_side)
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// One host is alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolate {
    pub host: Host,
    pub others: Vec<Host>,
    pub for_ms: u64,
}

impl Kind for Isolate {
    const NAME: &'static str = "isolate";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str = "one host of a cluster is cut off from everybody, while the others see each other";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }

    fn links(&self) -> Vec<Link> {
        between(std::slice::from_ref(&self.host), &self.others)
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// A node of the database hears nothing of the others, but servers reach it. A primary that was deposed goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolateDatabase {
    pub host: Host,
    pub others: Vec<Host>,
    pub for_ms: u64,
}

impl Kind for IsolateDatabase {
    const NAME: &'static str = "isolate-database";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str = "a node of the database is cut off from its other nodes and the monitor, while \
                                 servers still reach it";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }

    fn links(&self) -> Vec<Link> {
        between(std::slice::from_ref(&self.host), &self.others)
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// Two sides that only one host sees both of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridge {
    pub bridge: Host,
    pub one_side: Vec<Host>,
    pub other_side: Vec<Host>,
    pub for_ms: u64,
}

impl Kind for Bridge {
    const NAME: &'static str = "bridge";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str = "a cluster falls into two groups, and one host sees both";

    fn hosts(&self) -> Vec<Host> {
        let bridge = std::slice::from_ref(&self.bridge);
        [bridge, &self.one_side, &self.other_side].concat()
    }

    fn links(&self) -> Vec<Link> {
        between(&self.one_side, &self.other_side)
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// No host sees all others, and each sees two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// In the order of the ring.
    pub ring: Vec<Host>,
    pub for_ms: u64,
}

impl Kind for Ring {
    const NAME: &'static str = "ring";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str = "the hosts of a cluster stand in a ring, and each sees only its neighbours";

    fn hosts(&self) -> Vec<Host> {
        self.ring.clone()
    }

    fn links(&self) -> Vec<Link> {
        let is_neighbour = |one: usize, other: usize| one + 1 == other || (one == 0 && other + 1 == self.ring.len());
        let mut links = Vec::new();
        for one in 0..self.ring.len() {
            for other in (one + 1..self.ring.len()).filter(|other| !is_neighbour(one, *other)) {
                links.extend(between(&self.ring[one..=one], &self.ring[other..=other]));
            }
        }
        links
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// What one host sends to another is lost; the other direction works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneWay {
    pub from: Host,
    pub to: Host,
    pub for_ms: u64,
}

impl Kind for OneWay {
    const NAME: &'static str = "one-way";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str =
        "what one host sends to another is lost while the other direction works: calls are executed, answers lost";

    fn hosts(&self) -> Vec<Host> {
        vec![self.from.clone(), self.to.clone()]
    }

    fn links(&self) -> Vec<Link> {
        vec![Link::new(&self.from, &self.to)]
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// What one host sends to another is held back and arrives all at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clog {
    pub from: Host,
    pub to: Host,
    pub for_ms: u64,
}

impl Kind for Clog {
    const NAME: &'static str = "clog";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str = "what one host sends to another is held back, then arrives all at once, in order";

    fn hosts(&self) -> Vec<Host> {
        vec![self.from.clone(), self.to.clone()]
    }

    fn links(&self) -> Vec<Link> {
        vec![Link::new(&self.from, &self.to)]
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// Every connection between two hosts breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    pub one: Host,
    pub other: Host,
}

impl Kind for Reset {
    const NAME: &'static str = "reset";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str =
        "every connection between two hosts breaks; both find out and may connect again at once";

    fn hosts(&self) -> Vec<Host> {
        vec![self.one.clone(), self.other.clone()]
    }

    fn links(&self) -> Vec<Link> {
        between(std::slice::from_ref(&self.one), std::slice::from_ref(&self.other))
    }
}

/// A link becomes slow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    pub from: Host,
    pub to: Host,
    pub extra_ms: u64,
    /// 0: no bound.
    pub bytes_per_second: u64,
    pub for_ms: u64,
}

impl Kind for Latency {
    const NAME: &'static str = "latency";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str = "a link gets slow: latency is added, and sometimes its throughput bounded, for a while";

    fn hosts(&self) -> Vec<Host> {
        vec![self.from.clone(), self.to.clone()]
    }

    fn links(&self) -> Vec<Link> {
        vec![Link::new(&self.from, &self.to)]
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// A host of a cluster does everything late, as one that swaps or collects garbage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowNode {
    pub host: Host,
    pub others: Vec<Host>,
    pub extra_ms: u64,
    pub for_ms: u64,
}

impl Kind for SlowNode {
    const NAME: &'static str = "slow-node";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str = "whatever a server or database node sends to whomever comes late, for a while";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }

    fn links(&self) -> Vec<Link> {
        self.others.iter().map(|other| Link::new(&self.host, other)).collect()
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// What a server and its database send each other comes late, and nothing else does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowDatabaseLink {
    pub host: Host,
    pub databases: Vec<Host>,
    pub extra_ms: u64,
    pub for_ms: u64,
}

impl Kind for SlowDatabaseLink {
    const NAME: &'static str = "slow-database-link";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str = "what a server and its database send each other comes late, while the server hears \
                                 everything else in time";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }

    fn links(&self) -> Vec<Link> {
        between(std::slice::from_ref(&self.host), &self.databases)
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

/// A host's connections break again and again, and in between what it is sent comes late: each break meets calls that are
/// under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flapping {
    pub host: Host,
    pub others: Vec<Host>,
    /// From one break to the next.
    pub every_ms: u64,
    pub extra_ms: u64,
    pub for_ms: u64,
}

impl Kind for Flapping {
    const NAME: &'static str = "flapping";
    const FAMILY: Family = Family::Network;
    const ABOUT: &'static str = "a host's connections break many times a second or every few seconds, and what passes in \
                                 between comes late, for a while";

    fn hosts(&self) -> Vec<Host> {
        vec![self.host.clone()]
    }

    fn links(&self) -> Vec<Link> {
        between(std::slice::from_ref(&self.host), &self.others)
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fault;

    fn hosts(names: &[&str]) -> Vec<Host> {
        names.iter().map(|name| Host((*name).to_owned())).collect()
    }

    /// Pairs that are cut, both ways.
    fn check(fault: Fault, expect: &[(&str, &str)]) {
        let found: Vec<(String, String)> = fault.links().into_iter().map(|link| (link.from.0, link.to.0)).collect();
        let both = |(one, other): &(&str, &str)| {
            [((*one).to_owned(), (*other).to_owned()), ((*other).to_owned(), (*one).to_owned())]
        };
        assert_eq!(found, expect.iter().flat_map(both).collect::<Vec<_>>(), "{fault}");
    }

    #[test]
    fn an_isolated_host_is_cut_from_all_others() {
        let fault = Isolate { host: Host("a".to_owned()), others: hosts(&["b", "c"]), for_ms: 1 };
        check(Fault::Isolate(fault), &[("a", "b"), ("a", "c")]);
    }

    #[test]
    fn a_bridge_sees_both_sides() {
        let fault =
            Bridge { bridge: Host("x".to_owned()), one_side: hosts(&["a"]), other_side: hosts(&["b", "c"]), for_ms: 1 };
        check(Fault::Bridge(fault), &[("a", "b"), ("a", "c")]);
    }

    #[test]
    fn in_a_ring_all_but_neighbours_are_cut() {
        check(
            Fault::Ring(Ring { ring: hosts(&["a", "b", "c", "d", "e"]), for_ms: 1 }),
            &[("a", "c"), ("a", "d"), ("b", "d"), ("b", "e"), ("c", "e")],
        );
        check(Fault::Ring(Ring { ring: hosts(&["a", "b", "c"]), for_ms: 1 }), &[]);
    }
}
