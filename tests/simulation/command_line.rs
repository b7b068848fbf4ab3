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

/// The database breaks connections all the time when writes are done, before it says so.
#[test]
fn the_verdict_says_which_commits_were_in_doubt() {
    const SHOWN: usize = 5;
    let settings = ["nodes=3", "asynchronous=0", "sagas=30", "faults=40", "fault.others=0", "fault.commit-in-doubt=1"];
    let mut arguments = vec!["run", "order-saga", "--seed", "4", "--json"];
    arguments.extend(settings.iter().flat_map(|setting| ["--set", *setting]));
    let output = tempest(&arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("one object");
    let ownership = &report["ownership"];
    let listed = ownership["commits_in_doubt"].as_array().expect("a list");
    assert_eq!(ownership["in_doubt"], listed.len(), "they are few enough to be listed");
    assert!(listed.len() > SHOWN, "the faults left {} commits in doubt", listed.len());
    let applied = listed.iter().filter(|commit| commit["outcome"] == "applied").count();
    assert_eq!(ownership["in_doubt_applied"], applied);
    assert!(applied > 0, "the database had done what it was silent about");
    let times: Vec<u64> = listed.iter().map(|commit| commit["at_ms"].as_u64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");

    let mut lines = text.lines().skip_while(|line| !line.starts_with("in doubt "));
    let first = format!("in doubt {} commits, {applied} known to have been applied", listed.len());
    assert_eq!(lines.next(), Some(first.as_str()));
    for commit in &listed[..SHOWN] {
        let line = lines.next().unwrap();
        let at_ms = commit["at_ms"].as_u64().unwrap();
        let name = |field: &str| commit[field].as_str().unwrap().to_owned();
        for part in [
            format!(" {}.{:03} s  {} ", at_ms / 1000, at_ms % 1000, name("server")),
            format!(" shard {} ", commit["shard"]),
            format!(" sequence {}", commit["sequence"]),
            format!(": {}", name("outcome").replace('-', " ").replace("unknown", "not known")),
        ] {
            assert!(line.contains(&part), "{line} lacks {part:?}");
        }
        for workflow in commit["workflow_ids"].as_array().unwrap() {
            assert!(line.contains(workflow.as_str().unwrap()), "{line} lacks {workflow}");
        }
    }
    let more =
        format!("  ... and {} more: all are in --json, and in the artifact of a failed run", listed.len() - SHOWN);
    assert_eq!(lines.next(), Some(more.as_str()));
    assert!(lines.next().is_some_and(|line| line.starts_with("failover ")), "{text}");
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
fn mistakes_are_named_with_their_fix() {
    for (arguments, words) in [
        (&["run", "order-sage"][..], "there is no scenario \"order-sage\"; there are: "),
        (&["run", "hello", "--seed", "lots"][..], "lots"),
        (&["run", "hello", "--set", "workflow=3"][..], "there is no option \"workflow\""),
        (&["run", "hello", "--plant", "weeds"][..], "there is no bug \"weeds\""),
        (&["run", "hello", "--world", "mars"][..], "there are: lockstep, turmoil, madsim"),
        (&["replay", "nowhere.json"][..], "nowhere.json"),
        (&["explore", "hello", "--partition", "3/3"][..], "write K/N with K from 0 and below N"),
        (&["explore", "hello", "--time-limit", "soon"][..], "write 90s, 10m or 2h"),
        (&["explore", "hello", "--require", "fault.crsh"][..], "\"fault.crsh\" is nothing that a campaign can see"),
        (&["shrink", "nowhere.json"][..], "nowhere.json"),
    ] {
        let output = tempest(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?} said: {}", stderr(&output));
    }
}

#[test]
fn a_failed_run_is_repeated_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (out, artifact, kept) = (path(""), path("control-1.json"), path("kept.toml"));
    assert_eq!(tempest(&["run", "control", "--seed", "1", "--out", &out]).status.code(), Some(1));
    let before = std::fs::read(&artifact).unwrap();
    let replayed = tempest(&["replay", &artifact, "--out", &out]);
    assert_eq!(replayed.status.code(), Some(1));
    assert!(stdout(&replayed).contains("reproduced"), "{}", stdout(&replayed));
    assert_eq!(last_line(&replayed), format!("reproduce: tempest replay {artifact}"));
    assert_eq!(std::fs::read(&artifact).unwrap(), before, "a repetition leaves the artifact alone");
    assert!(!directory.path().join("control-1-replay.json").exists(), "what is reproduced is not written again");

    let keep = |file: &str, lesson: &str| tempest(&["keep", &artifact, file, "--lesson", lesson]);
    for (file, lesson, error) in [(path("kept.txt"), "x", "NAME.toml"), (kept.clone(), " ", "--lesson is empty")] {
        let refused = keep(&file, lesson);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(error), "{}", stderr(&refused));
    }
    assert_eq!(keep(&kept, "the control fails").status.code(), Some(0));
    for (file, error) in [(kept.clone(), "exists already"), (path("nowhere/kept.toml"), "mkdir -p")] {
        let refused = keep(&file, "it cannot be written");
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(error), "{}", stderr(&refused));
    }
    let replayed = tempest(&["replay", &kept, "--out", &out, "--json"]);
    assert_eq!(replayed.status.code(), Some(1));
    assert!(stderr(&replayed).starts_with("the control fails"), "{}", stderr(&replayed));
    assert!(stdout(&replayed).starts_with('{'), "{}", stdout(&replayed));
}

