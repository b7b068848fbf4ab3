//! The plan: which faults when, drawn from the seed before the run begins.
use super::{
    BitRot, DiskLost, FaultPlan, IsolateDatabase, KINDS, Kind, PlannedFault, Promote, ServerGone, ServerReplaced,
};
use crate::draw::{Decisions, Dice, Draw};
use crate::world::{Host, WorldOptions};

/// The hosts of a world, by what may happen to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    pub servers: Vec<Host>,
    pub workers: Vec<Host>,
    /// Nodes of the database that servers share, if they share one.
    pub databases: Vec<Host>,
    /// Who decides which of those is primary.
    pub monitors: Vec<Host>,
    /// Never crashed: they hold what the run is about to do.
    pub clients: Vec<Host>,
    /// Servers of a cluster that are not there yet, and join if a fault says so.
    pub spares: Vec<Host>,
}

impl Targets {
    /// So many servers, with a shared database if there are several, so many workers, one client.
    pub fn new(nodes: u64, workers: u64) -> Targets {
        let workers = (1..=workers).map(Host::worker).collect();
        let (databases, monitors, spares) = match nodes {
            0 | 1 => (Vec::new(), Vec::new(), Vec::new()),
            _ => (
                Host::databases(),
                vec![Host::monitor()],
                Host::servers(nodes + 1).split_off(Host::servers(nodes).len()),
            ),
        };
        Targets { servers: Host::servers(nodes), workers, databases, monitors, clients: vec![Host::client()], spares }
    }

    pub fn all(&self) -> Vec<Host> {
        [self.servers.as_slice(), &self.workers, &self.clients, &self.databases, &self.monitors].concat()
    }

    /// All that a plan may name.
    pub fn known(&self) -> Vec<Host> {
        [self.all(), self.spares.clone()].concat()
    }

    /// The hosts that may crash, in the order in which they are started.
    pub fn crashable_hosts(&self) -> Vec<Host> {
        [self.servers.as_slice(), &self.workers, &self.databases, &self.monitors, &self.spares].concat()
    }

    /// Who keeps data on a disk.
    pub fn disks(&self) -> &[Host] {
        if self.databases.is_empty() { &self.servers } else { &self.databases }
    }

    fn is_cluster(&self) -> bool {
        !self.databases.is_empty()
    }

    /// The hosts that call servers from outside.
    pub fn peers(&self) -> Vec<Host> {
        [self.workers.as_slice(), &self.clients].concat()
    }

    /// Two hosts that speak to each other, in either order.
    pub(super) fn link(&self, dice: &mut Dice) -> Option<(Host, Host)> {
        let peers = self.peers();
        let (ones, others) = match if self.is_cluster() { dice.below(6) } else { 0 } {
            0 | 1 => (&self.servers, &peers),
            2 => (&self.servers, &self.servers),
            3 => (&self.servers, &self.databases),
            4 => (&self.databases, &self.databases),
            _ => (&self.databases, &self.monitors),
        };
        if ones.is_empty() || others.is_empty() {
            return None;
        }
        let one = dice.pick(ones).clone();
        let others: Vec<Host> = others.iter().filter(|other| **other != one).cloned().collect();
        let other = dice.pick(&others).clone();
        Some(if dice.chance(1, 2) { (one, other) } else { (other, one) })
    }

    /// A host that makes calls; clients as often as all workers together, since what they are told is what counts.
    pub(super) fn caller(&self, dice: &mut Dice) -> Option<Host> {
        let group = if self.workers.is_empty() || dice.chance(1, 2) { &self.clients } else { &self.workers };
        if group.is_empty() { None } else { Some(dice.pick(group).clone()) }
    }

    /// A server that calls others.
    pub(super) fn node_of_many(&self, dice: &mut Dice) -> Option<Host> {
        if self.is_cluster() { Some(dice.pick(&self.servers).clone()) } else { None }
    }

