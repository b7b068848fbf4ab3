//! The planted bug `ack-before-fsync` is found. Plants are armed once per process, hence a test binary of its own.
mod storm;

use storm::{FaultPlan, storm};

#[test]
fn acknowledging_before_the_fsync_is_caught() {
    let planted = ["ack-before-fsync".to_owned()].into_iter().collect();
    assert!(tempest_rt::arm(tempest_rt::Arms { planted, ..Default::default() }));
    let (mut caught, mut example) = (0, String::new());
    for seed in 0..30 {
        if let Err(what) = storm(seed, FaultPlan::default()) {
            caught += 1;
            example = what;
        }
    }
    println!("caught in {caught} of 30 seeds, for example: {example}");
    assert!(caught >= 20, "only {caught} of 30 seeds noticed");
    assert!(example.contains("is lost"), "{example}");
}
