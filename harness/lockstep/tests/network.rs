//! Streams between hosts, and what can happen to them.
#![cfg(lockstep_supported)]

mod support;

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{alone, in_simulation};
use tempest_lockstep::net::{self, Listener, Stream};
use tempest_lockstep::{HostId, Options, RunEnd, Simulation, now_ns, request_stop, simulate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn echo() {
    let mut listener = Listener::bind(7).expect("the port is free");
    loop {
        let mut stream = listener.accept().await.expect("somebody connects");
        tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(count) = stream.read(&mut buffer).await {
                if count == 0 || stream.write_all(&buffer[..count]).await.is_err() {
                    break;
                }
            }
        });
    }
}

#[test]
fn what_is_written_is_read_in_order() {
    alone("what_is_written_is_read_in_order", || {
        in_simulation(|sim| {
            let (server, client) = (sim.add_host("server"), sim.add_host("client"));
            sim.start_async(server, echo);
            sim.start_async(client, || async {
                let mut stream = net::connect("server", 7).await.expect("the server listens");
                for round in 0..100u32 {
                    stream.write_all(&round.to_le_bytes()).await.expect("connected");
                }
                for round in 0..100u32 {
                    let mut bytes = [0; 4];
                    stream.read_exact(&mut bytes).await.expect("echoed");
                    assert_eq!(u32::from_le_bytes(bytes), round);
                }
                request_stop();
            });
            assert_eq!(sim.run_until(Duration::from_secs(10)), RunEnd::Requested);
            assert!(sim.now() < Duration::from_secs(1), "{:?}", sim.now());
        });
    });
}

const SECOND: Duration = Duration::from_secs(1);
type Log = Arc<Mutex<Vec<(u64, String)>>>;

/// Hosts `server`, which echoes, and `client`, which asks once a second on one connection and logs, with the second
/// (rounded down) in which it happened, each answer or error, after which it connects again.
fn pinging(sim: &mut Simulation) -> (HostId, HostId, Log) {
    let (server, client) = (sim.add_host("server"), sim.add_host("client"));
    let log = Log::default();
    let told = log.clone();
    sim.start_async(server, echo);
    sim.start_async(client, move || async move {
        let tell = |what: String| {
            let second = now_ns().expect("on a host") / 1_000_000_000;
            told.lock().expect("not poisoned").push((second, what));
        };
        loop {
            if let Err(error) = ping(&tell).await {
                tell(format!("{:?}", error.kind()));
            }
            tokio::time::sleep(SECOND).await;
        }
    });
    (server, client, log)
}

async fn ping(tell: &impl Fn(String)) -> io::Result<()> {
    let mut stream = net::connect("server", 7).await?;
    tell("connected".to_owned());
    loop {
        stream.write_all(b"?").await?;
        let mut answer = [0];
        if stream.read(&mut answer).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        tell("answer".to_owned());
        tokio::time::sleep(SECOND).await;
    }
}

fn entries(log: &Log, what: &str) -> Vec<u64> {
    log.lock().expect("not poisoned").iter().filter(|entry| entry.1 == what).map(|entry| entry.0).collect()
}

fn gaps(seconds: &[u64]) -> u64 {
    seconds.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}

#[test]
fn a_partition_delays_and_loses_nothing() {
    alone("a_partition_delays_and_loses_nothing", || {
        in_simulation(|sim| {
            let (server, client, log) = pinging(sim);
            sim.run_until(SECOND * 5);
            sim.partition(&[server], &[client]);
            sim.run_until(SECOND * 25);
            assert!(entries(&log, "answer").iter().all(|second| *second <= 5));
            sim.heal();
            sim.run_until(SECOND * 80);
            let answers = entries(&log, "answer");
            // Back-off: the next attempt after the healing may be as far away as the partition was long.
            assert!((20..=45).contains(&gaps(&answers)), "{answers:?}");
            assert_eq!(entries(&log, "connected").len(), 1, "the connection survived");
            assert_eq!(log.lock().expect("not poisoned").len(), answers.len() + 1, "{log:?}");
        });
    });
}

