//! What user code is told that leaves the simulation: the call by name, and the host that made it.
#![cfg(lockstep_supported)]

use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tempest_lockstep::{Options, simulate};

const BODY: &str = "LOCKSTEP_CONTRACT_BODY";

/// Runs the body of the test of this name in a process of its own, and returns how that ended.
fn end_of(test: &str, body: impl FnOnce()) -> Output {
    if std::env::var(BODY).is_ok_and(|wanted| wanted == test) {
        body();
        std::process::exit(0);
    }
    let program = std::env::current_exe().expect("a test binary knows where it is");
    Command::new(program)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(BODY, test)
        .stdin(Stdio::null())
        .output()
        .expect("a test binary can be executed")
}

fn on_a_host(options: Options, main: impl FnOnce() + Send + 'static) {
    simulate(1, options, |simulation| {
        let host = simulation.add_host("worker-7");
        simulation.start(host, main);
        simulation.run();
    })
    .expect("a simulation begins");
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_leaves_the_simulation_is_refused_by_name() {
    let ended = end_of("what_leaves_the_simulation_is_refused_by_name", || {
        on_a_host(Options::default(), || {
            assert!(std::fs::File::open("/dev/urandom").is_err());
            assert!(std::fs::write("/tmp/lockstep-contract-never-made", "x").is_err());
            assert!(Command::new("/bin/true").status().is_err());
            assert!(std::net::TcpListener::bind("127.0.0.1:0").is_err());
        });
    });
    let said = said(&ended);
    assert!(ended.status.success(), "{said}");
    for refused in
        ["open(\"/dev/urandom\")", "open(\"/tmp/lockstep-contract-never-made\") to write", "posix_spawn", "real socket"]
    {
        let line = said.lines().find(|line| line.contains(refused));
        assert!(line.is_some_and(|line| line.starts_with("lockstep: worker-7 ")), "{refused}: {said}");
    }
}

#[test]
fn a_thread_that_spins_is_named_with_its_host_and_where_it_is() {
    #[inline(never)]
    fn spins_forever() {
        let mut sum = 0u64;
        loop {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }
    let ended = end_of("a_thread_that_spins_is_named_with_its_host_and_where_it_is", || {
        on_a_host(Options { spin_limit: Duration::from_millis(500), ..Options::default() }, spins_forever);
    });
    let said = said(&ended);
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains("worker-7 neither waits nor reads a clock"), "{said}");
    assert!(said.contains("spins_forever"), "{said}");
}
