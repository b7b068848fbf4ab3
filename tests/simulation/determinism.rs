//! The same seed gives the same trace, byte for byte, in another process.
use crate::{last_line, stdout, tempest, tempest_with};

/// Everything of the last line but the wall time.
fn fingerprint(line: &str) -> String {
    line.split(" wall=").next().unwrap_or_default().to_owned()
}

#[test]
fn a_seed_is_one_universe() {
    for scenario in ["hello", "order-saga"] {
        let first = tempest(&["run", scenario, "--seed", "11"]);
        let again = tempest(&["run", scenario, "--seed", "11"]);
        assert_eq!(first.status.code(), Some(0), "{}", stdout(&first));
        assert_eq!(fingerprint(&last_line(&first)), fingerprint(&last_line(&again)), "{scenario}");
    }
}

#[test]
fn twenty_processes_agree_pinned_to_a_core_or_not() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    let core = cores.split([',', '-']).next().unwrap();
    let runs: Vec<String> = (0..20)
        .map(|process| {
            let pinned = if process % 2 == 0 { "none" } else { core };
            fingerprint(&last_line(&tempest_with(&["run", "hello", "--seed", "13"], &[("TEMPEST_CORE", pinned)])))
        })
        .collect();
    assert!(runs[0].starts_with("ok hello seed=13 trace="), "{}", runs[0]);
    assert!(runs.iter().all(|run| *run == runs[0]), "{runs:#?}");
}

#[test]
fn log_level_trace_file_and_json_change_nothing() {
    let plain = fingerprint(&last_line(&tempest(&["run", "hello", "--seed", "5"])));
    let logging = tempest_with(&["run", "hello", "--seed", "5"], &[("RUST_LOG", "trace")]);
    assert_eq!(fingerprint(&last_line(&logging)), plain);
    let tracing = tempest(&["run", "hello", "--seed", "5", "--trace", "hello-5.trace"]);
    assert_eq!(fingerprint(&last_line(&tracing)), plain);
    let json = stdout(&tempest(&["run", "hello", "--seed", "5", "--json"]));
    let hash = plain.split("trace=").nth(1).unwrap().split(' ').next().unwrap();
    assert!(json.contains(hash), "{json}");
}

#[test]
fn other_seeds_are_other_universes() {
    let hashes: std::collections::BTreeSet<String> = (1..=4)
        .map(|seed| last_line(&tempest(&["run", "hello", "--seed", &seed.to_string()])))
        .map(|line| line.split("trace=").nth(1).unwrap_or_default().split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(hashes.len(), 4);
}

#[test]
fn explore_twice_compares_the_traces() {
    let output = tempest(&["explore", "order-saga", "--seeds", "1..3", "--twice", "--set", "sagas=20"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}
