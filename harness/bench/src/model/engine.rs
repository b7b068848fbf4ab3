//! The queueing simulation: events in virtual time, and resources that are free, or busy with a queue before them.
//!
//! Pure: the same cluster, costs and seed give the same figures, whatever machine reckons them.

use super::cluster::{Cluster, PerStep, Place, StoreKind, below};
use super::outcome::{Busy, Outcome};
use super::program::{Program, Route, Stage};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// As `HistoryConfig::deletion_flush_delay` and `RedbConfig::batch_requests_max` of the server.
const DELETION_DELAY: u64 = 200_000_000;
const BATCH_COMMITS_MAX: usize = 4096;

/// A thread of the simulation, which goes on when what it waits for has ended.
type ThreadId = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A wait is over.
    Goes(ThreadId),
    /// A core has done its work.
    Worked { pool: usize, work: Work },
    /// The first round trips of a lane's transaction are over.
    Opened(usize),
    /// What was flushed is durable.
    Flushed,
    /// A lane hears that its transaction is durable.
    Durable(usize),
    /// Ended tasks of a shard have waited long enough; the number says since which commit.
    Deletes { shard: usize, commits: u64 },
}

/// What a core works at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Step(ThreadId),
    Actor { shard: usize, thread: ThreadId },
    Match { queue: usize, thread: ThreadId },
    Write(usize),
}

/// Cores with one queue before them.
struct Pool {
    cores: usize,
    free: usize,
    waiting: VecDeque<(Work, u64)>,
    busy: u64,
}

/// One thing at a time: an actor, or a partition.
#[derive(Default)]
struct Serial {
    is_busy: bool,
    waiting: VecDeque<(ThreadId, u64)>,
    busy: u64,
}

/// A writer, or a connection to the database. Commits without a thread only delete.
#[derive(Default)]
struct Lane {
    is_busy: bool,
    waiting: VecDeque<Option<ThreadId>>,
    batch: Vec<Option<ThreadId>>,
    since: u64,
    busy: u64,
}

/// A workflow, or what goes on beside one.
struct Thread {
    stages: std::vec::IntoIter<Stage>,
    /// When the workflow began, if it is one.
    began: Option<u64>,
}

#[derive(Default)]
struct ShardState {
    commits: u64,
    ended_tasks: u64,
}

pub struct Engine<'a> {
    cluster: &'a Cluster,
    costs: &'a PerStep,
    random: ChaCha12Rng,
    now: u64,
    order: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    threads: Vec<Option<Thread>>,
    vacant: Vec<ThreadId>,
    pools: Vec<Pool>,
    actors: Vec<Serial>,
    queues: Vec<Serial>,
    shards: Vec<ShardState>,
    lanes: Vec<Lane>,
    to_flush: Vec<usize>,
    flushing: Vec<usize>,
    flush_busy: u64,
    commits: u64,
    batches: u64,
    latencies: Vec<u64>,
    ended: u64,
}

impl<'a> Engine<'a> {
    /// Runs until `warm_up` workflows and then `measured` ones have ended; figures are of the latter.
    pub fn run(cluster: &'a Cluster, costs: &'a PerStep, seed: u64, warm_up: u64, measured: u64) -> Outcome {
        let mut engine = Self::new(cluster, costs, seed);
        for _ in 0..cluster.clients {
            engine.begin_workflow();
        }
        engine.until_ended(warm_up);
        let (before, began) = (engine.busy(), engine.now);
        engine.latencies.clear();
        engine.until_ended(warm_up + measured);
        let mut latencies = std::mem::take(&mut engine.latencies);
        latencies.sort_unstable();
        let elapsed = (engine.now - began).max(1);
        Outcome::new(cluster, latencies, elapsed, &engine.busy().since(&before))
    }

    fn new(cluster: &'a Cluster, costs: &'a PerStep, seed: u64) -> Self {
        let pool = |cores| Pool { cores, free: cores, waiting: VecDeque::new(), busy: 0 };
        Self {
            cluster,
            costs,
            random: ChaCha12Rng::seed_from_u64(seed),
            now: 0,
            order: 0,
            events: BinaryHeap::new(),
            threads: Vec::new(),
            vacant: Vec::new(),
            pools: cluster.pools().into_iter().map(pool).collect(),
            actors: each(cluster.shards),
            queues: each(cluster.task_queues),
            shards: each(cluster.shards),
            lanes: each(cluster.nodes * cluster.lanes_per_node()),
            to_flush: Vec::new(),
            flushing: Vec::new(),
            flush_busy: 0,
            commits: 0,
            batches: 0,
            latencies: Vec::new(),
            ended: 0,
        }
    }

