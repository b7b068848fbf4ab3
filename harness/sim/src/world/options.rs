//! What is drawn for every run, whatever the scenario.
use crate::draw::Draw;
use tempest_store::Role;

/// An hour: no delay, phase or latency of a run that is set by hand is longer.
const HOUR_MS: u64 = 3_600_000;
/// What a program of a year needs, and leap years and the like.
const TWO_YEARS_MS: u64 = 2 * 366 * 24 * HOUR_MS;
/// Beyond this, a plan is no storm any more but a list.
const FAULTS_MAX: u64 = 10_000;

/// Sizes of the world. Each is an option that `--set` can override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldOptions {
    /// Server nodes: 1 is a server with a database of its own on its disk; more share a replicated database.
    pub nodes: u64,
    /// Whether the shared database acknowledges what only its primary has.
    pub asynchronous: bool,
    /// Whether a commit waits for the one standby that is named, and a failover is a new timeline, rather than for any
    /// majority. Without effect where the database is asynchronous.
    pub named_standby: bool,
    /// Whether an operator promotes standbys now and then, whatever they lack, where a failover is a new timeline.
    pub promotions: bool,
    /// How far standbys stay behind that no commit waits for.
    pub lag_ms: u64,
    /// Whether a primary of an asynchronous database stops when its lease is over.
    pub fenced: bool,
    /// Which nodes of a cluster have which role.
    pub roles: Roles,
    /// Shards of the server.
    pub shards: u64,
    /// Hosts that run SDK workers.
    pub workers: u64,
    /// Workflows a worker keeps cached. 0: no sticky queue, every task replays from the start. 1: constant eviction.
    pub worker_cache: u64,
    /// Runs that a shard of the server keeps in memory. Few: reading a run from the store is as common as finding it, and so
    /// is reading the events that a decision needs.
    pub cached_runs: u64,
    /// Concurrent polls of a worker per kind of task, at least 2.
    pub pollers: u64,
    /// How long a server keeps a worker's poll for which it has no task. Polls are what an idle world does: over months of
    /// virtual time there are a million of a minute each. Workers with the SDK give up after a minute whatever is set here.
    pub poll_ms: u64,
    /// Shortest one-way latency of a link.
    pub latency_min_us: u64,
    /// Longest one-way latency of a link.
    pub latency_max_us: u64,
    /// Bytes in flight per direction of a connection.
    pub window_bytes: u64,
    /// How often a thread loses its turn when it wakes another, in a million.
    pub preemption_per_million: u64,
    /// The next thread is drawn if true; else the one that waited longest runs.
    pub random_schedule: bool,
    /// What a sync of the disk takes, apart from faults; other operations take a twentieth.
    pub disk_sync_us: u64,
    /// Whether the server's unlikely but legal choices are taken now and then.
    pub buggify: bool,
    /// Undisturbed at the beginning.
    pub warm_up_ms: u64,
    /// Faults begin during this time.
    pub storm_ms: u64,
    /// How many faults are drawn.
    pub faults: u64,
    /// Whether calls are struck where user code and server meet: [`super::Aims`].
    pub aimed: bool,
    /// After healing, everything must have closed within this time.
    pub drain_ms: u64,
    /// A crash at this scheduling point; 0: none.
    pub crash_at_scheduling_point: u64,
    /// Who crashes there: 0 is the first server, then the others, then the workers.
    pub crash_host: u64,
}

/// What a server keeps that is configured as by default.
pub(crate) const CACHED_RUNS: u64 = 4_096;

/// Nodes of a cluster.
const NODES_MAX: u64 = 9;

/// Which nodes have a role: bit 0 is the first node's. Each role is somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    pub frontend: u64,
    pub history: u64,
    pub matching: u64,
}

impl Roles {
    /// In most runs every node has every role.
    fn draw(draw: &mut Draw<'_>, nodes: u64) -> Roles {
        let all = (1 << nodes) - 1;
        let split = draw.flag("split_roles", 1, 3);
        let mut nodes_with = |name: &str| {
            if split {
                draw.number(name, 1..=all)
            } else {
                draw.fixed(name, all)
            };
            draw.within(name, 1..=all)
        };
        Roles {
            frontend: nodes_with("frontend_nodes"),
            history: nodes_with("history_nodes"),
            matching: nodes_with("matching_nodes"),
        }
    }

    /// What the node with this number has, counted from 0. One that would have nothing has everything: a node without
    /// roles is refused by the server.
    pub fn of(&self, node: u64) -> Vec<Role> {
        let has = |nodes: u64| (nodes >> node) & 1 == 1;
        let does_nothing = !has(self.frontend | self.history | self.matching);
        let roles = [(self.frontend, Role::Frontend), (self.history, Role::History), (self.matching, Role::Matching)];
        roles.into_iter().filter(|(nodes, _)| does_nothing || has(*nodes)).map(|(_, role)| role).collect()
    }
}

