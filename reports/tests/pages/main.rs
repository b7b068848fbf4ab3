//! Pages, Markdown and JUnit of runs as they come and as an adversary would make them.
mod faults;
mod samples;
mod shards;
mod wellformed;

use samples::{HOSTILE, cluster, hostile, storm, violated};
use serde_json::json;
use tempest_artifact::{
    About, Artifact, CommitInDoubt, Event, InDoubtOutcome, Invariant, Ownership, Summary, TimelineEntry, Verdict,
    Violation,
};
use tempest_reports::{Run, campaign_page, json, junit, load_dir, load_file, markdown, parse, run_page};
use wellformed::check_page;

/// What is known of a process that died before it had done anything.
fn dead() -> Artifact {
    Artifact { scenario: "dead".into(), ..Artifact::default() }
}

/// The line that a campaign leaves of a run.
fn summary(artifact: &Artifact) -> Summary {
    Summary {
        scenario: artifact.scenario.clone(),
        seed: artifact.seed,
        world: artifact.world.clone(),
        verdict: artifact.verdict,
        violations: artifact.violations.clone(),
        trace_hash: artifact.trace_hash.clone(),
        workflows: artifact.workflows,
        faults: artifact.faults,
        ownership: artifact.ownership.clone(),
        probes: artifact.probes.clone(),
        virtual_ms: artifact.virtual_ms,
        wall_ms: artifact.wall_ms,
        ..Summary::default()
    }
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data")
}

#[test]
fn pages_are_well_formed() {
    for sample in [storm(3), violated(4), cluster(4), hostile(), dead()] {
        check_page(&run_page(&sample.into()));
    }
    let mut runs: Vec<Run> =
        (0..60).map(|seed| if seed % 13 == 5 { violated(seed) } else { storm(seed) }).map(Run::from).collect();
    runs.push(hostile().into());
    runs[5].page = Some(HOSTILE.into());
    check_page(&campaign_page(&runs));
    check_page(&campaign_page(&[]));
    check_page(&campaign_page(&runs[..1]));
}

#[test]
fn the_verdict_comes_first_and_the_command_is_whole() {
    let page = run_page(&violated(4).into());
    let verdict = page.find("Invariants acked-durable and state-equals-history were violated.").expect("verdict");
    let command =
        page.find("tempest run order-saga --seed 4 --plant ack-before-fsync --set orders=52").expect("command");
    let timeline = page.find("<svg class=\"picture\"").expect("picture");
    assert!(verdict < command && command < timeline);
    assert!(page.contains("WorkflowTaskTimedOut"), "the history of the run concerned is shown");
    assert!(page.contains("3 commits were not synced"), "the evidence is shown");
}

