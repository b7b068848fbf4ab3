//! The page of a bench by shard count.
use crate::wellformed::check_page;
use std::collections::BTreeMap;
use tempest_artifact::{
    BenchMode, BenchPoint, ChoiceCost, Estimate, Prediction, Resource, SHARD_BENCH_VERSION, ShardBench, ShardsNeeded,
    StatedCost,
};
use tempest_reports::shards_page;

const COUNTS: [u32; 4] = [1, 4, 16, 64];
const CLIENTS: [u32; 3] = [1, 16, 128];

fn estimate(mean: f64) -> Estimate {
    Estimate { mean, low: mean - 1.0, high: mean + 1.0, repetitions: 3 }
}

/// Grows with shards up to sixteen, and with clients.
fn rate(shards: u32, clients: u32) -> f64 {
    (f64::from(shards.min(16)) * 100.0).min(f64::from(clients) * 50.0)
}

fn point(shards: u32, clients: u32) -> BenchPoint {
    BenchPoint {
        shards,
        clients,
        throughput: estimate(rate(shards, clients)),
        p50_ms: estimate(f64::from(clients) * 1000.0 / rate(shards, clients)),
        p95_ms: estimate(30.0),
        p99_ms: estimate(40.0),
        busy: BTreeMap::from([(Resource::Actor, 0.97 / f64::from(shards)), (Resource::Cpu, 0.4)]),
        limit: (shards == 1 && clients == 128).then_some(Resource::Actor),
        actor_us: 250.0,
        server_cpu_ms: 1.25,
        commits: 8.0,
        commits_per_batch: 12.0,
        failed_calls: 0,
        database_waits: BTreeMap::from([("IO:WALSync".to_owned(), 0.8)]),
    }
}

fn bench(mode: BenchMode) -> ShardBench {
    let pairs = || COUNTS.into_iter().flat_map(|shards| CLIENTS.into_iter().map(move |clients| (shards, clients)));
    let predicted = |(shards, clients)| Prediction {
        shards,
        clients,
        throughput: rate(shards, clients) + rate(shards, clients) / 10.0,
        p50_ms: 12.0,
        p99_ms: 30.0,
        limit: None,
        fitted: shards == 16,
    };
    let choice = |shards| ChoiceCost {
        shards,
        share_of_best: rate(shards, 128) / 1600.0,
        p99_ms: 40.0,
        commits: 8.0,
        acquire_ms: f64::from(shards),
    };
    let needed = |store_latency_ms| ShardsNeeded {
        store_latency_ms,
        capacity: COUNTS.map(|shards| rate(shards, 128)).to_vec(),
        limits: vec![Some(Resource::Actor), Some(Resource::Actor), Some(Resource::Cpu), Some(Resource::Cpu)],
    };
    let is_real = mode == BenchMode::Real;
    ShardBench {
        version: SHARD_BENCH_VERSION,
        mode,
        workload: "plain".into(),
        workload_about: "a workflow of one activity".into(),
        place: "A <machine> & its disk".into(),
        method: "3 repetitions".into(),
        nodes: 1,
        cores: 2,
        counts: COUNTS.to_vec(),
        store_latency_ms: Some(0.3),
        costs: vec![StatedCost {
            name: "actor".into(),
            about: "a commit".into(),
            value: 31.25,
            unit: "us".into(),
            source: "a test".into(),
        }],
        points: pairs().map(|(shards, clients)| point(shards, clients)).collect(),
        predictions: if is_real { pairs().map(predicted).collect() } else { Vec::new() },
        needed: if is_real { Vec::new() } else { vec![needed(0.3), needed(3.0)] },
        choices: COUNTS.map(choice).to_vec(),
    }
}

#[test]
fn both_modes_have_a_whole_page_that_says_which_one_it_is() {
    let (real, modelled) = (shards_page(&bench(BenchMode::Real)), shards_page(&bench(BenchMode::Modelled)));
    for page in [&real, &modelled] {
        check_page(page);
        assert_eq!(page.matches("<svg class=\"chart\"").count(), 4);
        assert!(page.contains("A &lt;machine&gt; &amp; its disk"));
    }
    assert!(real.contains(">measured<") && !real.contains("modelled, not measured"));
    assert!(modelled.contains("modelled, not measured") && !modelled.contains(">measured<"));
}

#[test]
fn the_page_answers_an_operator() {
    let page = shards_page(&bench(BenchMode::Modelled));
    assert!(page.contains("At most 1\u{2009}600 workflows per second, with 64 shards"), "the verdict");
    assert!(page.contains("16 shards reach 100 % of the best; 1 shard would give 6 %; 64 shards give 100 %."));
    // 300 workflows a second need four shards, 1 000 sixteen, and 3 000 are not reached.
    let row = page.split("<td>0.3 ms</td>").nth(1).expect("the table").split("</tr>").next().expect("a row");
    let cells: Vec<&str> = row.split("<td class=\"n\">").skip(1).collect();
    let starts = ["<b>1</b>", "<b>4</b>", "<b>16</b>", "<span class=\"about\">CPU</span>", "1\u{2009}600 / s"];
    assert!(cells.iter().zip(starts).all(|(cell, start)| cell.starts_with(start)), "{cells:?}");
}

#[test]
fn the_model_is_held_against_the_measurement() {
    let page = shards_page(&bench(BenchMode::Real));
    assert!(page.contains("throughput is predicted with an error of 10 % in the median and of 10 % at worst"));
    assert_eq!(page.matches(">fitted here<").count(), CLIENTS.len());
}

#[test]
fn a_bench_without_points_has_a_page_all_the_same() {
    let nothing = ShardBench { points: vec![], predictions: vec![], choices: vec![], ..bench(BenchMode::Real) };
    check_page(&shards_page(&nothing));
}

#[test]
fn a_bench_is_read_as_it_was_written() {
    let written = bench(BenchMode::Real);
    let text = serde_json::to_string(&written).expect("plain data");
    assert_eq!(ShardBench::from_json(&text), Ok(written));
    let other = ShardBench::from_json("{\"version\": 99}");
    assert_eq!(other, Err("it has version 99, and this tempest reads 1".to_owned()));
    assert!(ShardBench::from_json("{}").is_err() && ShardBench::from_json("[").is_err());
}
