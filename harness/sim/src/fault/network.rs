//! Faults of the network. Blocked traffic is retransmitted with back-off, as TCP does, so healing is seen a little late.
use super::{Injectable, Later, Targets, millis};
use crate::draw::Dice;
use crate::world::{Host, World};
use std::time::Duration;
use tempest_artifact::fault::{
    Bridge, Clog, Flapping, Isolate, IsolateDatabase, Kind, Latency, Link, OneWay, Partition, Reset, Ring,
    SlowDatabaseLink, SlowNode,
};

fn cut(links: &[Link], world: &mut dyn World) {
    links.iter().for_each(|link| world.block(&link.from, &link.to));
}

fn heal(links: &[Link], world: &mut dyn World) {
    links.iter().for_each(|link| world.unblock(&link.from, &link.to));
}

pub(super) fn slow(links: &[Link], extra_ms: u64, world: &mut dyn World) {
    links.iter().for_each(|link| world.slow_link(&link.from, &link.to, millis(extra_ms), 0));
}

/// Partitions that only a cluster has: their links are cut both ways, for a while.
macro_rules! partitions {
    ($($kind:ident: draw $draw:expr;)+) => { $(
        impl Injectable for $kind {
            fn draw(dice: &mut Dice, targets: &Targets) -> Option<$kind> {
                if targets.databases.is_empty() {
                    return None;
                }
                let draw: fn(&mut Dice, Vec<Host>, u64) -> $kind = $draw;
                let for_ms = dice.between(500..=20_000);
                Some(draw(dice, targets.all(), for_ms))
            }

            fn begin(&self, world: &mut dyn World) -> Vec<Later> {
                cut(&self.links(), world);
                Vec::new()
            }

            fn end(&self, world: &mut dyn World) {
                heal(&self.links(), world);
            }
        }
    )+ };
}

partitions! {
    Isolate: draw |dice, mut all, for_ms| {
        let host = dice.pick(&all).clone();
        all.retain(|other| *other != host);
        Isolate { host, others: all, for_ms }
    };

    IsolateDatabase: draw |dice, all, for_ms| {
        let databases = Host::databases();
        let host = dice.pick(&databases).clone();
        let is_other = |other: &Host| *other != host && (databases.contains(other) || *other == Host::monitor());
        let others = all.into_iter().filter(is_other).collect();
        IsolateDatabase { host, others, for_ms }
    };

    Bridge: draw |dice, mut all, for_ms| {
        let bridge = dice.pick(&all).clone();
        all.retain(|other| *other != bridge);
        let (one_side, other_side) = all.into_iter().partition(|_| dice.chance(1, 2));
        Bridge { bridge, one_side, other_side, for_ms }
    };

    Ring: draw |dice, mut all, for_ms| {
        let mut ring = Vec::new();
        while !all.is_empty() {
            let next = dice.pick(&all).clone();
            all.retain(|other| *other != next);
            ring.push(next);
        }
        Ring { ring, for_ms }
    };
}

impl Injectable for Partition {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Partition> {
        if !targets.databases.is_empty() {
            let (one_side, other_side): (Vec<Host>, Vec<Host>) =
                targets.all().into_iter().partition(|_| dice.chance(1, 2));
            let for_ms = dice.between(500..=20_000);
            return Some(Partition { one_side, other_side, for_ms }).filter(|cut| !cut.links().is_empty());
        }
        let mut other_side: Vec<Host> = targets.peers().into_iter().filter(|_| dice.chance(1, 2)).collect();
        if other_side.is_empty() {
            other_side.push(dice.pick(&targets.peers()).clone());
        }
        let for_ms = dice.between(500..=20_000);
        Some(Partition { one_side: targets.servers.clone(), other_side, for_ms })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        cut(&self.links(), world);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        heal(&self.links(), world);
    }
}

impl Injectable for OneWay {
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
}

impl Injectable for Clog {
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
}

impl Injectable for Reset {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Reset> {
        let (one, other) = targets.link(dice)?;
        Some(Reset { one, other })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        world.reset(&self.one, &self.other);
        Vec::new()
    }
}

impl Injectable for SlowNode {
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
}

impl Injectable for Latency {
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
}

impl Injectable for SlowDatabaseLink {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<SlowDatabaseLink> {
        targets.database(dice)?;
        let host = dice.pick(&targets.servers).clone();
        let extra_ms = *dice.pick(&[5, 50, 500, 2_000, 6_000]);
        Some(SlowDatabaseLink {
            host,
            databases: targets.databases.clone(),
            extra_ms,
            for_ms: dice.between(1_000..=30_000),
        })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        slow(&self.links(), self.extra_ms, world);
        Vec::new()
    }

    fn end(&self, world: &mut dyn World) {
        slow(&self.links(), 0, world);
    }
}

impl Injectable for Flapping {
    fn draw(dice: &mut Dice, targets: &Targets) -> Option<Flapping> {
        let groups = [targets.peers(), targets.databases.clone(), targets.servers.clone()];
        let host = dice.pick(&targets.servers).clone();
        let mut others = dice.pick(&groups).clone();
        others.retain(|other| *other != host);
        if others.is_empty() {
            others = targets.peers();
        }
        let (every_ms, extra_ms) = (*dice.pick(&[50, 200, 1_000, 3_000]), *dice.pick(&[1, 20, 200, 800]));
        Some(Flapping { host, others, every_ms, extra_ms, for_ms: dice.between(500..=10_000) })
    }

    fn begin(&self, world: &mut dyn World) -> Vec<Later> {
        slow(&self.links(), self.extra_ms, world);
        let breaks = (0..self.for_ms).step_by(usize::try_from(self.every_ms.max(1)).unwrap_or(1));
        let resets = breaks.flat_map(|after_ms| {
            let reset = move |other: &Host| Later::Reset {
                one: self.host.clone(),
                other: other.clone(),
                after: millis(after_ms),
            };
            self.others.iter().map(reset)
        });
        resets.collect()
    }

    fn end(&self, world: &mut dyn World) {
        slow(&self.links(), 0, world);
    }
}
