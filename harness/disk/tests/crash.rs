//! The embedded store keeps its word through power cuts, kills, failing syncs and full disks.
mod storm;

use storm::{FaultPlan, campaign, storm};
use tempest_disk::{DiskFaults, Ratio};

#[test]
fn acknowledged_commits_survive_power_cuts() {
    let met = campaign(0..150, FaultPlan::default());
    assert!(met.cut_while_opening > 50 && met.recoveries > 300 && met.committed > 1000, "{met:?}");
    assert!(met.unknown_kept > 10 && met.unknown_lost > 10 && met.refused > 100 && met.sectors_lost > 1000, "{met:?}");
}

#[test]
fn a_kill_that_spares_the_power_loses_nothing_later() {
    let met = campaign(1000..1080, FaultPlan { kills: true, ..FaultPlan::default() });
    assert!(met.recoveries > 100, "{met:?}");
}

/// After a failed sync the cache shows what the medium never got. A store that recovered from the cache would build on
/// it, and lose it, and what was built on it, at the next power cut.
#[test]
fn failed_syncs_and_operations_are_survived() {
    let faults = DiskFaults {
        failing_syncs: Ratio::one_in(25),
        failing_operations: Ratio::one_in(2000),
        ..DiskFaults::default()
    };
    let met = campaign(2000..2100, FaultPlan { faults, kills: true, ..FaultPlan::default() });
    assert!(met.failures > 100 && met.unknown_kept > 10 && met.unknown_lost > 10, "{met:?}");
}

#[test]
fn a_full_disk_refuses_and_keeps() {
    let met = campaign(3000..3040, FaultPlan { capacity_bytes: Some(1 << 20), ..FaultPlan::default() });
    assert!(met.recoveries > 50, "{met:?}");
}

/// The control: if the disk lies, acknowledged commits are lost, and this test bench must say so.
#[test]
fn a_lying_disk_is_caught() {
    let faults = DiskFaults { lying_syncs: true, ..DiskFaults::default() };
    let caught = (0..30).filter(|seed| storm(*seed, FaultPlan { faults, ..FaultPlan::default() }).is_err()).count();
    assert!(caught >= 27, "only {caught} of 30 seeds noticed");
}