#[test]
fn a_partition_of_a_quarter_of_an_hour_breaks_connections() {
    alone("a_partition_of_a_quarter_of_an_hour_breaks_connections", || {
        in_simulation(|sim| {
            let (server, client, log) = pinging(sim);
            sim.run_until(SECOND * 5);
            sim.partition(&[server], &[client]);
            sim.run_until(SECOND * 1_500);
            let broken = entries(&log, "TimedOut");
            assert!((900..1_100).contains(&broken[0]), "{broken:?}");
            assert!((120..140).contains(&(broken[1] - broken[0])), "connecting gives up after 127 s: {broken:?}");
            sim.heal();
            sim.run_until(SECOND * 1_700);
            assert_eq!(entries(&log, "connected").len(), 2);
        });
    });
}

#[test]
fn one_way_blocks_stop_the_answers_only() {
    alone("one_way_blocks_stop_the_answers_only", || {
        in_simulation(|sim| {
            let (server, client) = (sim.add_host("server"), sim.add_host("client"));
            let heard = Arc::new(Mutex::new(0));
            let hearing = heard.clone();
            sim.start_async(server, move || async move {
                let mut listener = Listener::bind(7).expect("the port is free");
                let mut stream = listener.accept().await.expect("somebody connects");
                while let Ok(1..) = stream.read(&mut [0; 16]).await {
                    *hearing.lock().expect("not poisoned") += 1;
                    let _ = stream.write_all(b"!").await;
                }
            });
            let answers = Arc::new(Mutex::new(0));
            let answered = answers.clone();
            sim.start_async(client, move || async move {
                let stream = net::connect("server", 7).await.expect("it listens");
                let (mut reading, mut writing) = tokio::io::split(stream);
                tokio::spawn(async move {
                    while let Ok(1..) = reading.read(&mut [0; 1]).await {
                        *answered.lock().expect("not poisoned") += 1;
                    }
                });
                loop {
                    writing.write_all(b"?").await.expect("nobody breaks it");
                    tokio::time::sleep(SECOND).await;
                }
            });
            sim.run_until(SECOND * 10);
            let before = *answers.lock().expect("not poisoned");
            sim.block(server, client);
            sim.run_until(SECOND * 20);
            assert_eq!(*answers.lock().expect("not poisoned"), before);
            assert!(*heard.lock().expect("not poisoned") >= 19, "questions still arrive");
            sim.unblock(server, client);
            sim.run_until(SECOND * 50);
            assert!(*answers.lock().expect("not poisoned") >= 49, "held up, not lost");
        });
    });
}

#[test]
fn a_clogged_link_delivers_at_once_when_unclogged() {
    alone("a_clogged_link_delivers_at_once_when_unclogged", || {
        in_simulation(|sim| {
            let (server, client, log) = pinging(sim);
            sim.run_until(SECOND * 5 + SECOND / 2);
            sim.clog(server, client);
            sim.run_until(SECOND * 60 + SECOND / 2);
            let before = entries(&log, "answer");
            assert!(before.iter().all(|second| *second <= 6), "{before:?}");
            sim.unclog(server, client);
            sim.run_until(SECOND * 61);
            let answers = entries(&log, "answer");
            assert_eq!(answers.last(), Some(&60), "no back-off as after a loss: {answers:?}");
        });
    });
}

#[test]
fn a_clog_holds_up_connecting_too() {
    alone("a_clog_holds_up_connecting_too", || {
        in_simulation(|sim| {
            let (server, client, log) = pinging(sim);
            sim.clog(client, server);
            sim.run_until(SECOND * 600);
            assert_eq!(log.lock().expect("not poisoned").len(), 0);
            sim.heal();
            sim.run_until(SECOND * 601);
            assert_eq!(entries(&log, "connected").len(), 1);
        });
    });
}

