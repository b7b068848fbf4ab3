use super::{read, write};
use crate::generate::program;
use proptest::prelude::*;

#[test]
fn a_program_is_read_as_it_is_written() {
    let text = "\
workflow a
  start after=200ms reuse=reject tries=3 pause=200ms*2<5s
  activity start-to-close=1s heartbeat=500ms tries=3 pause=100ms*2<1s cancel=wait
    fails after=20ms
    succeeds after=10ms beats=3 every=100ms
  scope cancel-after=2s
    timer 30d
  race
    branch
      wait go at-most=2s
    branch
      child c policy=abandon run=5s awaited
        memo k=3
        continue-as-new
          fail for-good
  parallel
    branch
      signal go to=b
    branch
      cancel child:c
  client
    after 200ms signal go
    after 1s burst go times=5
    after 1s pages-reversed 3
workflow b
  wait go at-most=1m
";
    let program = read(text).expect("it has no mistake");
    assert_eq!(write(&program), text);
}

#[test]
fn a_mistake_is_named_with_its_line() {
    let said = |text: &str| read(text).expect_err("it has a mistake").to_string();
    insta::assert_snapshot!(
        [
            "",
            "workflow a\n  timer",
            "workflow a\n  timer soon",
            "workflow a\n  timr 3s",
            "workflow a\n   timer 3s",
            "workflow a\n      timer 3s",
            "workflow a\n  timer 3s\n    timer 3s",
            "workflow a\n  timer 3s 4s",
            "workflow a\n  wait go",
            "workflow a\n  activity start-to-close=1s cancel=never",
            "workflow a\n  activity start-to-close=1s\n    succeeds\n    explodes",
            "workflow a\n  activity start-to-close=1s pause=3s",
            "workflow a\n  activity start-to-close=1s start-to-close=2s",
            "workflow a\n  race",
            "workflow a\n  race\n    timer 3s",
            "workflow a\n  continue-as-new\n    timer 1s\n  timer 1s",
            "workflow a\n  signal go to=b",
            "workflow a\nworkflow a",
            "workflow a\n  client\n    signal go",
            "workflow a/b",
            "timer 3s",
        ]
        .map(said)
        .join("\n")
    );
}

proptest! {
    #[test]
    fn whatever_is_drawn_is_read_as_it_is_written(drawn in program(1..=4)) {
        let text = write(&drawn);
        prop_assert_eq!(read(&text).map_err(|error| format!("{error}\n{text}")), Ok(drawn));
    }
}
