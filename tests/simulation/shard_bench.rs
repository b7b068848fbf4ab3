//! `tempest bench shards` as people run it: its two modes, and what it says of what it cannot do.
use crate::{stderr, stdout, tempest};

const USAGE: i32 = 2;

fn refused(arguments: &[&str]) -> String {
    let output = tempest(&[&["bench", "shards"], arguments].concat());
    assert_eq!(output.status.code(), Some(USAGE), "{arguments:?}: {}", stdout(&output));
    assert_eq!(stdout(&output), "", "nothing was found");
    stderr(&output)
}

#[test]
fn bad_input_is_said_before_anything_runs() {
    let check = |arguments: &[&str], expected: &str| {
        let said = refused(arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    };
    check(&["--counts", "0,4"], "--counts names 0 shards: a cluster has at least 1; leave the 0 out");
    check(&["--counts", "4,16385"], "--counts names 16385 shards: a store allows 1 to 16384");
    check(&["--counts", "4,4"], "--counts names 4 twice: write --counts 4");
    check(&["--counts", "16,4"], "write --counts 4,16");
    check(&["--counts", "4,x"], "\"x\" between its commas, which is no number");
    check(&["--workload", "plane"], "--workload is \"plane\": write one of plain");
    check(&["--store-latency", "3"], "write it with its unit, like 300us, 0.3ms or 2s");
    check(&["--database", "memory"], "--database has no meaning with --mode modelled");
    check(&["--mode", "real", "--cores", "8"], "--cores has no meaning with --mode real");
    check(&["--mode", "real", "--database", "mysql://me:secret@host/x"], "--database begins with \"mysql\"");
    check(&["--mode", "real", "--database", "memory", "--store-latency", "1ms"], "use --database file");
    check(&["--mode", "real", "--clients", "9000"], "for more use --mode modelled");
    check(&["--out", "no/such/directory/report.html"], "there is no directory no/such/directory; make it first");
    check(&["--costs", "no-such.json"], "cannot read no-such.json");
}

#[test]
fn the_model_says_the_same_again_and_makes_a_page() {
    let small = ["--counts", "1,8", "--nodes", "3", "--clients", "4,64", "--workflows", "300", "--repetitions", "2"];
    let run = |more: &[&str]| tempest(&[&["bench", "shards"], &small[..], more].concat());
    let (first, second) = (run(&["--json", "--out", "shards.html"]), run(&["--json"]));
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert_eq!(stdout(&first), stdout(&second));
    assert!(stderr(&first).starts_with("MODELLED, not measured"), "{}", stderr(&first));
    let bench: serde_json::Value = serde_json::from_str(&stdout(&first)).expect("one object");
    assert_eq!((&bench["mode"], bench["points"].as_array().map(Vec::len)), (&"modelled".into(), Some(4)));
    let page = std::fs::read_to_string(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("shards.html"));
    assert!(page.expect("it was written").contains("modelled, not measured"));
    let other_store = run(&["--json", "--store-latency", "20ms"]);
    assert_ne!(stdout(&other_store), stdout(&first));
}

#[test]
fn the_real_server_is_measured_and_the_model_takes_its_costs() {
    let moment =
        ["--counts", "2", "--clients", "1,4", "--repetitions", "1", "--warm-up", "100ms", "--measure", "300ms"];
    let real =
        tempest(&[&["bench", "shards", "--mode", "real", "--database", "memory", "--json"], &moment[..]].concat());
    assert_eq!(real.status.code(), Some(0), "{}", stderr(&real));
    assert!(stderr(&real).starts_with("MEASURED  This machine"), "{}", stderr(&real));
    let costs = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-costs.json");
    std::fs::write(&costs, stdout(&real)).unwrap();
    let small = ["--counts", "1,8", "--clients", "4", "--workflows", "300", "--repetitions", "1"];
    let modelled = tempest(&[&["bench", "shards", "--json", "--costs", costs.to_str().unwrap()], &small[..]].concat());
    assert_eq!(modelled.status.code(), Some(0), "{}", stderr(&modelled));
    let costs_of = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("one object")["costs"].clone();
    assert_eq!(costs_of(&stdout(&modelled)), costs_of(&stdout(&real)));
}