#[test]
fn a_reset_is_noticed_at_both_ends() {
    alone("a_reset_is_noticed_at_both_ends", || {
        in_simulation(|sim| {
            let (server, client, log) = pinging(sim);
            sim.run_until(SECOND * 5 + SECOND / 2);
            assert_eq!(sim.reset(client, server), 1);
            sim.run_until(SECOND * 10);
            assert_eq!(entries(&log, "ConnectionReset").len(), 1);
            assert_eq!(entries(&log, "connected").len(), 2);
            assert_eq!(sim.reset(server, client), 1, "the first is gone at both ends");
        });
    });
}

#[test]
fn a_crash_leaves_the_peer_half_open_until_it_sends_to_the_next_incarnation() {
    alone("a_crash_leaves_the_peer_half_open_until_it_sends_to_the_next_incarnation", || {
        in_simulation(|sim| {
            let (server, _, log) = pinging(sim);
            sim.run_until(SECOND * 5 + SECOND / 2);
            let before = log.lock().expect("not poisoned").len();
            sim.crash(server);
            sim.run_until(SECOND * 60);
            assert_eq!(log.lock().expect("not poisoned").len(), before, "silence");
            sim.start_async(server, echo);
            sim.run_until(SECOND * 200);
            assert_eq!(entries(&log, "ConnectionReset").len(), 1);
            assert_eq!(entries(&log, "connected").len(), 2);
            assert_eq!(entries(&log, "answer").last(), Some(&199));
        });
    });
}

#[test]
fn a_server_without_a_listener_refuses_and_an_unknown_host_is_not_found() {
    alone("a_server_without_a_listener_refuses_and_an_unknown_host_is_not_found", || {
        in_simulation(|sim| {
            let (server, client) = (sim.add_host("server"), sim.add_host("client"));
            sim.start_async(server, || async {
                let listener = Listener::bind(7).expect("the port is free");
                assert_eq!(Listener::bind(7).expect_err("taken").kind(), ErrorKind::AddrInUse);
                assert_eq!(listener.port(), 7);
                drop(listener);
                tokio::time::sleep(SECOND * 1_000).await;
            });
            sim.start_async(client, || async {
                let kind = |result: io::Result<Stream>| result.expect_err("it cannot be").kind();
                assert_eq!(kind(net::connect("server", 7).await), ErrorKind::ConnectionRefused);
                assert_eq!(kind(net::connect("nobody", 7).await), ErrorKind::NotFound);
                request_stop();
            });
            assert_eq!(sim.run(), RunEnd::Requested);
        });
    });
}

#[test]
fn a_writer_waits_for_a_reader_that_does_not_read() {
    alone("a_writer_waits_for_a_reader_that_does_not_read", || {
        let options = Options { window_bytes: 1_000, ..Options::default() };
        let body = |sim: &mut Simulation| {
            let (server, client) = (sim.add_host("server"), sim.add_host("client"));
            let written = Arc::new(Mutex::new(0));
            let writing = written.clone();
            sim.start_async(server, || async {
                let mut listener = Listener::bind(7).expect("the port is free");
                let mut stream = listener.accept().await.expect("somebody connects");
                tokio::time::sleep(SECOND * 100).await;
                let mut all = Vec::new();
                stream.read_to_end(&mut all).await.expect("the client shuts down in order");
                assert_eq!(all.len(), 50_000);
            });
            sim.start_async(client, move || async move {
                let mut stream = net::connect("server", 7).await.expect("it listens");
                for _ in 0..100 {
                    stream.write_all(&[7; 500]).await.expect("somebody reads in the end");
                    *writing.lock().expect("not poisoned") += 500;
                }
                stream.shutdown().await.expect("nothing can fail");
                let kind = stream.write_all(b"more").await.map_err(|error| error.kind());
                assert_eq!(kind, Err(ErrorKind::BrokenPipe));
                assert_eq!(stream.read(&mut [0]).await.expect("closed in order"), 0);
                request_stop();
            });
            sim.run_until(SECOND * 99);
            assert_eq!(*written.lock().expect("not poisoned"), 1_000);
            assert_eq!(sim.run_until(SECOND * 200), RunEnd::Requested);
        };
        simulate(1, options, body).expect("a simulation begins");
    });
}

