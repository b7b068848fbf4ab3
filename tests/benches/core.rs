//! Transitions of the core per second: `decide` alone, nothing stored, nothing sent.
//!
//! A life is what most runs are: start, workflow task, one activity, workflow task, close. Beside it one signal to a run
//! with few and with many pending activities: what a decision costs must not grow with what it does not touch.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by a panic")]

#[path = "life.rs"]
mod life;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use life::{Run, TRANSITIONS_OF_A_LIFE, life, schedule};
use std::hint::black_box;
use tempest_core::{Input, decide};
use temporalio_protos::temporal::api::workflowservice::v1 as api;

fn lives(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("core");
    group.throughput(Throughput::Elements(TRANSITIONS_OF_A_LIFE));
    group.bench_function("life", |bencher| bencher.iter(|| black_box(life())));
    group.finish();
}

fn signals(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("core/signal with pending activities");
    group.throughput(Throughput::Elements(1));
    for pending in [0, 10, 100, 1000] {
        let mut run = Run::new();
        run.start();
        run.workflow_task((0..pending).map(|number| schedule(format!("activity-{number}"))).collect());
        group.bench_function(BenchmarkId::from_parameter(pending), |bencher| {
            bencher.iter(|| {
                let signal = api::SignalWorkflowExecutionRequest { signal_name: "amend".into(), ..Default::default() };
                let transition = decide(run.state.as_ref(), Input::Signal(Box::new(signal)), &run.context);
                black_box(transition.unwrap())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, lives, signals);
criterion_main!(benches);
