//! One seed is one universe, in every process.
#![cfg(lockstep_supported)]

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use support::{alone, in_processes, in_simulation, report};
use tempest_lockstep::net::{self, Listener};
use tempest_lockstep::{Options, Ratio, RunEnd, Simulation, quiet, simulate, trace};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What the clients of a storm have heard: a storm in which no client is answered shows nothing.
static ANSWERS: AtomicU64 = AtomicU64::new(0);

const SECOND: Duration = Duration::from_secs(1);

async fn serve() {
    let mut listener = Listener::bind(7).expect("the port is free");
    let seen = Arc::new(Mutex::new(HashMap::new()));
    while let Ok(mut stream) = listener.accept().await {
        let seen = seen.clone();
        tokio::spawn(async move {
            while let Ok(number) = stream.read_u64().await {
                let seen = seen.clone();
                // Iterates over a hash map: its order is the keys', which are the seed's.
                let answer = tokio::task::spawn_blocking(move || {
                    let mut seen = seen.lock().expect("not poisoned");
                    let sum = seen.entry(number % 23).or_insert(0u64);
                    *sum = sum.wrapping_add(number);
                    seen.values().fold(0u64, |sum, value| sum.rotate_left(5) ^ value)
                });
                if stream.write_u64(answer.await.expect("it only adds up")).await.is_err() {
                    break;
                }
            }
        });
    }
}

async fn ask() {
    let client = tempest_lockstep::host_name().expect("on a host");
    for round in 0.. {
        let attempt = async {
            let mut stream = net::connect("server", 7).await?;
            for _ in 0..20 {
                let number = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), round);
                stream.write_u64(number).await?;
                let answer = stream.read_u64().await?;
                ANSWERS.fetch_add(1, Ordering::SeqCst);
                trace::record_text(&client, &format!("{number} {answer} {:?}", std::time::SystemTime::now()));
                tokio::time::sleep(Duration::from_millis(answer % 50)).await;
            }
            std::io::Result::Ok(())
        };
        let _ = tokio::time::timeout(SECOND * 3, attempt).await;
    }
}

/// Threads that have nothing to do with tokio.
fn crunch() {
    for round in 0..25u64 {
        let (send, receive) = mpsc::sync_channel(1);
        let threads: Vec<_> = (0..3u64)
            .map(|thread| {
                let send = send.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(thread * round % 7));
                    (0..3).for_each(|step| send.send(thread * 10 + step).expect("somebody receives"));
                })
            })
            .collect();
        drop(send);
        trace::record_text("crunch", &format!("{:?}", receive.iter().collect::<Vec<_>>()));
        threads.into_iter().for_each(|thread| thread.join().expect("it only sent"));
    }
}

/// A storm on four hosts, one of them with a multi-threaded runtime.
fn storm(sim: &mut Simulation) {
    let [server, one, other, machine] = ["server", "one", "other", "machine"].map(|name| sim.add_host(name));
    let boot = |sim: &mut Simulation| {
        sim.start(server, || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime").block_on(serve());
        });
    };
    boot(sim);
    sim.start_async(one, ask);
    sim.start_async(other, ask);
    sim.start(machine, crunch);
    for _ in 0..3 {
        sim.run_for(SECOND);
        sim.pause(one);
        sim.partition(&[server], &[other]);
        sim.run_for(SECOND);
        sim.resume(one);
        sim.heal();
        sim.set_clock(other, 5_000_000_000, 2_000);
        sim.run_for(SECOND);
        sim.reset(one, server);
        sim.clog(server, one);
        sim.run_for(SECOND);
        sim.unclog(server, one);
        sim.crash(server);
        sim.run_for(SECOND);
        boot(sim);
    }
    assert_eq!(sim.run_for(SECOND * 10), RunEnd::Deadline);
}

fn fingerprint(sim: &Simulation) -> String {
    let answers = ANSWERS.load(Ordering::SeqCst);
    assert!(answers > 200, "{answers}");
    format!("{} {:016x} {} {:?}", sim.trace_hash(), sim.schedule_fingerprint(), sim.scheduling_points(), sim.now())
}

