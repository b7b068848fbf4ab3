//! What must hold of any queueing system, and of this one: no figure of a machine is in here.

use super::*;
use crate::Workload;
use std::time::Duration;

const NOTHING: &[(&str, f64)] = &[];

fn costs(us: &[(&str, f64)]) -> Costs {
    let of = |name: &str| us.iter().find(|(known, _)| *known == name).map_or(0.0, |(_, us)| *us);
    Costs::new(|_, name| (of(name), "a test".to_owned()))
}

fn one_node() -> Setting {
    Setting {
        workload: Workload::named("plain").unwrap(),
        shards: 16,
        nodes: 1,
        cores: 4,
        database_cores: 4,
        place: Place::Apart,
        store: StoreKind::Embedded,
        clients: 64,
        task_queues: 4,
        network: 200_000,
        fsync: 300_000,
    }
}

fn cluster() -> Setting {
    Setting { nodes: 5, store: StoreKind::Shared { lanes: 4 }, clients: 500, shards: 64, ..one_node() }
}

fn run(setting: &Setting, us: &[(&str, f64)]) -> Outcome {
    simulate(setting, &costs(us), 7, 500, 4_000)
}

fn is_near(value: f64, expected: f64, share: f64) -> bool {
    (value / expected - 1.0).abs() <= share
}

/// Everything waits for this one thing: the rate is what it can do, and no other rate is possible.
fn check_limit(setting: &Setting, us: &[(&str, f64)], resource: Resource, per_second: f64) {
    let outcome = run(setting, us);
    assert!(outcome.throughput <= per_second * 1.001, "{resource:?}: {outcome:?} is beyond {per_second}");
    assert!(is_near(outcome.throughput, per_second, 0.03), "{resource:?}: {outcome:?} is far from {per_second}");
    assert_eq!(outcome.limit(), Some(resource), "{outcome:?}");
}

#[test]
fn one_saturated_resource_bounds_the_rate_by_its_cost() {
    let free = Setting { network: 0, fsync: 0, ..one_node() };
    // Seven commits of a workflow pass the one actor.
    let one_shard = Setting { shards: 1, cores: 64, ..free.clone() };
    check_limit(&one_shard, &[("actor", 100.0)], Resource::Actor, 1e6 / 700.0);
    // Eight calls share four cores; a poll's answer is one of its two halves.
    check_limit(&free, &[("call_cpu", 100.0)], Resource::Cpu, 4.0 * 1e6 / 800.0);
    // Three tasks of a workflow pass the one partition.
    let one_queue = Setting { task_queues: 1, cores: 64, ..free.clone() };
    check_limit(&one_queue, &[("matching", 100.0)], Resource::Matching, 1e6 / 300.0);
    // The writer takes one commit after the other, each in its turn.
    check_limit(&free, &[("writer_commit", 100.0)], Resource::Writer, 1e6 / 700.0);
}

#[test]
fn a_workflow_alone_waits_for_each_of_its_flushes() {
    let alone = Setting { shards: 1, clients: 1, network: 0, ..one_node() };
    let outcome = run(&alone, NOTHING);
    let flushes = f64::from(alone.workload.commits()) * 0.3;
    assert!(is_near(outcome.p50, flushes, 0.001), "{outcome:?}");
    assert_eq!((outcome.commits, outcome.commits_per_batch), (7.0, 1.0));
    // Many workflows share each flush.
    let many = run(&Setting { clients: 64, ..alone.clone() }, NOTHING);
    assert!(many.commits_per_batch > 16.0 && many.p50 < 2.5 * flushes, "{many:?}");
}

#[test]
fn littles_law_holds() {
    let all = [("call_cpu", 90.0), ("hop_cpu", 60.0), ("actor", 30.0), ("matching", 12.0), ("wake_cpu", 20.0)];
    for setting in [one_node(), cluster(), Setting { clients: 3, ..one_node() }] {
        let outcome = run(&setting, &[&all[..], &[("writer_commit", 20.0), ("database_commit", 20.0)]].concat());
        let under_way = outcome.throughput * outcome.mean / 1e3;
        assert!(is_near(under_way, setting.clients as f64, 0.03), "{under_way} of {}: {outcome:?}", setting.clients);
    }
}

#[test]
fn the_same_seed_gives_the_same_figures_and_another_one_others() {
    let all = [("call_cpu", 90.0), ("hop_cpu", 60.0), ("actor", 30.0), ("database_commit", 20.0)];
    let of = |seed| simulate(&cluster(), &costs(&all), seed, 500, 2_000);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn more_shards_than_nodes_are_needed_to_use_all_nodes() {
    let busy = [("call_cpu", 20.0), ("actor", 150.0)];
    let rate = |shards| run(&Setting { shards, ..cluster() }, &busy).throughput;
    let rates = [1, 4, 16, 64].map(rate);
    assert!(rates.is_sorted(), "{rates:?}");
    assert!(rates[3] > 8.0 * rates[0], "{rates:?}");
}

#[test]
fn ended_tasks_travel_with_commits_where_shards_have_any() {
    // Of few shards each has a commit within the delay; of many hardly any has, and deletions get commits of their own.
    let commits = |shards| run(&Setting { shards, clients: 8, ..one_node() }, &[("call_cpu", 500.0)]).commits;
    let (few, many) = (commits(1), commits(4_096));
    assert!(is_near(few, 7.0, 0.01) && many > 7.5, "{few} {many}");
}

#[test]
fn a_plan_gives_a_point_for_each_load_and_the_cost_of_each_choice() {
    let workload = Workload::named("bare").unwrap();
    let plan = Plan { counts: vec![1, 8], nodes: 2, workload, clients: vec![4, 32], task_queues: 1, repetitions: 2 };
    let model = ModelPlan {
        costs: Costs::default(),
        cores: 2,
        database_cores: 2,
        network: Duration::from_micros(100),
        store_latency: Some(Duration::from_millis(2)),
        seed: 1,
        workflows: 300,
    };
    let mut said = Vec::new();
    let bench = super::run(&plan, &model, &mut |line| said.push(line)).unwrap();
    assert_eq!((bench.points.len(), bench.choices.len(), bench.mode), (4, 2, BenchMode::Modelled));
    assert_eq!(bench.store_latency_ms, Some(2.0));
    let latencies: Vec<f64> = bench.needed.iter().map(|row| row.store_latency_ms).collect();
    assert_eq!(latencies, [0.1, 0.3, 1.0, 2.0, 3.0, 10.0]);
    assert!(bench.choices.iter().any(|choice| choice.share_of_best == 1.0));
    let best = bench.best(8).unwrap();
    assert_eq!((best.clients, best.throughput.repetitions), (32, 2));
    assert!(best.throughput.low <= best.throughput.mean && best.throughput.mean <= best.throughput.high);
    let refused = super::run(&Plan { counts: vec![8, 1], ..plan }, &model, &mut |_| panic!("nothing runs"));
    assert!(refused.is_err());
}
