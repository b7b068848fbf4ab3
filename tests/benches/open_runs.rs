//! What open runs cost: a server on a file gets more and more workflows that no worker works on. After each tenth: how many
//! starts a second, how long a signal and a read of the history take, the server's memory, the size of its file; in the
//! end, how long it takes to be there again after SIGKILL.
//!
//! Not criterion: the subject is another process. `OPEN_RUNS=100000 cargo bench --bench open_runs`.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by a panic")]
#[path = "open_workflows.rs"]
mod open_workflows;
#[path = "../clients/server.rs"]
mod server;

use futures::stream::{self, StreamExt};
use open_workflows::{read, signal, start};
use server::Server;
use std::path::Path;
use std::time::{Duration, Instant};

/// Starts under way at a time.
const UNDER_WAY: usize = 100;
/// Runs that are looked at after each tenth.
const SAMPLE: u64 = 100;

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let asked: Option<u64> = std::env::var("OPEN_RUNS").ok().and_then(|number| number.parse().ok());
    let runs = asked.unwrap_or(if measured { 10_000 } else { 100 });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(runs));
}

async fn measure(runs: u64) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tempest.db");
    let arguments = ["--headless", "--db-filename", file.to_str().unwrap()];
    let server = Server::start(&arguments);
    let client = server.client().await;
    println!("{:>9}   starts/s   signal ms   history ms   memory MiB   file MiB", "open runs");
    let tenth = runs.div_ceil(10).max(1);
    for from in (0..runs).step_by(usize::try_from(tenth).unwrap()) {
        let to = (from + tenth).min(runs);
        let began = Instant::now();
        stream::iter(from..to).for_each_concurrent(UNDER_WAY, |number| start(client.clone(), number)).await;
        let per_second = (to - from) as f64 / began.elapsed().as_secs_f64();
        // Spread over all that are there, the oldest too.
        let sample = (0..SAMPLE.min(to)).map(|number| number * to / SAMPLE.min(to));
        let (mut signals, mut reads) = (Duration::ZERO, Duration::ZERO);
        for number in sample.clone() {
            let began = Instant::now();
            client.clone().signal_workflow_execution(signal(number, to)).await.unwrap();
            signals += began.elapsed();
            let began = Instant::now();
            read(client.clone(), number).await;
            reads += began.elapsed();
        }
        let ms = |all: Duration| all.as_secs_f64() * 1000.0 / sample.clone().count() as f64;
        println!(
            "{to:>9}   {per_second:>8.0}   {:>9.2}   {:>10.2}   {:>10.1}   {:>8.1}",
            ms(signals),
            ms(reads),
            server.memory_kib() as f64 / 1024.0,
            size(&file) as f64 / f64::from(1 << 20)
        );
    }
    server.kill();
    let began = Instant::now();
    let server = Server::start(&arguments);
    let listens = began.elapsed();
    read(server.client().await, runs - 1).await;
    println!("\nafter SIGKILL it listens in {listens:.3?} and answers in {:.3?}", began.elapsed());
    println!("memory then: {:.1} MiB", server.memory_kib() as f64 / 1024.0);
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).unwrap().len()
}
