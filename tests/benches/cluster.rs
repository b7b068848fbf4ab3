//! What a cluster costs and how fast it recovers, for real: three nodes over a PostgreSQL of its own, with fsync on.
//!
//! - Reads: a history a second, asked for by so many callers at a time. Each read is proven: one look into the database says
//!   whether the shard is still owned, and reads that wait together share it.
//! - Takeover: from the SIGKILL of a node to the first signal that each run of its shards takes again. It contains the
//!   silence after which a node counts as dead, five seconds.
//!
//! Not criterion: the subject is other processes. `TAKEOVERS=10 cargo bench --bench cluster`.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by a panic")]
#[path = "open_workflows.rs"]
mod open_workflows;
#[path = "../clients/server.rs"]
mod server;

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use open_workflows::{Client, read, signal, start};
use server::Server;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempest_store_postgres::testing::TestPostgres;

const SHARDS: u32 = 12;
/// Enough for each shard to have some.
const RUNS: usize = 60;
const CALLERS: [usize; 3] = [1, 10, 100];
const PAUSE: Duration = Duration::from_millis(20);
/// Of one call of a caller who then asks again.
const PATIENCE: Duration = Duration::from_secs(1);

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let asked: Option<usize> = std::env::var("TAKEOVERS").ok().and_then(|number| number.parse().ok());
    let takeovers = asked.unwrap_or(if measured { 5 } else { 1 });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(takeovers, if measured { 2_000 } else { 20 }));
}

fn file(directory: &Path, node: &str, database: &str) -> PathBuf {
    let path = directory.join(format!("{node}.toml"));
    let text = format!(
        "address = '127.0.0.1:0'\ndatabase = '{database}'\nshards = {SHARDS}\nlog_level = 'error'\n\
         [cluster]\nnode = '{node}'\naddress = '127.0.0.1:0'\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

async fn measure(takeovers: usize, reads: usize) {
    let Some(postgres) = TestPostgres::start(&[]).await else { return };
    let directory = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = ["a", "b", "c"].map(|node| file(directory.path(), node, &postgres.url())).into();
    println!("histories read a second; a proof is one shard's, and may serve several reads\n");
    println!("{:<10}  callers   reads/s   mean ms   reads a proof", "database");
    let in_memory = Server::start(&["--headless"]);
    reads_from(&in_memory, "memory", reads, || None).await;
    drop(in_memory);
    let alone = Server::start_node(&files[0]);
    reads_from(&alone, "PostgreSQL", reads, || Some(proofs(&alone))).await;
    let mut nodes = vec![Some(alone), Some(Server::start_node(&files[1])), Some(Server::start_node(&files[2]))];
    println!("\ntakeover: seconds from SIGKILL to a signal that is acknowledged, of {RUNS} runs\n");
    println!("round   at once   median of the others   slowest");
    for round in 0..takeovers {
        until_settled(&nodes).await;
        let (dies, asked) = (round % 3, (round + 1) % 3);
        let client = nodes[asked].as_ref().unwrap().client().await;
        nodes[dies].take().unwrap().kill();
        let killed = Instant::now();
        let signals = (0..RUNS as u64).map(|number| signal_again_and_again(client.clone(), number, round, killed));
        let mut seconds: Vec<f64> = join_all(signals).await;
        seconds.sort_by(f64::total_cmp);
        let late: Vec<f64> = seconds.iter().copied().filter(|seconds| *seconds > 1.0).collect();
        let median = late.get(late.len() / 2).copied().unwrap_or(0.0);
        println!("{round:>5}   {:>7}   {median:>20.2}   {:>7.2}", RUNS - late.len(), seconds[RUNS - 1]);
        nodes[dies] = Some(Server::start_node(&files[dies]));
    }
}

/// `proofs` says how many there were so far, where that can be asked.
async fn reads_from(server: &Server, database: &str, reads: usize, proofs: impl Fn() -> Option<u64>) {
    let client = server.client().await;
    join_all((0..RUNS as u64).map(|number| start(client.clone(), number))).await;
    for callers in CALLERS {
        let before = proofs();
        let began = Instant::now();
        stream::iter(0..reads)
            .for_each_concurrent(callers, |number| read(client.clone(), (number % RUNS) as u64))
            .await;
        let took = began.elapsed().as_secs_f64();
        let (per_second, mean_ms) = (reads as f64 / took, took * 1000.0 * callers as f64 / reads as f64);
        let shared = before.zip(proofs()).map(|(before, after)| reads as f64 / (after - before).max(1) as f64);
        let shared = shared.map_or_else(|| "-".to_owned(), |shared| format!("{shared:.1}"));
        println!("{database:<10}  {callers:>7}   {per_second:>7.0}   {mean_ms:>7.2}   {shared:>13}");
    }
}

fn describe(node: &Server) -> serde_json::Value {
    let peers = node.says("Node:").split_once(" at ").unwrap().1.to_owned();
    let output = server::run(&["cluster", "describe", "--address", &peers, "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn proofs(node: &Server) -> u64 {
    let described = describe(node);
    described["nodes"][0]["description"]["counters"]["ownership_proofs"].as_u64().unwrap()
}

/// Every node has shards, and each shard an owner.
async fn until_settled(nodes: &[Option<Server>]) {
    loop {
        let described = describe(nodes[0].as_ref().unwrap());
        let owners: std::collections::BTreeSet<String> =
            described["shards"].as_array().into_iter().flatten().map(|shard| shard["owner"].to_string()).collect();
        if owners.len() == 3 && !owners.contains("null") {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Signals until it is acknowledged: so many seconds after `since`.
async fn signal_again_and_again(mut client: Client, number: u64, round: usize, since: Instant) -> f64 {
    loop {
        let mut call = tonic::Request::new(signal(number, round as u64));
        call.set_timeout(PATIENCE);
        if client.signal_workflow_execution(call).await.is_ok() {
            return since.elapsed().as_secs_f64();
        }
        tokio::time::sleep(PAUSE).await;
    }
}
