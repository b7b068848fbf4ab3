//! Faults of the network. Blocked traffic is retransmitted with back-off, as TCP does, so healing is seen a little late.
use super::{Harm, Later, Targets, millis};
use crate::explore::Dice;
use crate::world::{Host, World};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Nothing passes between two groups of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    pub one_side: Vec<Host>,
    pub other_side: Vec<Host>,
    pub for_ms: u64,
}

impl Partition {
    fn links(&self) -> Vec<(Host, Host)> {
        between(&self.one_side, &self.other_side)
    }
}

/// Both directions of every link between two groups.
fn between(one_side: &[Host], other_side: &[Host]) -> Vec<(Host, Host)> {
    let pairs = one_side.iter().flat_map(|one| other_side.iter().map(move |other| (one, other)));
    pairs.flat_map(|(one, other)| [(one.clone(), other.clone()), (other.clone(), one.clone())]).collect()
}

/// Partitions that only a cluster has: each is a set of links that are cut both ways, for a while.
macro_rules! partitions {
    ($($(#[$doc:meta])* $kind:ident, $name:literal, $about:literal, { $($(#[$field_doc:meta])* $field:ident: $type:ty),+ },
        draw $draw:expr, links $links:expr;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $kind {
            $($(#[$field_doc])* pub $field: $type,)+
            pub for_ms: u64,
        }

        impl Harm for $kind {
            const NAME: &'static str = $name;
            const FAMILY: &'static str = "network";
            const ABOUT: &'static str = $about;

            fn draw(dice: &mut Dice, targets: &Targets) -> Option<$kind> {
                if targets.databases.is_empty() {
                    return None;
                }
                let draw: fn(&mut Dice, Vec<Host>, u64) -> $kind = $draw;
                let for_ms = dice.between(500..=20_000);
                Some(draw(dice, targets.all(), for_ms))
            }

            fn begin(&self, world: &mut dyn World) -> Vec<Later> {
                let links: fn(&$kind) -> Vec<(Host, Host)> = $links;
                links(self).iter().for_each(|(from, to)| world.block(from, to));
                Vec::new()
            }

            fn end(&self, world: &mut dyn World) {
                let links: fn(&$kind) -> Vec<(Host, Host)> = $links;
                links(self).iter().for_each(|(from, to)| world.unblock(from, to));
            }

            fn lasts(&self) -> Option<Duration> {
                Some(millis(self.for_ms))
            }
        }
    )+ };
}

partitions! {
    /// One host is alone.
    Isolate, "isolate", "one host of a cluster is cut off from everybody, while the others see each other", {
        host: Host,
        others: Vec<Host>
    },
    draw |dice, mut all, for_ms| {
        let host = dice.pick(&all).clone();
        all.retain(|other| *other != host);
        Isolate { host, others: all, for_ms }
    },
    links |harm| between(std::slice::from_ref(&harm.host), &harm.others);

    /// A node of the database hears nothing of the others, but servers reach it. A primary that was deposed goes on.
    IsolateDatabase, "isolate-database", "a node of the database is cut off from its other nodes and the monitor, while \
                                          servers still reach it", {
        host: Host,
        others: Vec<Host>
    },
    draw |dice, all, for_ms| {
        let databases = Host::databases();
        let host = dice.pick(&databases).clone();
        let is_other = |other: &Host| *other != host && (databases.contains(other) || *other == Host::monitor());
        let others = all.into_iter().filter(is_other).collect();
        IsolateDatabase { host, others, for_ms }
    },
    links |harm| between(std::slice::from_ref(&harm.host), &harm.others);

    /// Two sides that only one host sees both of.
    Bridge, "bridge", "a cluster falls into two groups, and one host sees both", {
        bridge: Host,
        one_side: Vec<Host>,
        other_side: Vec<Host>
    },
    draw |dice, mut all, for_ms| {
        let bridge = dice.pick(&all).clone();
        all.retain(|other| *other != bridge);
        let (one_side, other_side) = all.into_iter().partition(|_| dice.chance(1, 2));
        Bridge { bridge, one_side, other_side, for_ms }
    },
    links |harm| between(&harm.one_side, &harm.other_side);

    /// Nobody sees all, and everybody sees somebody.
    Ring, "ring", "the hosts of a cluster stand in a ring, and each sees only its neighbours", {
        /// In the order of the ring.
        ring: Vec<Host>
    },
    draw |dice, mut all, for_ms| {
        let mut ring = Vec::new();
        while !all.is_empty() {
            let next = dice.pick(&all).clone();
            all.retain(|other| *other != next);
            ring.push(next);
        }
        Ring { ring, for_ms }
    },
    links |harm| {
        let is_neighbour = |one: usize, other: usize| one + 1 == other || (one == 0 && other + 1 == harm.ring.len());
        let mut links = Vec::new();
        for one in 0..harm.ring.len() {
            for other in (one + 1..harm.ring.len()).filter(|other| !is_neighbour(one, *other)) {
                links.extend(between(&harm.ring[one..=one], &harm.ring[other..=other]));
            }
        }
        links
    };
}

impl Harm for Partition {
    const NAME: &'static str = "partition";
    const FAMILY: &'static str = "network";
    const ABOUT: &'static str = "nothing passes, either way, between two groups of hosts, for a while";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Partition> {
        if !targets.databases.is_empty() {
            let (one_side, other_side): (Vec<Host>, Vec<Host>) =
                targets.all().into_iter().partition(|_| dice.chance(1, 2));
            let for_ms = dice.between(500..=20_000);
            return Some(Partition { one_side, other_side, for_ms }).filter(|cut| !cut.links().is_empty());
        }
        let mut cut: Vec<Host> = targets.peers().into_iter().filter(|_| dice.chance(1, 2)).collect();
        if cut.is_empty() {
            cut.push(dice.pick(&targets.peers()).clone());
        }
        Some(Partition { one_side: targets.servers.clone(), other_side: cut, for_ms: dice.between(500..=20_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        self.links().iter().for_each(|(from, to)| world.block(from, to));
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        self.links().iter().for_each(|(from, to)| world.unblock(from, to));
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

impl Harm for OneWay {
    const NAME: &'static str = "one-way";
    const FAMILY: &'static str = "network";
    const ABOUT: &'static str =
        "what one host sends to another is lost while the other direction works: calls are executed, answers lost";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<OneWay> {
        let (from, to) = targets.link(dice)?;
        Some(OneWay { from, to, for_ms: dice.between(500..=20_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.block(&self.from, &self.to);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.unblock(&self.from, &self.to);
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

impl Harm for Clog {
    const NAME: &'static str = "clog";
    const FAMILY: &'static str = "network";
    const ABOUT: &'static str = "what one host sends to another is held back, then arrives all at once, in order";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Clog> {
        let (from, to) = targets.link(dice)?;
        Some(Clog { from, to, for_ms: dice.between(100..=15_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.clog(&self.from, &self.to);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.unclog(&self.from, &self.to);
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

impl Harm for Reset {
    const NAME: &'static str = "reset";
    const FAMILY: &'static str = "network";
    const ABOUT: &'static str =
        "every connection between two hosts breaks; both find out and may connect again at once";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Reset> {
        let (one, other) = targets.link(dice)?;
        Some(Reset { one, other })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.reset(&self.one, &self.other);
        Vec::new()
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

impl Harm for SlowNode {
    const NAME: &'static str = "slow-node";
    const FAMILY: &'static str = "network";
    const ABOUT: &'static str = "whatever a server or database node sends to whomever comes late, for a while";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<SlowNode> {
        let slow = [targets.servers.as_slice(), &targets.databases].concat();
        if targets.databases.is_empty() {
            return None;
        }
        let host = dice.pick(&slow).clone();
        let others = targets.all().into_iter().filter(|other| *other != host).collect();
        Some(SlowNode {
            host,
            others,
            extra_ms: *dice.pick(&[50, 500, 2_000, 6_000]),
            for_ms: dice.between(1_000..=30_000),
        })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        self.others.iter().for_each(|other| world.slow_link(&self.host, other, millis(self.extra_ms), 0));
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        self.others.iter().for_each(|other| world.slow_link(&self.host, other, Duration::ZERO, 0));
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
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

impl Harm for Latency {
    const NAME: &'static str = "latency";
    const FAMILY: &'static str = "network";
    const ABOUT: &'static str = "a link gets slow: latency is added, and sometimes its throughput bounded, for a while";

    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Latency> {
        let (from, to) = targets.link(dice)?;
        Some(Latency {
            from,
            to,
            extra_ms: dice.between(20..=3_000),
            bytes_per_second: *dice.pick(&[0, 0, 100_000, 10_000]),
            for_ms: dice.between(500..=20_000),
        })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.slow_link(&self.from, &self.to, millis(self.extra_ms), self.bytes_per_second);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        world.slow_link(&self.from, &self.to, Duration::ZERO, 0);
    }

    fn lasts(&self) -> Option<Duration> {
        Some(millis(self.for_ms))
    }
}
