//! The real server under real load for a moment: that it works, and nothing about how fast.
#![allow(clippy::unwrap_used)]
use std::time::Duration;
use tempest_artifact::{BenchMode, Resource, ShardBench};
use tempest_bench::{Costs, Database, Plan, RealPlan, Workload, real};

fn plan(counts: &[u32], workload: &str) -> Plan {
    let workload = Workload::named(workload).unwrap();
    Plan { counts: counts.to_vec(), nodes: 1, workload, clients: vec![1, 4], task_queues: 2, repetitions: 1 }
}

fn real(database: Database) -> RealPlan {
    let (warm_up, measured) = (Duration::from_millis(200), Duration::from_millis(500));
    RealPlan { database, fsync_at_least: None, warm_up, measured }
}

fn check(bench: &ShardBench, points: usize) {
    assert_eq!((bench.mode, bench.points.len(), bench.predictions.len()), (BenchMode::Real, points, points));
    for point in &bench.points {
        assert!(point.throughput.mean > 0.0 && point.p50_ms.mean > 0.0 && point.actor_us > 0.0, "{point:?}");
        assert!(point.p50_ms.mean <= point.p99_ms.mean, "{point:?}");
        assert_eq!(point.failed_calls, 0, "{point:?}");
    }
    assert_eq!(Costs::of(bench).unwrap().stated(), bench.costs, "a model takes what was stated");
}

#[test]
fn a_file_is_measured_with_its_fsyncs() {
    let bench = real::run(&plan(&[1, 3], "plain"), &real(Database::File(None)), &mut |_| {}).unwrap();
    check(&bench, 4);
    for point in &bench.points {
        assert!(point.busy[&Resource::Fsync] > 0.0 && point.commits_per_batch > 0.0, "{point:?}");
        // Seven, but for those of workflows that were not within the time measured as a whole.
        assert!((2.0..50.0).contains(&point.commits), "{point:?}");
    }
}

#[test]
fn nodes_share_a_database_and_activities_follow_each_other() {
    let plan = Plan { nodes: 2, ..plan(&[4], "chain") };
    check(&real::run(&plan, &real(Database::Memory), &mut |_| {}).unwrap(), 2);
}

#[test]
fn a_bad_plan_starts_nothing() {
    let said =
        |plan: Plan| real::run(&plan, &real(Database::Memory), &mut |_| panic!("it began")).unwrap_err().to_string();
    assert_eq!(said(plan(&[4, 1], "plain")), "--counts is not in order, 4 comes before 1: write --counts 1,4");
    let away = RealPlan { ..real(Database::Postgres("postgres://bench@127.0.0.1:1/none".to_owned())) };
    let refused = real::run(&plan(&[1], "plain"), &away, &mut |_| panic!("it began")).unwrap_err().to_string();
    assert!(refused.contains("PostgreSQL does not answer"), "{refused}");
}