impl WorldOptions {
    pub fn draw(draw: &mut Draw<'_>) -> WorldOptions {
        let latency_min_us = draw.one_of("latency_min_us", &[50, 500, 2_000]).min(HOUR_MS * 1000);
        let nodes = draw.one_of("nodes", &[1, 3]);
        let options = WorldOptions {
            nodes,
            // Scenarios that can live with what such a database loses draw it.
            asynchronous: draw.fixed("asynchronous", 0) > 0,
            named_standby: draw.flag("named_standby", 1, 3),
            promotions: draw.fixed("promotions", 0) > 0,
            lag_ms: draw.one_of("lag_ms", &[1, 50, 1_000, 20_000]),
            fenced: draw.flag("fenced", 1, 2),
            roles: Roles::draw(draw, nodes.clamp(1, NODES_MAX)),
            shards: draw.one_of("shards", &[1, 4, 16]),
            workers: draw.fixed("workers", 2),
            worker_cache: draw.one_of("worker_cache", &[0, 1, 1000]),
            cached_runs: draw.one_of("cached_runs", &[1, 8, CACHED_RUNS, CACHED_RUNS]),
            pollers: draw.number("pollers", 2..=5),
            latency_min_us,
            latency_max_us: latency_min_us.saturating_add(draw.one_of("latency_spread_us", &[0, 1_000, 20_000])),
            window_bytes: draw.one_of("window_bytes", &[4 << 10, 64 << 10, 256 << 10]),
            preemption_per_million: draw.one_of("preemption_per_million", &[0, 1_000, 50_000]),
            random_schedule: draw.flag("random_schedule", 9, 10),
            disk_sync_us: draw.one_of("disk_sync_us", &[40, 400, 4_000]),
            buggify: draw.flag("buggify", 1, 2),
            warm_up_ms: draw.one_of("warm_up_ms", &[200, 1_000, 3_000]),
            storm_ms: draw.number("storm_ms", 10_000..=60_000),
            faults: draw.number("faults", 5..=20),
            // For tests of users' workflows, which are mostly short.
            aimed: draw.fixed("aimed", 0) > 0,
            drain_ms: draw.fixed("drain_ms", 900_000),
            crash_at_scheduling_point: draw.fixed("crash_at_scheduling_point", 0),
            crash_host: draw.fixed("crash_host", 0),
            poll_ms: draw.fixed("poll_ms", 60_000),
        };
        options.bounded(draw)
    }

    /// Whether a failover of the shared database may lose what was acknowledged.
    pub fn may_lose(&self) -> bool {
        self.asynchronous || self.has_promotions()
    }

    /// Whether each role is on another node, too.
    pub(crate) fn does_without_its_last_node(&self) -> bool {
        let others: Vec<Role> = (0..self.nodes.saturating_sub(1)).flat_map(|node| self.roles.of(node)).collect();
        [Role::Frontend, Role::History, Role::Matching].iter().all(|role| others.contains(role))
    }

    pub(crate) fn has_promotions(&self) -> bool {
        self.promotions && (self.asynchronous || self.named_standby)
    }

    /// What may be set by hand: the drawn values lie well inside.
    fn bounded(self, draw: &mut Draw<'_>) -> WorldOptions {
        let workers = draw.within("workers", 1..=16);
        draw.within("aimed", 0..=1);
        draw.within("lag_ms", 0..=HOUR_MS);
        draw.within("latency_min_us", 0..=HOUR_MS * 1000);
        draw.within("latency_spread_us", 0..=HOUR_MS * 1000);
        WorldOptions {
            nodes: draw.within("nodes", 1..=NODES_MAX),
            shards: draw.within("shards", 1..=1024),
            workers,
            worker_cache: draw.within("worker_cache", 0..=1_000_000),
            cached_runs: draw.within("cached_runs", 1..=1_000_000),
            pollers: draw.within("pollers", 2..=100),
            poll_ms: draw.within("poll_ms", 1_000..=24 * HOUR_MS),
            latency_max_us: self.latency_max_us.min(2 * HOUR_MS * 1000),
            window_bytes: draw.within("window_bytes", 1..=1 << 30),
            preemption_per_million: draw.within("preemption_per_million", 0..=1_000_000),
            disk_sync_us: draw.within("disk_sync_us", 0..=HOUR_MS * 1000),
            warm_up_ms: draw.within("warm_up_ms", 0..=24 * HOUR_MS),
            storm_ms: draw.within("storm_ms", 0..=24 * HOUR_MS),
            faults: draw.within("faults", 0..=FAULTS_MAX),
            drain_ms: draw.within("drain_ms", 0..=TWO_YEARS_MS),
            crash_host: draw.within("crash_host", 0..=workers + self.nodes.min(NODES_MAX) - 1),
            ..self
        }
    }
}
