//! What a controller can do to a host, and what the host notices of it.
#![cfg(lockstep_supported)]

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use support::{ON_PURPOSE, alone, in_processes, in_simulation, report};
use tempest_lockstep::net::{self, Listener};
use tempest_lockstep::{
    HostId, HostStatus, Options, Pick, Ratio, RunEnd, Simulation, incarnation, now_ns, request_stop, simulate, trace,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SECOND: Duration = Duration::from_secs(1);

/// Counts its ticks, one a second, on a tokio runtime.
fn start_ticking(sim: &mut Simulation, host: HostId, ticks: &Arc<AtomicU64>) {
    let ticks = ticks.clone();
    sim.start_async(host, || async move {
        loop {
            tokio::time::sleep(SECOND).await;
            ticks.fetch_add(1, Ordering::SeqCst);
        }
    });
}

#[test]
fn a_paused_host_does_nothing_and_finds_time_gone_by() {
    alone("a_paused_host_does_nothing_and_finds_time_gone_by", || {
        in_simulation(|sim| {
            let (host, ticks) = (sim.add_host("host"), Arc::new(AtomicU64::new(0)));
            let longest = Arc::new(Mutex::new(Duration::ZERO));
            let (counting, watching) = (ticks.clone(), longest.clone());
            sim.start_async(host, || async move {
                let mut last = Instant::now();
                loop {
                    tokio::time::sleep(SECOND).await;
                    counting.fetch_add(1, Ordering::SeqCst);
                    let mut longest = watching.lock().expect("not poisoned");
                    *longest = longest.max(last.elapsed());
                    last = Instant::now();
                }
            });
            assert_eq!(sim.run_for(SECOND * 10 + SECOND / 2), RunEnd::Deadline);
            assert_eq!(ticks.load(Ordering::SeqCst), 10);
            sim.pause(host);
            assert_eq!(sim.status(host), HostStatus::Paused);
            sim.run_for(SECOND * 60);
            assert_eq!(sim.run_for(SECOND * 40), RunEnd::Stuck, "its only timer has gone off");
            assert_eq!(sim.now(), SECOND * 110 + SECOND / 2, "time passes nevertheless");
            assert_eq!(ticks.load(Ordering::SeqCst), 10);
            sim.resume(host);
            sim.run_for(SECOND * 2);
            assert_eq!(ticks.load(Ordering::SeqCst), 12);
            assert!(*longest.lock().expect("not poisoned") > SECOND * 100);
        });
    });
}

struct Loud(Arc<AtomicU64>);

impl Drop for Loud {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn nothing_of_a_crashed_host_runs_again_and_a_restart_is_a_new_incarnation() {
    alone("nothing_of_a_crashed_host_runs_again_and_a_restart_is_a_new_incarnation", || {
        in_simulation(|sim| {
            let (host, ticks) = (sim.add_host("host"), Arc::new(AtomicU64::new(0)));
            let dropped = Arc::new(AtomicU64::new(0));
            for round in 1..=3u64 {
                let (helper, loud) = (ticks.clone(), Loud(dropped.clone()));
                sim.start(host, move || {
                    let _loud = &loud;
                    assert_eq!(incarnation(), Some(round as u32));
                    std::thread::spawn(move || {
                        loop {
                            std::thread::sleep(SECOND);
                            helper.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime").block_on(async move {
                        let _listener = Listener::bind(7).expect("the port is free after a crash");
                        std::future::pending::<()>().await;
                    });
                });
                sim.run_for(SECOND * 5 + SECOND / 2);
                assert_eq!(sim.status(host), HostStatus::Running);
                sim.crash(host);
                assert_eq!(sim.status(host), HostStatus::Crashed);
                assert_eq!(sim.run_for(SECOND * 10), RunEnd::Finished);
                assert_eq!(ticks.load(Ordering::SeqCst), round * 5);
            }
            assert_eq!(sim.incarnation(host), 3);
            assert_eq!(dropped.load(Ordering::SeqCst), 0, "no destructor runs");
        });
    });
}

#[test]
fn a_crash_closes_the_descriptors_of_the_host() {
    alone("a_crash_closes_the_descriptors_of_the_host", || {
        in_simulation(|sim| {
            let open = || std::fs::read_dir("/proc/self/fd").expect("it is there").count();
            let (host, ticks) = (sim.add_host("host"), Arc::new(AtomicU64::new(0)));
            let before = open();
            for _ in 0..20 {
                start_ticking(sim, host, &ticks);
                sim.run_for(SECOND);
                assert!(open() > before);
                sim.crash(host);
                assert_eq!(open(), before);
            }
        });
    });
}

#[test]
fn a_panic_and_an_end_are_told_apart() {
    alone("a_panic_and_an_end_are_told_apart", || {
        in_simulation(|sim| {
            let (one, other, new) = (sim.add_host("one"), sim.add_host("other"), sim.add_host("new"));
            sim.start(one, || panic!("{ON_PURPOSE}"));
            sim.start(other, || ());
            assert_eq!(sim.run(), RunEnd::Finished);
            let statuses = [one, other, new].map(|host| sim.status(host));
            assert_eq!(statuses, [HostStatus::Panicked, HostStatus::Exited, HostStatus::New]);
            sim.start(one, || ());
            assert_eq!(sim.run(), RunEnd::Finished);
            assert_eq!(sim.status(one), HostStatus::Exited);
        });
    });
}

#[test]
fn a_skewed_clock_is_off_and_runs_at_its_own_rate() {
    alone("a_skewed_clock_is_off_and_runs_at_its_own_rate", || {
        in_simulation(|sim| {
            let (late, fast) = (sim.add_host("late"), sim.add_host("fast"));
            sim.set_clock(late, -3_600_000_000_000, 0);
            sim.set_clock(fast, 0, 500_000);
            let told = Arc::new(Mutex::new(Vec::new()));
            for host in [late, fast] {
                let told = told.clone();
                sim.start(host, move || {
                    let (wall, monotonic) = (SystemTime::now(), Instant::now());
                    std::thread::sleep(SECOND * 30);
                    told.lock().expect("not poisoned").push((wall, monotonic.elapsed(), now_ns()));
                });
            }
            assert_eq!(sim.run(), RunEnd::Finished);
            let told = told.lock().expect("not poisoned");
            let [(fast_wall, fast_span, fast_end), (late_wall, late_span, late_end)] = told[..] else {
                panic!("{told:?}")
            };
            let apart = fast_wall.duration_since(late_wall).expect("one of them is late");
            assert_eq!(apart.as_secs().next_multiple_of(10), 3_600);
            assert_eq!((fast_span.as_secs(), late_span.as_secs()), (30, 30), "by its own clock each slept 30 s");
            assert_eq!(fast_end.map(|end| end / 1_000_000_000), Some(20), "at one and a half times the speed");
            assert_eq!(late_end.map(|end| end / 1_000_000_000), Some(30));
        });
    });
}

#[test]
fn a_jump_moves_the_wall_clock_and_nothing_else() {
    alone("a_jump_moves_the_wall_clock_and_nothing_else", || {
        in_simulation(|sim| {
            let host = sim.add_host("host");
            let seen = Arc::new(Mutex::new(Vec::new()));
            let looking = seen.clone();
            sim.start_async(host, || async move {
                let (wall, start) = (SystemTime::now(), Instant::now());
                for _ in 0..3 {
                    tokio::time::sleep(SECOND).await;
                    let gone = SystemTime::now().duration_since(wall).map_or(-1, |gone| gone.as_secs() as i64);
                    looking.lock().expect("not poisoned").push((gone, start.elapsed().as_secs()));
                }
            });
            sim.run_until(SECOND * 3 / 2);
            sim.jump_clock(host, 1_000_000_000_000);
            sim.run_until(SECOND * 5 / 2);
            sim.jump_clock(host, -2_000_000_000_000);
            assert_eq!(sim.run(), RunEnd::Finished);
            assert_eq!(*seen.lock().expect("not poisoned"), [(1, 1), (1002, 2), (-1, 3)]);
        });
    });
}

/// How far two threads of a host get between each other's steps: each wakes sleepers, and yields at times.
fn interleaving(options: Options) -> String {
    simulate(7, options, |sim| {
        let host = sim.add_host("host");
        let steps = Arc::new(Mutex::new(String::new()));
        let writing = steps.clone();
        sim.start(host, move || {
            let lanes: Vec<_> = ["a", "b"]
                .into_iter()
                .map(|name| {
                    let steps = writing.clone();
                    std::thread::spawn(move || {
                        let sleepers: Vec<_> = (0..40).map(|_| std::thread::spawn(std::thread::park)).collect();
                        std::thread::sleep(SECOND);
                        for (step, sleeper) in sleepers.iter().enumerate() {
                            steps.lock().expect("not poisoned").push_str(name);
                            // Waking another thread is where a thread may lose its turn.
                            sleeper.thread().unpark();
                            if step % 10 == 9 {
                                std::thread::yield_now();
                            }
                        }
                        for sleeper in sleepers {
                            sleeper.join().expect("it only parked");
                        }
                    })
                })
                .collect();
            lanes.into_iter().for_each(|lane| lane.join().expect("it only wrote"));
        });
        assert_eq!(sim.run(), RunEnd::Finished);
        format!("{} {}", sim.scheduling_points(), steps.lock().expect("not poisoned"))
    })
    .expect("a simulation begins")
}

#[test]
fn preemption_and_picking_change_the_interleaving() {
    let test = "preemption_and_picking_change_the_interleaving";
    let cases = ["fifo", "fifo", "random", "preempt", "preempt"];
    let seen = in_processes(test, &cases, |case| {
        let (pick, preemption) = match case {
            "fifo" => (Pick::Fifo, Ratio::NEVER),
            "random" => (Pick::Random, Ratio::NEVER),
            _ => (Pick::Fifo, Ratio::new(1, 3)),
        };
        report(interleaving(Options { pick, preemption, ..Options::default() }));
    });
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[3], seen[4]);
    assert_ne!(seen[0], seen[2]);
    assert_ne!(seen[0], seen[3]);
    assert!(seen[0].contains("aaaaaaaaaabbbbbbbbbb"), "nobody loses his turn without giving it away: {}", seen[0]);
}

#[test]
fn the_run_tells_why_it_ended() {
    alone("the_run_tells_why_it_ended", || {
        in_simulation(|sim| {
            let host = sim.add_host("host");
            sim.start(host, || {
                std::thread::sleep(SECOND);
                request_stop();
                std::thread::sleep(SECOND);
                std::thread::park();
            });
            assert_eq!(sim.run_until(SECOND / 2), RunEnd::Deadline);
            assert_eq!(sim.run(), RunEnd::Requested);
            assert_eq!(sim.now(), SECOND);
            assert_eq!(sim.run(), RunEnd::Stuck);
            assert_eq!(sim.run_for(SECOND * 5), RunEnd::Stuck);
            assert!(sim.now() >= SECOND * 7);
            sim.crash(host);
            assert_eq!(sim.run_for(SECOND * 5), RunEnd::Finished);
        });
    });
}

/// A server that appends to a log that outlives it, and a client that retries until it has `ok`.
fn one_write(sim: &mut Simulation, log: &Arc<Mutex<Vec<u8>>>) -> (HostId, impl Fn(&mut Simulation) + use<>) {
    let (server, client) = (sim.add_host("server"), sim.add_host("client"));
    let log = log.clone();
    let boot = move |sim: &mut Simulation| {
        let log = log.clone();
        sim.start_async(server, || async move {
            let mut listener = Listener::bind(7).expect("the port is free");
            while let Ok(mut stream) = listener.accept().await {
                let Ok(byte) = stream.read_u8().await else { continue };
                let log = log.clone();
                let stored = tokio::task::spawn_blocking(move || log.lock().expect("not poisoned").push(byte));
                stored.await.expect("it only pushed");
                let _ = stream.write_u8(byte + 1).await;
            }
        });
    };
    boot(sim);
    sim.start_async(client, || async {
        let attempt = || async {
            let mut stream = net::connect("server", 7).await?;
            stream.write_u8(41).await?;
            stream.read_u8().await
        };
        loop {
            if let Ok(Ok(42)) = tokio::time::timeout(SECOND * 5, attempt()).await {
                trace::record_text("client", "acknowledged");
                request_stop();
            }
            tokio::time::sleep(SECOND).await;
        }
    });
    (server, boot)
}

#[test]
fn a_host_can_be_crashed_at_every_scheduling_point() {
    let test = "a_host_can_be_crashed_at_every_scheduling_point";
    let run = |point: &str| {
        let point: u64 = point.parse().expect("a number");
        in_simulation(move |sim| {
            let log = Arc::new(Mutex::new(Vec::new()));
            let (server, boot) = one_write(sim, &log);
            sim.set_crash_point((point > 0).then_some(point));
            let mut end = sim.run_until(SECOND * 60);
            if end == RunEnd::CrashPoint {
                assert!(sim.scheduling_points() >= point && sim.scheduling_points() <= point + 1);
                sim.crash(server);
                sim.run_for(SECOND * 2);
                boot(sim);
                end = sim.run_until(SECOND * 60);
            }
            assert_eq!(end, RunEnd::Requested, "the client gets its answer in the end");
            let written = log.lock().expect("not poisoned").len();
            assert!((1..=2).contains(&written), "{written}");
            report(format!("{} {written} {}", sim.scheduling_points(), sim.trace_hash()));
        });
    };
    let calm = in_processes(test, &["0"], run).remove(0);
    let last: u64 = calm.split(' ').next().expect("three words").parse().expect("a number");
    assert!(last > 5, "{calm}");
    let points: Vec<String> = (1..last).map(|point| point.to_string()).collect();
    let points: Vec<&str> = points.iter().map(String::as_str).collect();
    let swept = in_processes(test, &points, run);
    let distinct: std::collections::BTreeSet<&String> = swept.iter().collect();
    assert!(distinct.len() > points.len() / 2, "crashes at different points are different runs: {swept:?}");
    assert!(swept.iter().any(|run| run.contains(" 2 ")), "some crash lies between the write and its answer: {swept:?}");
}
