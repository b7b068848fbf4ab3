//! How much the simulator simulates in a second of ours: workflows of `order-saga`, storm, checks and the start of a process
//! included. One seed again and again, so that two versions can be compared.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by a panic")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::process::{Command, Stdio};
use std::time::Duration;

const SEED: &str = "1";

/// Runs the seed in a process of its own, as all runs are; how many workflows it had.
fn run() -> u64 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tempest"));
    let output = command.args(["run", "order-saga", "--json", "--seed", SEED]).stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "seed {SEED} does not hold");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    report["workflows"].as_u64().unwrap()
}

fn order_saga(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulator");
    group.sample_size(10).warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_secs(30));
    group.throughput(Throughput::Elements(run()));
    group.bench_function("order-saga", |bencher| bencher.iter(run));
    group.finish();
}

criterion_group!(benches, order_saga);
criterion_main!(benches);
