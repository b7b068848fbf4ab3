//! The other worlds, through the binary: programs hold in turmoil's, a planted bug is found there, and what a world lacks
//! is refused before a run begins. (madsim's is a build of its own, which the nightly campaigns have.)
use crate::{last_line, stderr, stdout, tempest, tempest_with};

#[test]
fn programs_hold_in_turmoil_and_repeat_themselves() {
    let output = tempest(&["explore", "program", "--world", "turmoil", "--seeds", "1..7", "--twice"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn a_planted_bug_is_found_in_turmoil_and_its_run_repeated_there() {
    let run = ["run", "program", "--world", "turmoil", "--seed", "1", "--plant", "reverse-page-skips-an-event"];
    let output = tempest(&[run.as_slice(), &["--out", "worlds"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert_eq!(
        last_line(&output),
        "reproduce: tempest run program --seed 1 --world turmoil --plant reverse-page-skips-an-event"
    );
    let again = tempest(&["replay", "worlds/program-1-turmoil-reverse-page-skips-an-event.json"]);
    assert!(stdout(&again).contains("reproduced: the same run"), "{}", stdout(&again));
}

#[test]
fn what_a_world_lacks_is_refused() {
    let refused = |arguments: &[&str], part: &str| {
        let output = tempest_with(arguments, &[("TEMPEST_MADSIM", "/nowhere/tempest")]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
    };
    refused(
        &["run", "hello", "--world", "turmoil"],
        "hello runs on the official SDK, which does not run in the world turmoil",
    );
    refused(
        &["run", "program", "--world", "turmoil", "--set", "crash_at_scheduling_point=7"],
        "the world turmoil has no scheduling points",
    );
    refused(&["run", "program", "--world", "flatland"], "there is no world \"flatland\"; there are: lockstep, turmoil");
    refused(
        &["run", "program", "--world", "madsim"],
        "the world madsim has a build of its own, which is not at /nowhere",
    );
    refused(&["faults", "--world", "flatland"], "there is no world \"flatland\"");
}

#[test]
fn a_world_says_which_faults_it_lacks() {
    let listed = stdout(&tempest(&["faults", "--world", "turmoil"]));
    let (had, lacking) = listed.split_once("The world turmoil lacks:").expect("it lacks some");
    assert!(had.contains("partition") && !had.contains("clock-jump"), "{listed}");
    assert!(lacking.contains("clock-jump           its hosts have one clock"), "{listed}");
}