#[test]
fn a_slow_link_takes_its_time() {
    alone("a_slow_link_takes_its_time", || {
        in_simulation(|sim| {
            let (server, client) = (sim.add_host("server"), sim.add_host("client"));
            sim.slow_link(client, server, SECOND * 3, 10_000);
            sim.start_async(server, || async {
                let mut listener = Listener::bind(7).expect("the port is free");
                let mut stream = listener.accept().await.expect("somebody connects");
                let connected = now_ns().expect("on a host");
                stream.read_exact(&mut [0; 100_000]).await.expect("it comes");
                let took = (now_ns().expect("on a host") - connected) / 1_000_000_000;
                assert!((13..=14).contains(&took), "{took}");
                request_stop();
            });
            sim.start_async(client, || async {
                let mut stream = net::connect("server", 7).await.expect("it listens");
                stream.write_all(&[1; 100_000]).await.expect("within the window");
                std::future::pending::<()>().await;
            });
            assert_eq!(sim.run_until(SECOND * 60), RunEnd::Requested);
        });
    });
}

#[test]
fn a_closed_stream_ends_and_then_resets_its_peer() {
    alone("a_closed_stream_ends_and_then_resets_its_peer", || {
        in_simulation(|sim| {
            let (server, client) = (sim.add_host("server"), sim.add_host("client"));
            sim.start_async(server, || async {
                let mut listener = Listener::bind(7).expect("the port is free");
                let mut stream = listener.accept().await.expect("somebody connects");
                assert_eq!(stream.peer().as_deref(), Some("client"));
                assert_eq!(stream.read(&mut [0; 4]).await.expect("an end in order"), 0);
                stream.write_all(b"late").await.expect("it does not know yet");
                tokio::time::sleep(SECOND).await;
                let kind = stream.write_all(b"later").await.map_err(|error| error.kind());
                assert_eq!(kind, Err(ErrorKind::ConnectionReset));
                request_stop();
            });
            sim.start_async(client, || async {
                drop(net::connect("server", 7).await.expect("it listens"));
            });
            assert_eq!(sim.run_until(SECOND * 60), RunEnd::Requested);
        });
    });
}

#[test]
fn a_runtime_that_does_not_poll_is_told_so() {
    alone("a_runtime_that_does_not_poll_is_told_so", || {
        in_simulation(|sim| {
            let host = sim.add_host("host");
            sim.start(host, || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
                runtime.expect("a runtime").block_on(async {
                    assert_eq!(Listener::bind(7).expect_err("refused").kind(), ErrorKind::Unsupported);
                    let refused = net::connect("host", 7).await.expect_err("refused");
                    assert!(refused.to_string().contains("enable_io"), "{refused}");
                });
            });
            assert_eq!(sim.run(), RunEnd::Finished);
        });
    });
}

#[test]
fn there_is_no_network_outside_a_simulation() {
    assert_eq!(Listener::bind(7).expect_err("outside").kind(), ErrorKind::Unsupported);
}

#[test]
fn what_is_sent_to_a_paused_host_waits_for_it() {
    alone("what_is_sent_to_a_paused_host_waits_for_it", || {
        in_simulation(|sim| {
            let (server, _, log) = pinging(sim);
            sim.run_until(SECOND * 5 + SECOND / 2);
            sim.pause(server);
            sim.run_until(SECOND * 30);
            assert!(entries(&log, "answer").iter().all(|second| *second <= 6));
            sim.resume(server);
            sim.run_until(SECOND * 31);
            assert_eq!(entries(&log, "answer").last(), Some(&30), "{log:?}");
            assert_eq!(entries(&log, "connected").len(), 1);
        });
    });
}
