//! The phases of a run, inside the simulation: warm up, storm, heal, drain, verify.
use super::programs::{Storage, clients, inspector, server, verifier, worker};
use crate::draw::Decisions;
use crate::fault::{Family, Fault, FaultPlan, Nemesis, Targets, TimelineEntry};
use crate::observe::{Commit, events};
use crate::scenario::Workload;
use crate::worker::WorkerSettings;
use crate::world::{
    Host, HostState, Inspection, Pause, Replica, Replication, Shared, World, WorldOptions, database, inside, monitor,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tempest_api::proto::enums::v1::EventType;
use tempest_artifact::{Phase, Promotion};
use tempest_core::RunKey;
use tempest_disk::{DiskOptions, SimDisk};
use tempest_server::{ClusterConfig, NodeConfig};
use tempest_store::{RangeId, ShardId, Timeline};

/// How often the drain looks whether all runs are closed, and after a long time how many looks it has taken: who waits for
/// months need not know it to the second.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const LOOKS_MAX: u32 = 1_000;
/// When everything is healed, a database that may lose something has but one primary after this time.
const SETTLING: Duration = Duration::from_secs(30);
/// A call between nodes that is sent twice is there the second time by then.
const DUPLICATES_ARRIVE: Duration = Duration::from_secs(26);
/// How long a host is down that died at a crash point.
const DOWN_AFTER_CRASH_POINT: Duration = Duration::from_secs(2);
/// What reading everything back may take, in virtual time.
const VERIFY_MAX: Duration = Duration::from_secs(600);

/// What the outside may watch while a run goes on.
#[derive(Debug, Default)]
pub struct Watch {
    pub phase: AtomicUsize,
    pub virtual_ms: AtomicU64,
    pub faults: AtomicU64,
    pub commits: AtomicU64,
    pub open: AtomicU64,
}

/// Names of the phases, in the order of [`Watch::phase`].
pub const PHASES: &[&str] = &["warm up", Phase::STORM, "drain", "verify"];

/// What a run needs to know before it begins.
pub(crate) struct Preparation {
    pub decisions: Decisions,
    pub options: WorldOptions,
    pub plan: FaultPlan,
    pub workload: Arc<dyn Workload>,
    pub shared: Shared,
    pub watch: Arc<Watch>,
}

/// What all phases left to be judged.
pub(crate) struct Recorded {
    pub timeline: Vec<TimelineEntry>,
    pub phases: Vec<Phase>,
    pub inspection: Inspection,
    pub faults: u64,
    pub clock_slack_ns: u64,
    pub deadline_ns: u64,
    /// As [`crate::observe::Observations::settled_from_ns`].
    pub settled_from_ns: Option<u64>,
    pub waited_for: Vec<String>,
    pub clients_done: bool,
    pub promotions: Vec<Promotion>,
    pub ended_ns: u64,
    /// Until the verification began.
    pub scheduling_points: u64,
}

/// Performs all phases in a world that has no hosts yet.
pub(crate) fn perform(world: &mut dyn World, preparation: Preparation) -> Recorded {
    let crash_point = preparation.options.crash_at_scheduling_point;
    let mut phases = Phases::prepare(world, preparation);
    phases.world.stop_at_scheduling_point(Some(crash_point).filter(|point| *point > 0));
    phases.warm_up_and_storm();
    phases.drain();
    phases.verify()
}

struct Phases<'a> {
    world: &'a mut dyn World,
    nemesis: Nemesis,
    shared: Shared,
    options: WorldOptions,
    plan: FaultPlan,
    workload: Arc<dyn Workload>,
    decisions: Decisions,
    targets: Targets,
    disks: BTreeMap<Host, SimDisk>,
    /// Hosts that are looked after.
    crashable_hosts: Vec<Host>,
    open: OpenRuns,
    watch: Arc<Watch>,
    phases: Vec<Phase>,
    deadline: Duration,
    /// Nothing is over before.
    settled: Duration,
    /// From when on no duplicate of a call is under way any more that was sent before all runs were closed first: one that
    /// comes late may begin a run.
    all_arrived: Option<Duration>,
}