#[test]
fn the_page_of_a_cluster_says_who_owned_what() {
    let page = run_page(&cluster(4).into());
    let section = &page[page.find("<h2>Who owned what").expect("section")..];
    let section = &section[..section.find("<section>").expect("what follows")];
    insta::assert_snapshot!(section.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"));
    assert!(
        page.contains("<b>34</b><span>ownership transfers</span><small>2 database failovers, 55 commits lost</small>")
    );
    assert!(page.contains("not drawn: 4 more shards, which changed hands at most 2 times"));
    assert!(page.contains(">db-2 primary of term 2: no commit for 7.20 s<"), "a label");
    assert_eq!(page.matches("class=\"failover-line\"").count(), 2);
    assert_eq!(page.matches("class=\"silence\" x=").count(), 1, "shards had commits throughout the second failover");
    for server in ["server-1", "server-2", "server-3"] {
        assert!(page.contains(&format!("</i>owned by {server}</span>")), "the legend names {server}");
    }
    let mut nothing_lost = cluster(4);
    nothing_lost.ownership.lost = 0;
    assert!(!run_page(&nothing_lost.into()).contains("Lost:"));
}

#[test]
fn the_page_lists_which_commits_were_in_doubt() {
    const ROWS: usize = 200;
    let mut sample = cluster(4);
    let commit = |index: usize| CommitInDoubt {
        at_ms: 1_000 + index as u64,
        server: "server-1".into(),
        shard: 5,
        range: "2".into(),
        sequence: 100 + index as u64,
        workflow_ids: vec![format!("<b>order-{index}")],
        outcome: InDoubtOutcome::NotApplied,
    };
    sample.ownership.commits_in_doubt = (0..ROWS + 7).map(commit).collect();
    sample.ownership.in_doubt = ROWS as u64 + 9;
    let page = run_page(&sample.into());
    check_page(&page);
    let row = "<tr><td class=\"t\">1.000 s</td><td>server-1</td><td class=\"n\">5</td><td class=\"n\">2</td>\
               <td class=\"n\">100</td><td class=\"mono\">&lt;b&gt;order-0</td><td>not applied</td></tr>";
    assert!(page.contains(row));
    assert_eq!(page.matches("<td>not applied</td>").count(), ROWS);
    assert!(page.contains("<p class=\"about\">and 9 more</p>"), "those of which only the number is known are counted");
}

#[test]
fn a_server_that_was_alone_owned_everything() {
    let page = run_page(&Artifact { ownership: Ownership::default(), ..storm(3) }.into());
    for told in ["Who owned what", "transfers", "owned by", "class=\"owner-", "class=\"failover", "class=\"silence"] {
        assert!(!page.contains(told), "{told}");
    }
}

#[test]
fn failed_runs_come_first_in_a_campaign() {
    let runs: Vec<Run> = [storm(1), violated(2), storm(3)].map(Run::from).into();
    let page = campaign_page(&runs);
    let rows = &page[page.rfind("<h2>Runs</h2>").expect("table")..];
    let failed = rows.find("<td class=\"n\">2</td>").expect("failed run");
    assert!(failed < rows.find("<td class=\"n\">1</td>").expect("run that held"));
    assert!(page.contains("1 of 3 runs failed, in 2 different ways."));
    assert!(page.contains("store.torn_tail"));
}

#[test]
fn what_is_written_is_what_is_read() {
    let artifact = cluster(4);
    let run = parse(&text(&artifact)).expect("it is a run");
    assert_eq!(run.artifact, artifact);
    assert!(run.is_whole());
    let line = summary(&artifact);
    let run = parse(&text(&line)).expect("it is a summary");
    assert_eq!(summary(&run.artifact), line);
    assert!(!run.is_whole());
    let page = run_page(&run);
    check_page(&page);
    assert!(page.contains("<b>20</b><span>faults</span>"), "a summary only counts its faults");
}

#[test]
fn a_violation_shows_the_histories_that_it_is_about_and_not_those_that_it_names() {
    let mut artifact = storm(3);
    let history = || json!({"events": [{"eventId": "1", "eventType": "EVENT_TYPE_TIMER_FIRED"}]});
    let keys = ["order-3/run-31", "order-4/run-41", "order-4/run-42", "order-5/run-51", "order-5/run-52"];
    artifact.histories = keys.map(|key| (key.to_owned(), history())).into();
    let about = |workflow_id: &str, run_id: &str| About { workflow_id: workflow_id.into(), run_id: run_id.into() };
    let named = Violation::new(Invariant::Clean, "order-3 was answered INTERNAL, see run-31");
    artifact.verdict = Verdict::Violated;
    artifact.violations = vec![named.about(about("order-4", "run-42")).about(about("order-5", ""))];
    let page = run_page(&artifact.into());
    check_page(&page);
    let is_shown = |key: &&str| page.contains(&format!("History of {}", key.replace('/', "&#x2f;")));
    let shown: Vec<&str> = keys.into_iter().filter(is_shown).collect();
    assert_eq!(shown, ["order-4/run-42", "order-5/run-51", "order-5/run-52"], "no run is named: all of the workflow");
}

#[test]
fn an_artifact_of_another_version_is_migrated_or_told_apart() {
    let older = json!({
        "version": 1, "scenario": "order-saga", "seed": 12, "world": "lockstep", "plant": null, "verdict": "violated",
        "violations": [{"invariant": "signals-once-in-order", "what": "order-3: signal amend-1 is there twice", "evidence": []}],
        "trace_hash": "00aa", "workflows": 2, "options": [],
        "faults": [{"at_ms": 6000, "fault": {"kind": "crash", "host": "worker-1", "down_ms": 700}}],
        "probes": {}, "checks": [], "phases": [{"name": "storm", "from_ms": 0, "to_ms": 10000}],
        "timeline": [{"at_ms": 6000, "what": "begin crash down_ms=700 host=worker-1"}, {"at_ms": 6700, "what": "start worker-1"}],
        "operations": [], "histories": {"order-3/11112222-3333": {"events": [{"eventId": "1", "eventType": "EVENT_TYPE_TIMER_FIRED"}]},
            "order-33/99992222-3333": {"events": []}},
        "virtual_ms": 12000, "wall_ms": 80, "reproduce": "", "request": {"scenario": "order-saga", "seed": 12}, "harness": "0.1.0",
    });
    let page = run_page(&parse(&older.to_string()).expect("it is migrated"));
    check_page(&page);
    assert!(page.contains("worker-1 down: 6.000 s to 6.700 s (700 ms)"), "the lane of the host that was down");
    assert!(page.contains("History of order-3&#x2f;11112222-3333"), "the message names its workflow");
    assert!(!page.contains("History of order-33"), "and no other");
    let newer = parse(&json!({"version": 99, "scenario": "s"}).to_string()).expect_err("it is of tomorrow");
    assert_eq!(newer, "it has version 99, this tempest reads versions 1 to 3");
}

#[test]
fn a_crash_at_a_crash_point_happened_though_it_was_in_no_plan() {
    let mut artifact = storm(3);
    let host = samples::host("worker-2");
    let told = |at_ms, event| TimelineEntry { at_ms, event };
    artifact.timeline =
        vec![told(60, Event::CrashPoint { host: host.clone() }), told(160, Event::HostStarted { host })];
    let page = run_page(&artifact.into());
    assert!(page.contains("<span class=\"about\">at the crash point</span>"));
    assert!(page.contains("worker-2 down: 0.060 s to 0.160 s (100 ms)"));
    assert!(page.contains("1 process, 19 more planned, not come to"), "{page}");
}

#[test]
fn markdown_of_a_failed_run() {
    insta::assert_snapshot!(markdown(&[violated(4).into()]));
}

#[test]
fn markdown_of_a_campaign() {
    let runs: Vec<Run> = [storm(1), violated(2), storm(3), violated(5)].map(Run::from).into();
    insta::assert_snapshot!(markdown(&runs));
}

#[test]
fn markdown_makes_nothing_of_hostile_text() {
    let runs = [hostile(), hostile()].map(Run::from);
    for text in [markdown(&runs), markdown(&runs[..1])] {
        // An escaped backtick begins no code.
        let text = text.replace("\\`", "");
        let outside_code: String = text.split("``").step_by(2).flat_map(|part| part.split('`').step_by(2)).collect();
        assert!(!outside_code.contains("<script>"), "{text}");
    }
    assert_eq!(markdown(&[]), "# No runs\n\nNo artifact was found.\n");
}

#[test]
fn junit_has_a_case_per_seed() {
    let runs: Vec<Run> = [storm(1), violated(2), hostile(), dead()].map(Run::from).into();
    let xml = junit(&runs);
    assert!(xml.contains(r#"<testsuites name="tempest" tests="4" failures="2" errors="1""#), "{xml}");
    assert!(xml.contains(r#"name="seed 2" classname="tempest.order-saga""#), "{xml}");
    assert!(xml.contains(r#"type="acked-durable""#));
    assert!(!xml.contains("<script>"));
    assert!(junit(&[]).contains(r#"tests="0""#));
}

#[test]
fn json_counts_and_lists() {
    let runs: Vec<Run> = [storm(1), violated(2)].map(Run::from).into();
    let document: serde_json::Value = serde_json::from_str(&json(&runs)).expect("it is JSON");
    assert_eq!(document["totals"]["failed"], 1);
    assert_eq!(document["failures"][0]["seeds"], json!([2]));
    assert_eq!(document["runs"][1]["reproduce"], runs[1].reproduce_command());
}

#[test]
fn a_directory_is_read_and_what_is_no_run_is_named() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, text: String| std::fs::write(directory.path().join(name), text).expect("written");
    std::fs::create_dir(directory.path().join("deeper")).expect("created");
    let counted = Artifact { scenario: "s".into(), seed: 1, faults: 12, ..Artifact::default() };
    write("deeper/seed-9.json", text(&violated(9)));
    write("summaries.jsonl", format!("{}\n\n{}\n", text(&storm(2)), text(&summary(&counted))));
    write("campaign.jsonl", text(&summary(&violated(9))));
    write("broken.json", "{".into());
    write("other.json", json!({"name": "package"}).to_string());
    write("newer.json", json!({"version": 7, "scenario": "s"}).to_string());
    write("notes.txt", "not looked at".into());
    let loaded = load_dir(directory.path()).expect("readable");
    let seeds: Vec<u64> = loaded.runs.iter().map(|run| run.artifact.seed).collect();
    assert_eq!(seeds, [2, 9, 1], "ordered by scenario and seed");
    assert!(loaded.runs[1].is_whole(), "an artifact counts for more than the line about the same run");
    assert_eq!(loaded.runs[2].artifact.faults, 12, "a summary only counts its faults");
    let skipped: Vec<String> = loaded.skipped.iter().map(|skipped| skipped.path.display().to_string()).collect();
    assert_eq!(skipped, ["broken.json", "newer.json", "other.json"]);
    assert_eq!(loaded.skipped[1].reason, "it has version 7, this tempest reads versions 1 to 3");
    let reason = "it has no version as artifacts have, and is no summary: missing field `scenario`";
    assert_eq!(loaded.skipped[2].reason, reason);
    let one = load_file(directory.path().join("deeper/seed-9.json")).expect("readable");
    assert_eq!(one.source.as_deref(), Some("seed-9.json"));
    let missing = load_dir(directory.path().join("nowhere")).expect_err("there is no such directory");
    assert!(missing.to_string().starts_with("cannot read"), "{missing}");
}

/// Pages for the eye: `target/tmp/pages`, from the same samples.
#[test]
fn samples_are_written_for_the_eye() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&directory).expect("created");
    let write = |name: &str, page: String| std::fs::write(directory.join(name), page).expect("written");
    write("held.html", run_page(&storm(3).into()));
    write("violated.html", run_page(&violated(4).into()));
    write("cluster.html", run_page(&cluster(4).into()));
    write("hostile.html", run_page(&hostile().into()));
    write("empty.html", run_page(&dead().into()));
    let sample = |seed| if seed % 29 == 5 { violated(seed) } else { storm(seed) };
    let runs: Vec<Run> = (0..120).map(sample).map(Run::from).collect();
    write("campaign.html", campaign_page(&runs));
}