/// `seed`, and words that change options or the run.
fn run_storm(case: &str) {
    let mut words = case.split(' ');
    let seed = words.next().and_then(|seed| seed.parse().ok()).expect("a seed");
    let mut options = Options { preemption: Ratio::new(1, 10), ..Options::default() };
    let file = std::env::temp_dir().join(format!("lockstep-trace-{}", std::process::id()));
    for word in words {
        match word {
            "pinned" => options.pin_to_core = first_core(),
            "traced" => {
                options.trace_file = Some(file.clone());
                options.trace_scheduling_points = true;
            }
            other => panic!("{other}"),
        }
    }
    let traced = options.trace_file.is_some();
    let told = simulate(seed, options, |sim| {
        storm(sim);
        fingerprint(sim)
    });
    report(told.expect("a simulation begins"));
    if traced {
        let lines = std::fs::read_to_string(&file).expect("it was written");
        assert!(lines.contains("crunch: ") && lines.contains("turn: (thread"), "{lines}");
        std::fs::remove_file(file).expect("it is ours");
    }
}

/// A core that this process may run on.
fn first_core() -> Option<usize> {
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    unsafe { libc::sched_getaffinity(0, size_of_val(&set), &mut set) };
    (0..libc::CPU_SETSIZE as usize).find(|core| unsafe { libc::CPU_ISSET(*core, &set) })
}

#[test]
fn one_seed_is_one_run_in_twenty_processes_pinned_or_not() {
    let cases: Vec<&str> = (0..20).map(|process| if process % 2 == 0 { "5" } else { "5 pinned" }).collect();
    let runs = in_processes("one_seed_is_one_run_in_twenty_processes_pinned_or_not", &cases, run_storm);
    assert!(runs.iter().all(|run| *run == runs[0] && run.len() > 80), "{runs:#?}");
}

#[test]
fn every_seed_is_another_run() {
    let seeds: Vec<String> = (100..110).map(|seed| seed.to_string()).collect();
    let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
    let runs = in_processes("every_seed_is_another_run", &seeds, run_storm);
    let distinct: std::collections::BTreeSet<&String> = runs.iter().collect();
    assert_eq!(distinct.len(), runs.len(), "{runs:#?}");
}

#[test]
fn writing_the_trace_does_not_change_the_run() {
    let runs = in_processes("writing_the_trace_does_not_change_the_run", &["9", "9 traced"], run_storm);
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn what_is_quiet_leaves_no_trace() {
    let runs = in_processes("what_is_quiet_leaves_no_trace", &["silent", "chatty"], |case| {
        let chatty = case == "chatty";
        let told = simulate(3, Options { preemption: Ratio::new(1, 2), ..Options::default() }, move |sim| {
            let host = sim.add_host("host");
            sim.start_async(host, move || async move {
                for _ in 0..100 {
                    if chatty {
                        quiet(|| {
                            let mut bytes = [0; 32];
                            unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), 32, 0) };
                            let before = Instant::now();
                            assert_eq!(before.elapsed(), Duration::ZERO, "{bytes:?}");
                        });
                    }
                    let mut bytes = [0; 8];
                    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), 8, 0) };
                    trace::record_text("step", &format!("{bytes:?} {:?}", std::time::SystemTime::now()));
                    tokio::task::spawn_blocking(|| ()).await.expect("nothing cannot fail");
                }
            });
            assert_eq!(sim.run(), RunEnd::Finished);
            format!("{} {:x}", sim.trace_hash(), sim.schedule_fingerprint())
        });
        report(told.expect("a simulation begins"));
    });
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn an_idle_day_costs_a_few_scheduling_points() {
    alone("an_idle_day_costs_a_few_scheduling_points", || {
        in_simulation(|sim| {
            let hosts: Vec<_> = (0..8).map(|host| sim.add_host(&format!("host{host}"))).collect();
            for host in hosts {
                sim.start_async(host, || async {
                    let mut minute = tokio::time::interval(SECOND * 60);
                    loop {
                        minute.tick().await;
                    }
                });
            }
            assert_eq!(sim.run_for(SECOND * 86_400), RunEnd::Deadline);
            // 8 hosts with 1440 ticks each. Some ticks take a second turn: tokio's timer counts milliseconds, and a
            // wait longer than its finest wheels is cut in pieces.
            assert!(sim.scheduling_points() < 8 * 1440 * 4, "{}", sim.scheduling_points());
        });
    });
}