    /// A node of the shared database.
    pub(super) fn database(&self, dice: &mut Dice) -> Option<Host> {
        if self.databases.is_empty() { None } else { Some(dice.pick(&self.databases).clone()) }
    }

    /// A host that may crash; servers as often as all workers together, and as the whole database.
    pub(super) fn crashable_host(&self, dice: &mut Dice) -> Option<Host> {
        let database = [self.databases.as_slice(), &self.monitors].concat();
        let group = match if self.is_cluster() { dice.below(3) } else { dice.below(2) } {
            0 => &self.servers,
            2 => &database,
            _ if self.workers.is_empty() => &self.servers,
            _ => &self.workers,
        };
        if group.is_empty() { None } else { Some(dice.pick(group).clone()) }
    }
}

/// Draws which kinds are in this run (each in two of three, as an option `fault.KIND`; setting `fault.others` says
/// it for all kinds that are not set), then the faults. Each fault has decisions of its own, so that one can be taken
/// out and the others stay.
pub fn draw_plan(decisions: &Decisions, draw: &mut Draw<'_>, options: &WorldOptions, targets: &Targets) -> FaultPlan {
    let mut kinds: Vec<&str> = Vec::new();
    // What can never happen to these hosts is no option, and takes no other kind's place.
    let mut trial = decisions.dice("fault.possible".to_owned());
    let may_be = |name: &str| match name {
        Promote::NAME => options.has_promotions(),
        // Elsewhere it is a failover like others.
        IsolateDatabase::NAME => options.asynchronous && !options.fenced,
        // What two of three disks have, one of them must not lose while the other may be silent.
        DiskLost::NAME | BitRot::NAME => options.asynchronous,
        // What a server knows that never comes back, no failover's loss can be held against.
        ServerGone::NAME | ServerReplaced::NAME => !options.may_lose() && options.does_without_its_last_node(),
        _ => true,
    };
    let world = draw.world();
    let is_there = |name: &str| crate::world::lacks(world, name).is_none();
    let mut possible = |name: &str| super::draw(name, &mut trial, targets).is_some() && may_be(name) && is_there(name);
    let others = draw.flag_if_set("fault.others");
    for kind in KINDS {
        let option = format!("fault.{}", kind.name);
        if !possible(kind.name) {
            draw.off_if_set(&option);
        } else if draw.flag_or(&option, others, 2, 3) {
            kinds.push(kind.name);
        }
    }
    let mut plan = Vec::new();
    for number in 0..if kinds.is_empty() { 0 } else { options.faults } {
        let mut dice = decisions.dice(format!("fault.{number}"));
        let at_ms = options.warm_up_ms + dice.below(options.storm_ms.max(1));
        let kind = dice.pick(&kinds);
        if let Some(fault) = super::draw(kind, &mut dice, targets) {
            plan.push(PlannedFault { at_ms, fault });
        }
    }
    plan.sort_by_key(|planned| planned.at_ms);
    FaultPlan(plan)
}

#[cfg(test)]
mod tests {
    use super::super::draw;
    use super::*;
    use crate::draw::Seed;
    use tempest_artifact::Settings;

    fn plan(seed: u64, settings: &Settings) -> FaultPlan {
        let decisions = Decisions::new(Seed(seed), []);
        let mut draw = Draw::new(&decisions, settings);
        let options = WorldOptions::draw(&mut draw);
        draw_plan(&decisions, &mut draw, &options, &Targets::new(3, 2))
    }

    #[test]
    fn a_plan_is_the_seeds_and_survives_json() {
        let settings = Settings::default();
        for seed in 0..50 {
            let drawn = plan(seed, &settings);
            assert_eq!(drawn, plan(seed, &settings));
            let json = serde_json::to_string(&drawn).expect("a plan is plain data");
            assert_eq!(drawn, serde_json::from_str(&json).expect("what was written can be read"));
        }
    }

