//! A handful of fresh storms must hold; campaigns run many more.
use crate::{stderr, stdout, tempest};

#[test]
fn order_sagas_survive_the_storm() {
    let output = tempest(&["explore", "order-saga", "--seeds", "100..112"]);
    assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(&output), stderr(&output));
}

#[test]
fn an_activity_survives_a_crash_at_any_hand_over() {
    let output = tempest(&["explore", "activity-crash-points", "--seeds", "1..25"]);
    assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(&output), stderr(&output));
}