    fn until_ended(&mut self, workflows: u64) {
        while self.ended < workflows
            && let Some(Reverse((at, _, event))) = self.events.pop()
        {
            self.now = at;
            self.handle(event);
        }
    }

    fn busy(&self) -> Busy {
        Busy {
            pools: self.pools.iter().map(|pool| (pool.cores, pool.busy)).collect(),
            actors: self.actors.iter().map(|actor| actor.busy).collect(),
            queues: self.queues.iter().map(|queue| queue.busy).collect(),
            lanes: self.lanes.iter().map(|lane| lane.busy).collect(),
            flush: self.flush_busy,
            commits: self.commits,
            batches: self.batches,
        }
    }

    fn at(&mut self, later: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((self.now + later, self.order, event)));
    }

    fn begin_workflow(&mut self) {
        let route = Route {
            shard: below(&mut self.random, self.cluster.shards),
            queue: below(&mut self.random, self.cluster.task_queues),
            frontend: below(&mut self.random, self.cluster.nodes),
        };
        let stages = Program::workflow(self.cluster, self.costs, route);
        self.begin(Thread { stages: stages.into_iter(), began: Some(self.now) });
    }

    fn begin(&mut self, thread: Thread) {
        let id = match self.vacant.pop() {
            Some(id) => id,
            None => {
                self.threads.push(None);
                self.threads.len() - 1
            }
        };
        self.threads[id] = Some(thread);
        self.at(0, Event::Goes(id));
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Goes(thread) => self.go_on(thread),
            Event::Worked { pool, work } => self.worked(pool, work),
            Event::Opened(lane) => self.write(lane),
            Event::Flushed => self.flushed(),
            Event::Durable(lane) => self.durable(lane),
            Event::Deletes { shard, commits } => {
                let state = &self.shards[shard];
                if state.commits == commits && state.ended_tasks > 0 {
                    self.commit(shard, None);
                }
            }
        }
    }

    /// The next stage of a thread, and those behind it that take no time.
    fn go_on(&mut self, id: ThreadId) {
        loop {
            let thread = self.threads[id].as_mut().expect("a thread that goes on has not ended");
            match thread.stages.next() {
                Some(Stage::Wait(time)) => return self.at(time, Event::Goes(id)),
                Some(Stage::Core { pool, cost }) => return self.work(pool, Work::Step(id), cost),
                Some(Stage::Actor { shard, cost }) => return self.enter_actor(shard, id, cost),
                Some(Stage::Match { queue, cost }) => return self.enter_queue(queue, id, cost),
                Some(Stage::Commit { shard }) => return self.commit(shard, Some(id)),
                Some(Stage::TaskEnded { shard }) => self.task_ended(shard),
                Some(Stage::Beside(stages)) => self.begin(Thread { stages: stages.into_iter(), began: None }),
                None => return self.end(id),
            }
        }
    }

    fn end(&mut self, id: ThreadId) {
        let thread = self.threads[id].take().expect("a thread ends once");
        self.vacant.push(id);
        if let Some(began) = thread.began {
            self.latencies.push(self.now - began);
            self.ended += 1;
            self.begin_workflow();
        }
    }

    fn work(&mut self, pool: usize, work: Work, cost: u64) {
        let cores = &mut self.pools[pool];
        if cores.free == 0 {
            return cores.waiting.push_back((work, cost));
        }
        cores.free -= 1;
        self.occupy(pool, work, cost, self.costs.wake_cpu);
    }

    /// A core works, after it has woken up. An actor's turn begins then.
    fn occupy(&mut self, pool: usize, work: Work, cost: u64, wake: u64) {
        self.pools[pool].busy += cost + wake;
        match work {
            Work::Actor { shard, .. } => self.actors[shard].busy += cost,
            Work::Match { queue, .. } => self.queues[queue].busy += cost,
            Work::Step(_) | Work::Write(_) => {}
        }
        self.at(cost + wake, Event::Worked { pool, work });
    }

    fn worked(&mut self, pool: usize, work: Work) {
        let (thread, next) = match work {
            Work::Step(thread) => (Some(thread), None),
            Work::Write(_) => (None, None),
            Work::Actor { shard, thread } => {
                let next = self.actors[shard].leave();
                (Some(thread), next.map(|(thread, cost)| (Work::Actor { shard, thread }, cost)))
            }
            Work::Match { queue, thread } => {
                let next = self.queues[queue].leave();
                (Some(thread), next.map(|(thread, cost)| (Work::Match { queue, thread }, cost)))
            }
        };
        // An actor goes on with what is in its inbox, on the core that it has.
        match next.or_else(|| self.pools[pool].waiting.pop_front()) {
            Some((next, cost)) => self.occupy(pool, next, cost, 0),
            None => self.pools[pool].free += 1,
        }
        match (work, thread) {
            (Work::Write(lane), _) => self.flush(lane),
            (_, Some(thread)) => self.go_on(thread),
            (_, None) => {}
        }
    }

    fn pool_of_shard(&self, shard: usize) -> usize {
        self.cluster.pool_of_node(self.cluster.node_of_shard(shard))
    }

    fn pool_of_queue(&self, queue: usize) -> usize {
        self.cluster.pool_of_node(self.cluster.node_of_queue(queue))
    }

    fn enter_actor(&mut self, shard: usize, thread: ThreadId, cost: u64) {
        if self.actors[shard].enters(thread, cost) {
            self.work(self.pool_of_shard(shard), Work::Actor { shard, thread }, cost);
        }
    }

    fn enter_queue(&mut self, queue: usize, thread: ThreadId, cost: u64) {
        if self.queues[queue].enters(thread, cost) {
            self.work(self.pool_of_queue(queue), Work::Match { queue, thread }, cost);
        }
    }

    fn task_ended(&mut self, shard: usize) {
        self.shards[shard].ended_tasks += 1;
        if self.shards[shard].ended_tasks == 1 {
            let commits = self.shards[shard].commits;
            self.at(DELETION_DELAY, Event::Deletes { shard, commits });
        }
    }

    fn commit(&mut self, shard: usize, thread: Option<ThreadId>) {
        self.commits += 1;
        self.shards[shard].commits += 1;
        self.shards[shard].ended_tasks = 0;
        let lane = self.cluster.lane_of_shard(shard);
        self.lanes[lane].waiting.push_back(thread);
        if !self.lanes[lane].is_busy {
            self.open(lane);
        }
    }

    /// A lane begins a transaction of all that waits.
    fn open(&mut self, lane: usize) {
        let now = self.now;
        let Lane { waiting, batch, is_busy, since, .. } = &mut self.lanes[lane];
        let size = waiting.len().min(BATCH_COMMITS_MAX);
        *batch = waiting.drain(..size).collect();
        (*is_busy, *since) = (true, now);
        self.batches += 1;
        match self.cluster.store {
            StoreKind::Embedded => self.write(lane),
            StoreKind::Shared { .. } => self.at(2 * self.round_trip(), Event::Opened(lane)),
        }
    }

    fn write(&mut self, lane: usize) {
        let cost = self.costs.batch + self.costs.commit * self.lanes[lane].batch.len() as u64;
        self.work(self.cluster.pool_of_database(), Work::Write(lane), cost);
    }

    /// The device flushes what waits for it, one flush at a time.
    fn flush(&mut self, lane: usize) {
        self.to_flush.push(lane);
        if self.flushing.is_empty() {
            self.begin_flush();
        }
    }

    fn begin_flush(&mut self) {
        self.flushing = std::mem::take(&mut self.to_flush);
        self.flush_busy += self.cluster.fsync;
        self.at(self.cluster.fsync, Event::Flushed);
    }

    fn flushed(&mut self) {
        let back = match self.cluster.store {
            StoreKind::Embedded => 0,
            StoreKind::Shared { .. } => self.round_trip(),
        };
        for lane in std::mem::take(&mut self.flushing) {
            self.at(back, Event::Durable(lane));
        }
        if !self.to_flush.is_empty() {
            self.begin_flush();
        }
    }

    fn durable(&mut self, lane: usize) {
        let now = self.now;
        let state = &mut self.lanes[lane];
        state.busy += now - state.since;
        state.is_busy = false;
        for thread in std::mem::take(&mut state.batch).into_iter().flatten() {
            self.at(0, Event::Goes(thread));
        }
        if !self.lanes[lane].waiting.is_empty() {
            self.open(lane);
        }
    }

    /// To the database: a wait, whatever the nodes share.
    fn round_trip(&self) -> u64 {
        if self.cluster.place == Place::OneMachine { 0 } else { self.cluster.network }
    }
}

fn each<T: Default>(number: usize) -> Vec<T> {
    (0..number).map(|_| T::default()).collect()
}

impl Serial {
    /// Whether it was free; otherwise the thread waits.
    fn enters(&mut self, thread: ThreadId, cost: u64) -> bool {
        if self.is_busy {
            self.waiting.push_back((thread, cost));
            return false;
        }
        self.is_busy = true;
        true
    }

    /// The thread whose turn is next, if any waits.
    fn leave(&mut self) -> Option<(ThreadId, u64)> {
        let next = self.waiting.pop_front();
        self.is_busy = next.is_some();
        next
    }
}