impl<'a> Phases<'a> {
    fn prepare(world: &'a mut dyn World, preparation: Preparation) -> Phases<'a> {
        let Preparation { decisions, options, plan, workload, shared, watch } = preparation;
        let sync = Duration::from_micros(options.disk_sync_us);
        let disk_options = DiskOptions { latency: sync / 20, sync_latency: sync, ..DiskOptions::default() };
        let targets = Targets::new(options.nodes, options.workers);
        let mut disks = BTreeMap::new();
        for (number, host) in (0..).zip(targets.disks()) {
            let mut seed = [0; 32];
            for (ordinal, chunk) in (4 * number..).zip(seed.chunks_mut(8)) {
                chunk.copy_from_slice(&decisions.below("disk.seed", ordinal, u64::MAX).to_le_bytes());
            }
            disks.insert(host.clone(), SimDisk::new(seed, disk_options));
        }

        for (number, host) in (0..).zip(targets.servers.iter().chain(&targets.spares)) {
            let configure = configuration(&options, host, number);
            let disk = disks.get(host).cloned();
            let storage = disk.clone().map_or(Storage::Shared(targets.databases.clone()), Storage::Embedded);
            world.add(host.clone(), disk, server(shared.clone(), storage, configure));
        }
        let settings = WorkerSettings {
            cached_workflows: usize::try_from(options.worker_cache).unwrap_or(usize::MAX),
            pollers: usize::try_from(options.pollers).unwrap_or(2).max(2),
            poll: Duration::from_millis(options.poll_ms),
        };
        for (number, host) in (0..).zip(&targets.workers) {
            let program = worker(shared.clone(), number, targets.servers.clone(), workload.clone(), settings);
            world.add(host.clone(), None, program);
        }
        let losses_allowed = options.may_lose() && !targets.databases.is_empty();
        let program =
            clients(shared.clone(), targets.servers.clone(), workload.clone(), decisions.clone(), losses_allowed);
        world.add(Host::client(), None, program);
        add_database(world, &shared, &targets, &disks, replication(&options));

        for host in targets.all() {
            world.start(&host);
        }
        let crashable_hosts = targets.crashable_hosts();
        Phases {
            world,
            nemesis: Nemesis::new(plan.clone(), &targets.spares),
            shared,
            options,
            plan,
            workload,
            decisions,
            targets,
            disks,
            crashable_hosts,
            open: OpenRuns::default(),
            watch,
            phases: Vec::new(),
            deadline: Duration::ZERO,
            settled: Duration::ZERO,
            all_arrived: None,
        }
    }

    fn begin(&mut self, phase: usize) {
        self.watch.phase.store(phase, Ordering::Relaxed);
        let now = ms(self.world.now());
        if let Some(last) = self.phases.last_mut() {
            last.to_ms = now;
        }
        self.phases.push(Phase { name: PHASES[phase].to_owned(), from_ms: now, to_ms: now });
    }

    fn show(&self) {
        self.watch.virtual_ms.store(ms(self.world.now()), Ordering::Relaxed);
        self.watch.faults.store(self.nemesis.faults_begun() as u64, Ordering::Relaxed);
        self.watch.commits.store(self.shared.commits.len() as u64, Ordering::Relaxed);
        self.watch.open.store(self.open.open.len() as u64, Ordering::Relaxed);
    }

    /// Lets time pass until `until`, with the nemesis at work. False if no host is left at all.
    fn live(&mut self, until: Duration) -> bool {
        loop {
            self.nemesis.act(self.world, &self.crashable_hosts);
            self.show();
            let next = self.nemesis.next_at().map_or(until, |at| at.min(until));
            if self.world.now() >= until {
                return true;
            }
            let pause = self.world.advance(next);
            self.strike_down();
            match pause {
                Pause::Deadline | Pause::Attention => {}
                Pause::SchedulingPoint => self.crash_here(),
                // Everybody waits for everybody: time passes all the same, and the nemesis may have plans.
                Pause::Stuck if self.world.now() >= next => {}
                Pause::Stuck => return false,
            }
            if self.over_early() {
                return true;
            }
        }
    }

    /// The deaths that aimed strikes ask for.
    fn strike_down(&mut self) {
        for (host, doing) in self.shared.aims.dying() {
            if self.world.state(&host) == HostState::Running {
                let down = self.shared.aims.down(self.nemesis.faults_begun() as u64);
                self.nemesis.strike_down(&host, &doing, down, self.world);
            }
        }
    }

    /// Scenarios that are done before the storm ends need not sit it out.
    fn over_early(&mut self) -> bool {
        let settled = self.world.now() >= self.settled;
        let open = self.open.look(&self.shared, &self.workload.may_stay_open());
        if !settled || !self.shared.clients_done() || !open.is_empty() {
            // What is sent from now on counts, too.
            self.all_arrived = None;
            return false;
        }
        let arrived = |sent_ns| Duration::from_nanos(sent_ns) + DUPLICATES_ARRIVE;
        let all_arrived = || self.shared.duplicates.last_ns().map_or(Duration::ZERO, arrived);
        self.world.now() >= *self.all_arrived.get_or_insert_with(all_arrived)
    }

    /// The crash of a crash-point sweep.
    fn crash_here(&mut self) {
        let index = usize::try_from(self.options.crash_host).unwrap_or(0) % self.crashable_hosts.len();
        let host = self.crashable_hosts[index].clone();
        self.nemesis.crash_now(&host, DOWN_AFTER_CRASH_POINT, self.world);
    }

    fn warm_up_and_storm(&mut self) {
        self.begin(0);
        if self.options.aimed {
            self.shared.aims.begin();
        }
        self.live(Duration::from_millis(self.options.warm_up_ms));
        self.begin(1);
        self.live(Duration::from_millis(self.options.warm_up_ms + self.options.storm_ms));
    }

    fn drain(&mut self) {
        self.begin(2);
        let crashable_hosts = [self.crashable_hosts.as_slice(), &[Host::client()]].concat();
        self.shared.aims.end();
        self.nemesis.heal(self.world, &crashable_hosts);
        for host in self.targets.servers.iter().filter(|host| self.world.state(host) == HostState::Down) {
            self.shared.commits.gone(host.as_str());
        }
        self.deadline = self.world.now() + Duration::from_millis(self.options.drain_ms);
        // What a deposed primary has acknowledged may still be taken back when it hears of another.
        self.settled = self.world.now() + if self.options.may_lose() { SETTLING } else { Duration::ZERO };
        let began = self.world.now();
        while self.world.now() < self.deadline && !self.over_early() {
            let look_again = LOOK_AGAIN.max((self.world.now() - began) / LOOKS_MAX);
            let next = (self.world.now() + look_again).min(self.deadline);
            if !self.live(next) {
                break;
            }
        }
    }

    fn verify(mut self) -> Recorded {
        self.begin(3);
        // What comes now is the harness's own reading: no host dies of it.
        self.world.stop_at_scheduling_point(None);
        let scheduling_points = self.world.scheduling_points();
        let clients_done = self.shared.clients_done();
        let waited_for = self.shared.waiting.list();
        self.open.look(&self.shared, &[]);
        let runs: Vec<RunKey> = self.open.known.values().cloned().collect();
        let (name, runs) = (Host("verifier".to_owned()), Arc::new(move || runs.clone()));
        self.world.add(name.clone(), None, verifier(self.shared.clone(), self.targets.servers.clone(), runs));
        self.world.start(&name);
        self.wait_until(|shared| shared.inspection().served_done, "the server to serve all histories");

        // The last power cut: what is there after it is what was durable.
        for host in self.crashable_hosts.clone() {
            if self.world.state(&host) != HostState::Down {
                self.world.crash(&host);
            }
        }
        let disks = self.surviving_disks();
        disks.iter().for_each(SimDisk::restore_power);
        let name = Host("inspector".to_owned());
        let is_shared = !self.targets.databases.is_empty();
        self.world.add(name.clone(), None, inspector(self.shared.clone(), disks, is_shared));
        self.world.start(&name);
        self.wait_until(|shared| shared.inspection().stored_done, "the database to be read");

        let now = self.world.now();
        if let Some(last) = self.phases.last_mut() {
            last.to_ms = ms(now);
        }
        self.show();
        Recorded {
            timeline: self.timeline(),
            phases: self.phases,
            inspection: self.shared.inspection(),
            faults: self.nemesis.faults_begun() as u64,
            clock_slack_ns: clock_slack_ns(&self.plan, &self.targets.servers),
            deadline_ns: u64::try_from(self.deadline.as_nanos()).unwrap_or(u64::MAX),
            settled_from_ns: settled_from_ns(&self.plan, &self.options),
            waited_for,
            clients_done,
            promotions: self.shared.promotions(),
            ended_ns: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
            scheduling_points,
        }
    }

    /// The machine of one database node burns in the end: what was acknowledged is on a majority of disks.
    fn surviving_disks(&self) -> Vec<SimDisk> {
        let mut disks: Vec<SimDisk> = self.disks.values().cloned().collect();
        // Unless it is acknowledged when the primary alone has it.
        if disks.len() > 1 && !self.options.asynchronous {
            let burned = self.decisions.below("verify.burned-disk", 0, disks.len() as u64);
            disks.remove(usize::try_from(burned).unwrap_or(0));
        }
        disks
    }

    /// What the nemesis did, and what others did by themselves, in order.
    fn timeline(&self) -> Vec<TimelineEntry> {
        let mut timeline: Vec<TimelineEntry> =
            self.nemesis.timeline().iter().cloned().chain(self.shared.news()).chain(self.shared.aims.told()).collect();
        timeline.sort_by_key(|entry| entry.at_ms);
        timeline
    }

    fn wait_until(&mut self, done: impl Fn(&Shared) -> bool, what: &str) {
        let deadline = self.world.now() + VERIFY_MAX;
        while !done(&self.shared) {
            if self.world.now() >= deadline || self.world.advance(deadline) == Pause::Stuck {
                if !done(&self.shared) {
                    self.shared.report_problem(format!("waited in vain for {what}"));
                }
                return;
            }
        }
    }
}

/// Where the nodes of a cluster call each other.
const PEER_PORT: u16 = 7234;

/// What follows from the options for a server.
fn configuration(options: &WorldOptions, host: &Host, number: u64) -> Arc<dyn Fn() -> NodeConfig + Send + Sync> {
    let shards = u32::try_from(options.shards).unwrap_or(1).max(1);
    let (nodes, roles, host) = (options.nodes, options.roles.of(number), host.clone());
    let poll = Duration::from_millis(options.poll_ms);
    let cached_runs = usize::try_from(options.cached_runs).unwrap_or(usize::MAX).max(1);
    Arc::new(move || {
        let mut config = NodeConfig::new(format!("{host}:{}", crate::worker::PORT), shards);
        config.frontend.task_long_poll = poll;
        if cached_runs < config.history.executions_cached_max {
            config.history.executions_cached_max = cached_runs;
            config.history.recent_events_bytes_max = 1;
        }
        if nodes > 1 {
            let mut cluster = ClusterConfig::new(host.as_str(), format!("{host}:{PEER_PORT}"));
            cluster.roles.clone_from(&roles);
            config.cluster = Some(cluster);
        }
        config
    })
}

/// From then on all nodes of an undisturbed cluster know of each other, and a lone one serves.
const ALL_HAVE_COME: Duration = Duration::from_secs(10);
const ONE_HAS_COME: Duration = Duration::from_secs(2);

/// Clocks and calls may be disturbed, those between servers too, and no shard changes hands.
fn settled_from_ns(plan: &FaultPlan, options: &WorldOptions) -> Option<u64> {
    let harmless = |fault: &Fault| matches!(fault.family(), Family::Clock | Family::Rpc);
    let undisturbed = options.crash_at_scheduling_point == 0 && plan.0.iter().all(|planned| harmless(&planned.fault));
    let settled = if options.nodes > 1 { ALL_HAVE_COME } else { ONE_HAS_COME };
    undisturbed.then(|| u64::try_from(settled.as_nanos()).unwrap_or(u64::MAX))
}

/// How the shared database replicates.
fn replication(options: &WorldOptions) -> Replication {
    let lag = Duration::from_millis(options.lag_ms);
    match options {
        WorldOptions { asynchronous: true, fenced, .. } => Replication::Asynchronous { lag, fenced: *fenced },
        WorldOptions { named_standby: true, .. } => Replication::NamedStandby { lag },
        _ => Replication::Quorum,
    }
}

/// The shared database's hosts, if there is one.
fn add_database(
    world: &mut dyn World,
    shared: &Shared,
    targets: &Targets,
    disks: &BTreeMap<Host, SimDisk>,
    replication: Replication,
) {
    for host in &targets.databases {
        let replica = Replica {
            own: host.clone(),
            others: targets.databases.iter().filter(|other| *other != host).cloned().collect(),
            monitor: targets.monitors[0].clone(),
            replication,
        };
        let disk = disks[host].clone();
        world.add(host.clone(), Some(disk.clone()), database(shared.clone(), inside::network(), disk, replica));
    }
    for host in &targets.monitors {
        world.add(host.clone(), None, monitor(shared.clone(), inside::network(), targets.databases.len(), replication));
    }
}

/// By how much clock faults may have moved a server's clock forwards, at most: a shard moves from one to the other, and
/// its time never goes back.
fn clock_slack_ns(plan: &FaultPlan, servers: &[Host]) -> u64 {
    let of = |fault: &Fault| match fault {
        Fault::ClockJump(jump) if servers.contains(&jump.host) => jump.by_ms.unsigned_abs() * 1_000_000,
        Fault::ClockSkew(skew) if servers.contains(&skew.host) => {
            // Set and set back: the offset counts twice at most, the rate for as long as it lasts.
            2 * skew.offset_ms.unsigned_abs() * 1_000_000 + skew.rate_ppm.unsigned_abs() * skew.for_ms
        }
        _ => 0,
    };
    plan.0.iter().map(|planned| of(&planned.fault)).sum()
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Follows the commit feed: which runs there are, which are open.
#[derive(Default)]
struct OpenRuns {
    seen: usize,
    /// What was followed may have become lost since.
    timeline: Timeline,
    known: BTreeMap<String, RunKey>,
    open: BTreeSet<String>,
    /// Commits in doubt, by shard and sequence: later commits tell whether they were applied. Of several for one place the
    /// highest owner's: had an earlier one's been applied, the later owner would have found that place taken.
    in_doubt: BTreeMap<(ShardId, u64), Commit>,
    /// Whose commit certainly has a place.
    taken: BTreeMap<(ShardId, u64), RangeId>,
}

impl OpenRuns {
    /// Runs that are open now and should not be.
    fn look(&mut self, shared: &Shared, may_stay_open: &[String]) -> Vec<String> {
        let timeline = shared.commits.timeline();
        if timeline != self.timeline {
            let known = std::mem::take(&mut self.known);
            *self = OpenRuns { timeline, known, ..OpenRuns::default() };
        }
        for commit in shared.commits.settled_after(&mut self.seen) {
            self.follow(commit);
        }
        let counts = |run: &&String| {
            let key = &self.known[*run];
            !may_stay_open.iter().any(|id| id == key.workflow_id.as_str())
        };
        self.open.iter().filter(counts).cloned().collect()
    }

    fn follow(&mut self, commit: Commit) {
        if !commit.may_be_durable() {
            return;
        }
        for key in &commit.keys {
            self.known.insert(key.run_id.0.clone(), key.clone());
        }
        let place = (commit.shard, commit.sequence);
        if commit.is_committed() {
            self.taken.insert(place, commit.range_id);
            self.in_doubt.remove(&place);
        } else if !self.taken.contains_key(&place)
            && self.in_doubt.get(&place).is_none_or(|other| other.range_id <= commit.range_id)
        {
            self.in_doubt.insert(place, commit.clone());
        }
        // Places are taken without gaps: what lies before the last one that certainly is, was applied.
        let last = self.taken.range(..=(commit.shard, u64::MAX)).next_back().map(|(place, _)| *place);
        let Some(last) = last.filter(|(shard, _)| *shard == commit.shard) else { return };
        let settled: Vec<(ShardId, u64)> = self.in_doubt.range((last.0, 0)..last).map(|(place, _)| *place).collect();
        for place in settled {
            let in_doubt = self.in_doubt.remove(&place).expect("it was there just now");
            self.taken.insert(place, in_doubt.range_id);
            self.apply(&in_doubt);
        }
        if commit.is_committed() {
            self.apply(&commit);
        }
    }

    fn apply(&mut self, commit: &Commit) {
        for batch in &commit.batches {
            for event in batch.events() {
                if event.event_type() == EventType::WorkflowExecutionStarted {
                    self.open.insert(batch.tree.clone());
                } else if events::is_close(&event) {
                    self.open.remove(&batch.tree);
                }
            }
        }
    }
}
