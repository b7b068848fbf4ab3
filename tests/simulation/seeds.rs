//! A handful of fresh storms must hold; campaigns run many more.
use crate::{last_line, stderr, stdout, tempest};

#[test]
fn order_sagas_survive_the_storm() {
    let output = tempest(&["explore", "order-saga", "--seeds", "100..108"]);
    assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(&output), stderr(&output));
}

/// What only a cluster does much of: shards that deal with each other, a backlog that changes its owner, an outage of all.
#[test]
fn clusters_survive_the_storm() {
    for scenario in ["hundred-children", "signal-mesh", "backlog", "herd", "approvals", "registry"] {
        let output = tempest(&["explore", scenario, "--seeds", "300..302"]);
        assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(&output), stderr(&output));
    }
}

/// Workflows that no person wrote, small and many.
#[test]
fn programs_survive_the_storm() {
    let output = tempest(&["explore", "program", "--seeds", "500..560"]);
    assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(&output), stderr(&output));
}

/// No other fault, so that each run meets this one: some writes are refused, some servers stop and start in vain.
#[test]
fn order_sagas_survive_disks_that_fill_up() {
    let settings = ["nodes=1", "faults=12", "fault.others=0", "fault.disk-full=1"];
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    let arguments: Vec<&str> =
        ["explore", "order-saga", "--seeds", "200..206", "--json"].into_iter().chain(settings).collect();
    let output = tempest(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(&output), stderr(&output));
    let object: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let met = |end: &&serde_json::Value| {
        let probes = &end["summary"]["probes"];
        ["store-disk-full", "store-failed"].iter().any(|probe| probes[probe].as_u64().is_some_and(|times| times > 0))
    };
    assert!(object["ends"].as_array().unwrap().iter().filter(met).count() >= 4, "{object}");
}

/// Scheduling points that an undisturbed run of `activity-crash-points` with seed 1 has before its client has the result.
const SCHEDULING_POINTS: u64 = 99;
/// Beyond so many crash points a test takes every n-th.
const CRASH_POINTS_MAX: u64 = 1_500;

#[test]
fn an_activity_survives_a_crash_at_any_scheduling_point() {
    let undisturbed = crash_at(0, 0);
    let step = SCHEDULING_POINTS.div_ceil(CRASH_POINTS_MAX);
    std::thread::scope(|scope| {
        for host in [0, 1] {
            let undisturbed = &undisturbed;
            scope.spawn(move || {
                for point in (1..=SCHEDULING_POINTS).step_by(usize::try_from(step).unwrap()) {
                    assert_ne!(&crash_at(point, host), undisturbed, "nobody died at scheduling point {point}");
                }
            });
        }
    });
}

/// The trace of a run that held although a host (0: the server, 1: the worker) died at that scheduling point.
fn crash_at(point: u64, host: u64) -> String {
    let (point, host) = (format!("crash_at_scheduling_point={point}"), format!("crash_host={host}"));
    let output = tempest(&["run", "activity-crash-points", "--seed", "1", "--set", &point, "--set", &host]);
    assert_eq!(output.status.code(), Some(0), "{point} {host}: {}\n{}", stdout(&output), stderr(&output));
    last_line(&output).split(" workflows=").next().unwrap_or_default().to_owned()
}