    #[test]
    fn a_fault_has_one_name_in_lists_and_in_files() {
        let mut dice = Decisions::new(Seed(1), []).dice("names".to_owned());
        for kind in KINDS {
            let fault = draw(kind.name, &mut dice, &Targets::new(3, 2)).expect("there is everybody");
            assert_eq!(serde_json::to_value(&fault).expect("plain data")["kind"], kind.name);
        }
    }

    #[test]
    fn every_kind_comes_up() {
        let mut seen = std::collections::BTreeSet::new();
        for may_lose in [0, 1] {
            let settings =
                [("promotions", may_lose), ("asynchronous", may_lose), ("fenced", 0), ("split_roles", 0), ("nodes", 3)];
            let settings = Settings(settings.map(|(name, value)| (name.to_owned(), value)).into());
            for seed in 0..200 {
                seen.extend(plan(seed, &settings).0.iter().map(|planned| planned.fault.name()));
            }
        }
        assert_eq!(seen.len(), KINDS.len(), "{seen:?}");
    }

    #[test]
    fn what_is_said_of_others_holds_for_all_that_are_not_named() {
        let kinds = |settings: &[(&str, u64)]| -> std::collections::BTreeSet<&str> {
            let settings = Settings(settings.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect());
            (0..50).flat_map(|seed| plan(seed, &settings).0).map(|planned| planned.fault.name()).collect()
        };
        let only = kinds(&[("faults", 40), ("fault.others", 0), ("fault.crash", 1), ("fault.reset", 1)]);
        assert_eq!(only.into_iter().collect::<Vec<_>>(), ["crash", "reset"]);
        let but = kinds(&[("faults", 40), ("fault.others", 1), ("fault.crash", 0)]);
        assert!(!but.contains("crash") && but.contains("crash-in-recovery"), "{but:?}");
        assert!(kinds(&[("fault.others", 0)]).is_empty());
    }

    #[test]
    fn a_plan_of_another_world_is_told_by_its_hosts() {
        let mut dice = Decisions::new(Seed(1), []).dice("unknown-hosts".to_owned());
        for kind in KINDS {
            let fault = draw(kind.name, &mut dice, &Targets::new(3, 2)).expect("there is everybody");
            let alone = FaultPlan(vec![PlannedFault { at_ms: 0, fault }]);
            assert_eq!(alone.unknown_host(&Targets::new(3, 2).known()), None, "{}", kind.name);
        }
        let fault = draw("isolate", &mut dice, &Targets::new(3, 2)).expect("there is everybody");
        let plan = FaultPlan(vec![PlannedFault { at_ms: 0, fault }]);
        assert_eq!(plan.unknown_host(&Targets::new(1, 2).all()), Some(Host("db-1".to_owned())));
    }

    #[test]
    fn a_server_that_is_alone_meets_what_can_meet_it() {
        let mut dice = Decisions::new(Seed(1), []).dice("alone".to_owned());
        let alone = |kind: &&super::super::FaultKind| draw(kind.name, &mut dice, &Targets::new(1, 2)).is_none();
        let left_out: Vec<&str> = KINDS.iter().filter(alone).map(|kind| kind.name).collect();
        assert_eq!(
            left_out,
            [
                "isolate",
                "isolate-database",
                "bridge",
                "ring",
                "slow-node",
                "slow-database-link",
                "rolling-restart",
                "restart-under-load",
                "zone-loss",
                "server-gone",
                "server-replaced",
                "disk-lost",
                "bit-rot",
                "peer-call-lost",
                "peer-call-late",
                "peer-call-twice",
                "peer-answer-lost",
                "commit-in-doubt",
                "slow-commits",
                "slow-reads",
                "ownership-taken",
                "read-only",
                "promote"
            ]
        );
    }

    #[test]
    fn fewer_faults_leave_the_others_alone() {
        let mut settings = Settings::default();
        settings.0.insert("faults".to_owned(), 12);
        let all = plan(3, &settings);
        settings.0.insert("faults".to_owned(), 4);
        let some = plan(3, &settings);
        assert_eq!(some.0.len(), 4);
        assert!(some.0.iter().all(|planned| all.0.contains(planned)));
    }
}
