//! What people and scripts rely on: last lines, exit status, errors that say what to do.
use crate::{last_line, stderr, stdout, tempest, tempest_with};

#[test]
fn a_run_that_holds_ends_with_its_fingerprint() {
    let output = tempest(&["run", "hello", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let line = last_line(&output);
    assert!(line.starts_with("ok hello seed=1 trace="), "{line}");
    for part in [" workflows=", " faults=", " virtual=", " wall="] {
        assert!(line.contains(part), "{line} lacks {part}");
    }
}

#[test]
fn a_run_that_fails_ends_with_the_command_that_repeats_it() {
    let output = tempest(&["run", "control", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(1), "the control must fail: {}", stdout(&output));
    let text = stdout(&output);
    let mut lines = text.lines().rev();
    let (reproduce, failed) = (lines.next().unwrap(), lines.next().unwrap());
    assert!(failed.starts_with("FAILED ") && failed.contains(" seed=1 trace="), "{failed}");
    let command = reproduce.strip_prefix("reproduce: tempest ").expect(reproduce);
    let again = tempest(&command.split(' ').collect::<Vec<_>>());
    assert_eq!(again.status.code(), Some(1), "{}", stdout(&again));
    assert!(stdout(&again).contains(failed), "{failed} is not repeated");
}

#[test]
fn an_artifact_repeats_its_run() {
    let output = tempest(&["run", "control", "--seed", "2", "--out", "artifacts"]);
    assert_eq!(output.status.code(), Some(1));
    let replayed = tempest(&["replay", "artifacts/control-2.json"]);
    assert_eq!(replayed.status.code(), Some(1), "{}\n{}", stdout(&replayed), stderr(&replayed));
}

#[test]
fn the_seed_may_come_from_the_environment() {
    let output = tempest_with(&["run", "hello"], &[("TEMPEST_SEED", "77")]);
    assert!(last_line(&output).contains(" seed=77 "), "{}", last_line(&output));
}

#[test]
fn json_is_one_object_with_the_promised_fields() {
    let output = tempest(&["run", "hello", "--seed", "3", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("one object");
    for field in [
        "scenario",
        "seed",
        "world",
        "verdict",
        "violations",
        "trace_hash",
        "workflows",
        "faults",
        "probes",
        "virtual_ms",
        "wall_ms",
        "artifact",
    ] {
        assert!(object.get(field).is_some(), "{field} is missing in {object}");
    }
}

/// Seeds and numbers of an exploration.
fn explored(arguments: &[&str]) -> (Vec<u64>, serde_json::Value) {
    let output = tempest(arguments);
    assert_eq!(output.status.code(), Some(0), "{}\n{}", stdout(&output), stderr(&output));
    let object: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("one object");
    let ends = object["ends"].as_array().expect("a list").iter();
    (ends.map(|end| end["seed"].as_u64().expect("a number")).collect(), object)
}

#[test]
fn parts_of_a_campaign_share_its_seeds_out() {
    let part = |part: &str| {
        let (seeds, object) = explored(&["explore", "hello", "--seeds", "0..6", "--partition", part, "--json"]);
        assert_eq!(object["left_out"], 0);
        seeds
    };
    assert_eq!(part("0/3"), [0, 3]);
    assert_eq!(part("1/3"), [1, 4]);
    assert_eq!(part("2/3"), [2, 5]);
}

#[test]
fn a_campaign_ends_with_its_time_and_says_what_it_left_out() {
    let (seeds, object) = explored(&["explore", "hello", "--seeds", "5", "--time-limit", "0s", "--json"]);
    assert_eq!((seeds.len(), &object["left_out"]), (0, &serde_json::json!(5)));
    // Far more seeds than fit: those under way at the end of the time are ended too.
    let began = std::time::Instant::now();
    let arguments = ["explore", "order-saga", "--seeds", "100000", "--jobs", "1", "--time-limit", "3s", "--json"];
    let (seeds, object) = explored(&arguments);
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
    assert_eq!(seeds.len() as u64 + object["left_out"].as_u64().unwrap(), 100_000);
}

#[test]
fn lists_are_lists() {
    for (list, entry) in [
        ("scenarios", "order-saga"),
        ("faults", "disk-full"),
        ("invariants", "acked-durable"),
        ("plants", "ack-before-fsync"),
    ] {
        let output = tempest(&[list]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains(entry), "{list} lacks {entry}: {}", stdout(&output));
        let json: serde_json::Value = serde_json::from_str(&stdout(&tempest(&[list, "--json"]))).expect("JSON");
        assert!(json.is_array() || json.is_object());
    }
}

#[test]
fn mistakes_are_named_with_their_mend() {
    for (arguments, words) in [
        (&["run", "order-sage"][..], "there is no scenario \"order-sage\"; there are: "),
        (&["run", "hello", "--seed", "lots"][..], "lots"),
        (&["run", "hello", "--set", "workflow=3"][..], "there is no option \"workflow\""),
        (&["run", "hello", "--plant", "weeds"][..], "there is no bug \"weeds\""),
        (&["run", "hello", "--world", "mars"][..], "there is no world \"mars\""),
        (&["replay", "nowhere.json"][..], "nowhere.json"),
        (&["explore", "hello", "--partition", "3/3"][..], "write K/N with K from 0 and below N"),
        (&["explore", "hello", "--time-limit", "soon"][..], "write 90s, 10m or 2h"),
    ] {
        let output = tempest(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?} said: {}", stderr(&output));
    }
}
