//! A workflow as the stages that it goes through, on which machines.

use super::cluster::{Cluster, PerStep, Place};

/// One thing that a workflow waits for or works at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is occupied: a network, or a machine that is not modelled.
    Wait(u64),
    /// A core of a pool.
    Core { pool: usize, cost: u64 },
    /// The actor of a shard, and a core below it.
    Actor { shard: usize, cost: u64 },
    /// The partition of a task queue, and a core below it.
    Match { queue: usize, cost: u64 },
    /// A commit of a shard, until it is durable.
    Commit { shard: usize },
    /// A transfer task of the shard has ended: its row is deleted with the next commit, or with one of its own.
    TaskEnded { shard: usize },
    /// Goes on beside the workflow, which does not wait for it.
    Beside(Vec<Stage>),
}

/// Writes the stages of one workflow down.
pub struct Program<'a> {
    cluster: &'a Cluster,
    costs: &'a PerStep,
    stages: Vec<Stage>,
}

/// Where a workflow's steps are done.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub shard: usize,
    pub queue: usize,
    /// The node whose frontend takes its calls.
    pub frontend: usize,
}

impl<'a> Program<'a> {
    pub fn workflow(cluster: &'a Cluster, costs: &'a PerStep, route: Route) -> Vec<Stage> {
        let mut program = Self { cluster, costs, stages: Vec::new() };
        let Route { frontend, shard, .. } = route;
        let history = cluster.node_of_shard(shard);
        program.load();
        program.call(route, true);
        for _ in 0..cluster.workload.dispatches() {
            program.dispatch(route);
            program.call(route, false);
        }
        // What the closed run has left to do, such as to tell its parent, or timers that nothing needs any more.
        program.stages.push(Stage::TaskEnded { shard });
        // The result goes to the client's long poll.
        program.hop(history, frontend);
        program.core(frontend, costs.call_cpu / 2);
        program.wait(cluster.network / 2);
        program.stages
    }

    /// A call that changes the run. The workflow goes on when it is durable; the answer to the caller goes beside it.
    fn call(&mut self, Route { shard, frontend, .. }: Route, is_start: bool) {
        let history = self.cluster.node_of_shard(shard);
        self.wait(self.cluster.network / 2);
        self.core(frontend, self.costs.call_cpu / 2);
        self.hop(frontend, history);
        self.commit(shard);
        let mut beside = Self { cluster: self.cluster, costs: self.costs, stages: Vec::new() };
        beside.hop(history, frontend);
        beside.core(frontend, self.costs.call_cpu / 2);
        beside.wait(self.cluster.network / 2);
        if is_start {
            // The client asks for the result, and waits for it at the shard.
            beside.load();
            beside.wait(self.cluster.network / 2);
            beside.core(frontend, self.costs.call_cpu / 2);
            beside.hop(frontend, history);
        }
        self.stages.push(Stage::Beside(beside.stages));
    }

    /// A task goes to matching, which records its start with the shard, and answers a poll.
    fn dispatch(&mut self, Route { shard, queue, frontend }: Route) {
        let (history, matching) = (self.cluster.node_of_shard(shard), self.cluster.node_of_queue(queue));
        self.hop(history, matching);
        self.stages.push(Stage::Match { queue, cost: self.costs.matching / 2 });
        self.hop(matching, history);
        self.commit(shard);
        self.hop(history, matching);
        self.stages.push(Stage::TaskEnded { shard });
        self.stages.push(Stage::Match { queue, cost: self.costs.matching / 2 });
        self.hop(matching, frontend);
        // The poll that was waiting, and the one that follows it.
        self.core(frontend, self.costs.call_cpu);
        self.wait(self.cluster.network / 2);
        self.load();
        self.load();
    }

    /// Most of an actor's work is to decide; a part follows when the commit is durable.
    fn commit(&mut self, shard: usize) {
        let decide = self.costs.actor / 4 * 3;
        self.stages.push(Stage::Actor { shard, cost: decide });
        self.stages.push(Stage::Commit { shard });
        self.stages.push(Stage::Actor { shard, cost: self.costs.actor - decide });
    }

    /// A call from node to node, or its answer: half of what both cost.
    fn hop(&mut self, from: usize, to: usize) {
        if from != to {
            self.core(from, self.costs.hop_cpu / 4);
            self.wait(self.cluster.network / 2);
            self.core(to, self.costs.hop_cpu / 4);
        }
    }

    /// What a client or a worker does for a call.
    fn load(&mut self) {
        match self.cluster.place {
            Place::Apart => self.wait(self.costs.load_call),
            Place::OneMachine => self.core(0, self.costs.load_call),
        }
    }

    fn core(&mut self, node: usize, cost: u64) {
        if cost > 0 {
            self.stages.push(Stage::Core { pool: self.cluster.pool_of_node(node), cost });
        }
    }

    fn wait(&mut self, time: u64) {
        if time > 0 {
            self.stages.push(Stage::Wait(time));
        }
    }
}