#[test]
fn a_failed_run_gets_smaller() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (artifact, small) = (path("control-1.json"), path("small.json"));
    assert_eq!(tempest(&["run", "control", "--seed", "1", "--out", &path("")]).status.code(), Some(1));
    let shrink = |tries: &str| tempest(&["shrink", &artifact, "--out", &small, "--tries", tries]);
    let first = shrink("3");
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert!(stdout(&first).contains("the same command goes on from here"), "{}", stdout(&first));
    let second = shrink("500");
    assert!(stderr(&second).contains("note: goes on from"), "{}", stderr(&second));
    let after = stdout(&second).lines().find(|line| line.starts_with("after")).unwrap_or_default().to_owned();
    assert!(after.contains("0 faults"), "{}", stdout(&second));
    for part in ["as a regression:", "scenario = \"control\"", "tempest keep ", "reproduce: tempest replay "] {
        assert!(stdout(&second).contains(part), "{part}: {}", stdout(&second));
    }
    let replayed = tempest(&["replay", &small]);
    assert_eq!(replayed.status.code(), Some(1));
    assert!(stdout(&replayed).contains("reproduced"), "{}", stdout(&replayed));
    // What is no failed run of this version is said before anything runs.
    let change = |name: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&artifact).unwrap()).unwrap();
        change(&mut json);
        std::fs::write(path(name), json.to_string()).unwrap();
        stderr(&tempest(&["shrink", &path(name), "--out", &small]))
    };
    let held = change("held.json", &|json| json["verdict"] = "held".into());
    assert!(held.contains("the run held: there is nothing to shrink"), "{held}");
    let newer = change("newer.json", &|json| json["version"] = 99.into());
    assert!(newer.contains("it has version 99"), "{newer}");
    let other = change("other.json", &|json| json["seed"] = 2.into());
    assert!(other.contains("is what another run was shrunk to"), "{other}");
}

#[test]
fn a_campaign_has_seeds_of_its_own_and_says_what_it_lacks() {
    let campaign = |id: &str| explored(&["explore", "hello", "--campaign", id, "--seeds", "2", "--json"]);
    let (monday, object) = campaign("monday");
    assert_eq!(object["campaign"], "monday");
    assert_eq!(campaign("monday").0, monday);
    assert!(campaign("tuesday").0.iter().all(|seed| !monday.contains(seed)));
    let unseen = object["not_seen"]["rpc"].as_array().unwrap();
    assert!(unseen.contains(&"UpdateNamespace".into()) && !unseen.contains(&"PollWorkflowTaskQueue".into()));
    let lacking = tempest(&["explore", "hello", "--seeds", "1", "--require", "rpc.UpdateNamespace"]);
    assert_eq!(lacking.status.code(), Some(1));
    assert!(stdout(&lacking).contains("required, and seen by no run: rpc.UpdateNamespace"), "{}", stdout(&lacking));
}

#[test]
fn a_run_that_takes_too_long_is_ended() {
    let output = tempest(&["explore", "order-saga", "--seeds", "1", "--run-limit", "0s"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("took too long "), "{}", stdout(&output));
    assert!(stderr(&output).contains("a run may not take longer"), "{}", stderr(&output));
}

#[test]
fn numbers_that_make_no_run_are_refused() {
    for (arguments, error) in [
        (&["run", "hello", "--set", "shards=0"][..], "shards is 0: it must be from 1 to 1024"),
        (&["run", "hello", "--set", "workers=17"], "workers is 17: it must be from 1 to 16"),
        (&["run", "order-saga", "--set", "sagas=99_999_999"], "sagas is 99999999: it must be from 0 to 80000"),
        (&["run", "hello", "--set", "buggify=2"], "buggify is 2: it must be from 0 to 1"),
        (&["explore", "hello", "--jobs", "0"], "--jobs"),
        (&["plants", "--only", "zzz"], "no planted bug has \"zzz\" in its name"),
        (
            &["run", "hello", "--trace", "/nowhere/trace"],
            "error: cannot write the trace file: /nowhere/trace: No such file or directory (os error 2)\n",
        ),
    ] {
        let output = tempest(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(error), "{arguments:?}: {}", stderr(&output));
    }
}
