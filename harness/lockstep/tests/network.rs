//! Streams between hosts, and what can happen to them.

mod support;

use std::time::Duration;
use support::{alone, report};
use tempest_lockstep::net::{self, Listener};
use tempest_lockstep::{Options, RunEnd, Simulation, request_stop, simulate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn in_simulation(body: impl FnOnce(&mut Simulation) + Send + 'static) {
    simulate(1, Options::default(), body).expect("a simulation begins");
}

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
                    stream
                        .write_all(&round.to_le_bytes())
                        .await
                        .expect("connected");
                }
                for round in 0..100u32 {
                    let mut bytes = [0; 4];
                    stream.read_exact(&mut bytes).await.expect("echoed");
                    assert_eq!(u32::from_le_bytes(bytes), round);
                }
                request_stop();
            });
            assert_eq!(sim.run_until(Duration::from_secs(10)), RunEnd::Requested);
            report(sim.trace_hash());
            assert!(sim.now() < Duration::from_secs(1), "{:?}", sim.now());
        });
    });
}
