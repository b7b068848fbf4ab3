//! Pages, Markdown and JUnit of runs as they come and as an adversary would make them.

use std::collections::BTreeMap;

use serde_json::json;
use tempest_reports::{Run, campaign_page, json, junit, load_dir, load_file, markdown, parse, run_page};

fn run(value: serde_json::Value) -> Run {
    parse(&value.to_string()).expect("the sample is a run")
}

/// A storm of 40 s and a long drain, everything in it.
fn storm(seed: u64) -> serde_json::Value {
    let hosts = ["server-1", "worker-1", "worker-2", "client-1"];
    let at = |index: u64, step: u64| (seed * 37 + index * step) % 40_000;
    let kinds =
        ["crash", "power-loss", "pause", "partition", "partition-one-way", "clog", "reset", "clock-jump", "slow-disk"];
    let mut spans: BTreeMap<&str, Vec<serde_json::Value>> = BTreeMap::new();
    let faults: Vec<_> = (0..16 + seed % 5)
        .map(|index| {
            let (kind, from) = (kinds[((index * (seed % 4 + 1) + seed) % 9) as usize], 2_000 + at(index, 2_311));
            let host = hosts[((index * 7 + seed) % 3) as usize];
            let lasted = 400 + (index * 577 + seed * 91) % 3_800;
            let instant = ["reset", "clock-jump"].contains(&kind);
            let state = match kind {
                "crash" | "power-loss" => Some("down"),
                "pause" => Some("paused"),
                "partition" | "partition-one-way" | "clog" => Some("partitioned"),
                _ => None,
            };
            if let Some(state) = state {
                spans.entry(host).or_default().push(json!({"from_ms": from, "to_ms": from + lasted, "state": state}));
            }
            let until = (!instant).then_some(from + lasted);
            json!({"kind": kind, "at_ms": from, "until_ms": until, "hosts": [host],
                "detail": if kind == "clock-jump" { "wall clock forward by 90 s" } else { "" }})
        })
        .collect();
    let rpcs = [
        "StartWorkflowExecution",
        "SignalWorkflowExecution",
        "GetWorkflowExecutionHistory",
        "RequestCancelWorkflowExecution",
    ];
    let operations: Vec<_> = (0..420u64)
        .map(|index| {
            let from = (index * index * 7 + seed * 131 + index * 101) % 44_000;
            let outcome = match (index * 13 + seed) % 23 {
                0 => "unknown",
                1 | 2 => "failed",
                _ => "ok",
            };
            json!({"rpc": rpcs[(index * 3 % 7 % 4) as usize], "at_ms": from, "outcome": outcome,
                "done_ms": (outcome != "unknown").then_some(from as f64 + 2.5 + (index % 41) as f64),
                "code": if outcome == "failed" { "UNAVAILABLE" } else { "" }, "workflow_id": format!("order-{index}")})
        })
        .collect();
    let checks: Vec<_> = [
        ("acked-durable", 412),
        ("activity-once", 380),
        ("clean", 1),
        ("history-wellformed", 74),
        ("liveness", 74),
        ("one-open-run", 60),
        ("replay", 74),
        ("signals-once-in-order", 96),
        ("state-equals-history", 74),
        ("timers-not-early", 0),
    ]
    .map(|(invariant, checked)| json!({"invariant": invariant, "checked": checked, "violations": 0}))
    .into();
    let hosts: Vec<_> =
        hosts.iter().map(|host| json!({"name": host, "spans": spans.remove(host).unwrap_or_default()})).collect();
    json!({
        "version": 1, "scenario": "order-saga", "seed": seed, "world": "lockstep", "verdict": "held",
        "trace_hash": format!("{:016x}", seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), "workflows": 50 + seed % 25,
        "virtual_ms": 1_800_000, "wall_ms": 900 + (seed * seed * 53) % 1_400,
        "options": [{"name": "orders", "value": 50 + seed % 25, "set": true}, {"name": "shards", "value": 16, "set": false},
            {"name": "worker_cache_size", "value": 1, "set": false}, {"name": "network_latency_us_max", "value": 4_200, "set": false},
            {"name": "group_commit_max", "value": 64, "set": false}, {"name": "preemption_per_thousand", "value": 35, "set": false}],
        "faults": faults, "hosts": hosts, "operations": operations, "checks": checks,
        "phases": [{"name": "warm up", "from_ms": 0, "to_ms": 2_000}, {"name": "storm", "from_ms": 2_000, "to_ms": 44_000},
            {"name": "heal", "from_ms": 44_000, "to_ms": 46_000}, {"name": "drain", "from_ms": 46_000, "to_ms": 1_790_000},
            {"name": "verify", "from_ms": 1_790_000, "to_ms": 1_800_000}],
        "probes": {"history.transient_task": 12, "matching.sync_match": 371, "matching.backlog": seed % 3, "shard.outcome_unknown": 4,
            "history.buffered_event": 29, "store.torn_tail": 0},
        "commit": "6f67cdc", "lock_hash": "b1946ac92492d234",
    })
}

/// A storm over three servers and twenty shards, whose asynchronous database failed over twice.
fn cluster(seed: u64) -> serde_json::Value {
    let mut run = violated(seed);
    let tenure = |shard: u64, server: u64, range_id: u64, from: u64, to: u64| {
        json!({"shard": shard, "server": format!("server-{server}"),
        "range_id": range_id, "from_ms": from, "to_ms": to, "commits": 40 + shard * server})
    };
    let tenures: Vec<_> = (1..=20u64)
        .flat_map(|shard| {
            let (home, begin) = (shard % 3 + 1, 300 + shard * 40);
            let guest = (shard + 1 + shard % 2) % 3 + 1;
            let mut owned = vec![
                tenure(shard, home, 1, begin, 11_000 + shard * 10),
                tenure(shard, home, 1 << 27, 18_400 + shard * 10, 30_000),
            ];
            if shard > 3 {
                owned.push(tenure(shard, guest, (1 << 27) + 1, 30_200 + shard * 100, 35_000 + shard * 20));
                owned.push(tenure(shard, home, (1 << 27) + 2, 36_000 + shard * 100, 1_200_000));
            }
            owned
        })
        .collect();
    run["ownership"] = json!({"tenures": tenures, "in_doubt": 41, "in_doubt_applied": 3, "lost": 55, "losses_reported": 2,
        "commits_in_doubt": [
            {"at_ms": 10_950, "server": "server-2", "shard": 7, "range": "1", "sequence": 412,
                "workflow_ids": ["order-3", "order-4"], "fate": "applied"},
            {"at_ms": 10_951, "server": "server-2", "shard": 7, "range": "1", "sequence": 413,
                "workflow_ids": [], "fate": "unknown"},
            {"at_ms": 17_100, "server": "server-3", "shard": 11, "range": "1:0", "sequence": 98,
                "workflow_ids": ["order-11"], "fate": "lost"}],
        "failovers": [{"at_ms": 17_600, "database": "db-2", "term": 2, "without_commits_ms": 7_200},
            {"at_ms": 37_250, "database": "db-3", "term": 3, "without_commits_ms": 721}],
        "harmed": ["order-0", "order-11", "order-2"]});
    run
}

fn violated(seed: u64) -> serde_json::Value {
    let mut run = storm(seed);
    let workflow = format!("order-{}", seed % 50);
    run["verdict"] = json!("violated");
    run["plant"] = json!("ack-before-fsync");
    run["violations"] = json!([
        {"invariant": "acked-durable", "at_ms": 21_412, "workflow_id": workflow, "run_id": "4c1f",
         "message": format!("{workflow}: the signal amend-2 was acknowledged at 0:20.117 but is not in the history"),
         "evidence": ["SignalWorkflowExecution amend-2 sent 20.109 s, acknowledged 20.117 s by server-1",
             "server-1 lost power at 20.131 s: 3 commits were not synced", {"shard": 7, "range_id": 3, "sequence": [118, 121]}]},
        {"invariant": "state-equals-history", "at_ms": 21_900, "workflow_id": workflow,
         "message": format!("{workflow}: next event id is 14, its history ends with 11")},
    ]);
    run["reproduce"] = json!(format!("tempest run order-saga --seed {seed} --plant ack-before-fsync --set orders=52"));
    run["histories"] = json!({format!("{workflow}/4c1f"): {"events": [
        {"eventId": "1", "eventTime": "2026-01-01T00:00:03.120Z", "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
         "workflowExecutionStartedEventAttributes": {"workflowType": {"name": "order"}, "taskQueue": {"name": "orders"}}},
        {"eventId": "2", "eventTime": "2026-01-01T00:00:03.120Z", "eventType": "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
         "workflowTaskScheduledEventAttributes": {"attempt": 1}},
        {"eventId": "3", "eventTime": "2026-01-01T00:00:05.700Z", "eventType": "EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT",
         "workflowTaskTimedOutEventAttributes": {"scheduledEventId": "2", "timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"}},
    ]}});
    run
}

/// Every run of a page must survive what ids, messages and names may hold.
const HOSTILE: &str = "<script>alert('x')</script>\"'&--></style>|`]]>\u{0}\u{1b}";

fn hostile() -> serde_json::Value {
    json!({
        "scenario": HOSTILE, "seed": "18446744073709551615", "world": HOSTILE, "verdict": HOSTILE, "plant": HOSTILE,
        "trace_hash": HOSTILE, "options": {HOSTILE: HOSTILE}, "probes": {HOSTILE: 1}, "commit": HOSTILE, "lock_hash": HOSTILE,
        "faults": [{"kind": HOSTILE, "hosts": HOSTILE, "detail": HOSTILE, "at_ms": 5, "until_ms": -7e300}],
        "hosts": [{"name": HOSTILE, "spans": [{"from_ms": 900, "to_ms": 3, "state": "down"}, {"state": HOSTILE}]}],
        "phases": [{"name": HOSTILE, "from_ms": 10, "to_ms": -10}, {"name": "storm", "from_ms": 1, "to_ms": 2}],
        "checks": [{"invariant": HOSTILE, "note": HOSTILE}],
        "violations": [{"invariant": HOSTILE, "message": HOSTILE, "at_ms": 1e300, "workflow_id": HOSTILE, "run_id": HOSTILE,
            "evidence": {HOSTILE: [HOSTILE]}}],
        "operations": [{"rpc": HOSTILE, "outcome": HOSTILE, "code": HOSTILE, "at_ms": -4.0, "done_ms": -9.0}],
        "histories": {format!("{HOSTILE}/{HOSTILE}"): {"events": [{"eventType": HOSTILE, HOSTILE: HOSTILE,
            "xEventAttributes": {HOSTILE: HOSTILE}}, 3, null]}},
        "ownership": {"tenures": [{"shard": 3, "server": HOSTILE, "from_ms": 900, "to_ms": -7e300, "commits": u64::MAX}, {"commits": 1}, {"commits": u64::MAX}],
            "failovers": [{"at_ms": 1e300, "database": HOSTILE, "without_commits_ms": -4}, {}], "lost": 1, "harmed": [HOSTILE],
            "in_doubt": 1, "commits_in_doubt": [{"at_ms": -7e300, "server": HOSTILE, "range": HOSTILE, "sequence": u64::MAX, "workflow_ids": [HOSTILE], "fate": HOSTILE}, {}]},
        "virtual_ms": 4, "wall_ms": 0, "a_field_of_tomorrow": {"x": [1]},
    })
}

/// The page is well formed: what is opened is closed in order, attributes are quoted, and text holds no stray bracket.
fn check_page(page: &str) {
    const VOID: &[&str] = &["meta", "!doctype"];
    let mut open: Vec<String> = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>') || open.last().is_some_and(|tag| tag == "style"), "{}", &rest[..start]);
        let end = start + tag_end(&rest[start..]);
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().expect("a split has a first part");
        assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '!'), "tag {name:?}");
        assert_ne!(name, "script", "pages hold no script");
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed out of order");
        } else if !tag.ends_with('/') && !VOID.contains(&name) && name != "br" {
            open.push(name.to_string());
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    for outside in ["src=", "url(", "@import", "http://", "https://", "NaN", "inf\"", "{{", "{%"] {
        assert!(!page.contains(outside), "the page holds {outside}");
    }
}

/// Where the tag at the start of `text` ends, quoted attributes respected.
fn tag_end(text: &str) -> usize {
    let mut quoted = false;
    for (index, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '>' if !quoted => return index,
            _ => {}
        }
    }
    panic!("a tag never ends: {}", text.chars().take(80).collect::<String>());
}

#[test]
fn pages_are_well_formed() {
    for sample in [storm(3), violated(4), cluster(4), hostile(), json!({"scenario": "empty"})] {
        check_page(&run_page(&run(sample)));
    }
    let mut runs: Vec<Run> =
        (0..60).map(|seed| run(if seed % 13 == 5 { violated(seed) } else { storm(seed) })).collect();
    runs.push(run(hostile()));
    runs[5].page = Some(HOSTILE.into());
    check_page(&campaign_page(&runs));
    check_page(&campaign_page(&[]));
    check_page(&campaign_page(&runs[..1]));
}

#[test]
fn the_verdict_comes_first_and_the_command_is_whole() {
    let page = run_page(&run(violated(4)));
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
    let page = run_page(&run(cluster(4)));
    let section = &page[page.find("<h2>Who owned what").expect("section")..];
    let section = &section[..section.find("<section>").expect("what follows")];
    insta::assert_snapshot!(section.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"));
    assert!(
        page.contains("<b>34</b><span>shard hand-overs</span><small>2 database failovers, 55 commits lost</small>")
    );
    assert!(page.contains("not drawn: 4 more shards, which changed hands at most 2 times"));
    assert!(page.contains(">db-2 primary of term 2: no commit for 7.20 s<"), "a label");
    assert_eq!(page.matches("class=\"failover-line\"").count(), 2);
    assert_eq!(page.matches("class=\"silence\" x=").count(), 1, "shards had commits throughout the second failover");
    for server in ["server-1", "server-2", "server-3"] {
        assert!(page.contains(&format!("</i>owned by {server}</span>")), "the legend names {server}");
    }
    let mut nothing_lost = cluster(4);
    nothing_lost["ownership"]["lost"] = json!(0);
    assert!(!run_page(&run(nothing_lost)).contains("Lost:"));
}

#[test]
fn the_page_lists_which_commits_were_in_doubt() {
    const ROWS: usize = 200;
    let mut sample = cluster(4);
    let commits: Vec<_> = (0..ROWS + 7)
        .map(|index| {
            json!({"at_ms": 1_000 + index, "server": "server-1", "shard": 5, "range": "2", "sequence": 100 + index,
            "workflow_ids": [format!("<b>order-{index}")], "fate": "not-applied"})
        })
        .collect();
    sample["ownership"]["commits_in_doubt"] = json!(commits);
    sample["ownership"]["in_doubt"] = json!(ROWS + 9);
    let page = run_page(&run(sample.clone()));
    check_page(&page);
    let row = "<tr><td class=\"t\">1.000 s</td><td>server-1</td><td class=\"n\">5</td><td class=\"n\">2</td>\
               <td class=\"n\">100</td><td class=\"mono\">&lt;b&gt;order-0</td><td>not applied</td></tr>";
    assert!(page.contains(row));
    assert_eq!(page.matches("<td>not applied</td>").count(), ROWS);
    assert!(page.contains("<p class=\"about\">and 9 more</p>"), "those of which only the number is known are counted");
    sample["ownership"].as_object_mut().expect("an object").remove("commits_in_doubt");
    let older = run_page(&run(sample));
    assert!(!older.contains("Commits in doubt") && older.contains("<b>In doubt:</b> 209 commits"));
}

#[test]
fn a_server_that_was_alone_owned_everything() {
    let mut alone = storm(3);
    alone["ownership"] = json!({"tenures": [], "in_doubt": 0, "in_doubt_applied": 0, "failovers": [], "lost": 0,
        "losses_reported": 0, "harmed": []});
    for sample in [alone, storm(3)] {
        let page = run_page(&run(sample));
        for told in
            ["Who owned what", "hand-overs", "owned by", "class=\"owner-", "class=\"failover", "class=\"silence"]
        {
            assert!(!page.contains(told), "{told}");
        }
    }
}

#[test]
fn failed_runs_come_first_in_a_campaign() {
    let runs: Vec<Run> = [storm(1), violated(2), storm(3)].map(run).into();
    let page = campaign_page(&runs);
    let rows = &page[page.rfind("<h2>Runs</h2>").expect("table")..];
    let failed = rows.find("<td class=\"n\">2</td>").expect("failed run");
    assert!(failed < rows.find("<td class=\"n\">1</td>").expect("run that held"));
    assert!(page.contains("1 of 3 runs failed, in 2 different ways."));
    assert!(page.contains("store.torn_tail"));
}

/// What the harness writes, field by field.
fn as_written() -> serde_json::Value {
    json!({
        "version": 1, "scenario": "order-saga", "seed": 12, "world": "lockstep", "plant": null, "verdict": "violated",
        "violations": [{"invariant": "signals-once-in-order", "what": "order-3: signal amend-1 is there twice",
            "evidence": ["#17 client SignalWorkflowExecution at 9.250 s: ok"]}],
        "trace_hash": "00aa", "workflows": 2, "options": [{"name": "orders", "value": 2, "set": false}],
        "faults": [
            {"at_ms": 3000, "fault": {"kind": "power-loss", "host": "server", "operation": 12, "down_ms": 1500}},
            {"at_ms": 5000, "fault": {"kind": "partition", "one_side": ["server"], "other_side": ["worker-1"], "for_ms": 9000}},
            {"at_ms": 6000, "fault": {"kind": "crash", "host": "worker-1", "down_ms": 700}},
            {"at_ms": 7000, "fault": {"kind": "latency", "from": "client", "to": "server", "extra_ms": 90, "for_ms": 500}},
            {"at_ms": 11000, "fault": {"kind": "crash", "host": "worker-1", "down_ms": 700}}],
        "probes": {}, "checks": [{"invariant": "signals-once-in-order", "violations": 1, "note": "4 signals"}],
        "phases": [{"name": "storm", "from_ms": 0, "to_ms": 10000}],
        "timeline": [{"at_ms": 3000, "what": "begin power-loss host=server"}, {"at_ms": 3200, "what": "server lost its power"},
            {"at_ms": 4700, "what": "start server"},
            {"at_ms": 5000, "what": "begin partition for_ms=9000 one_side=server other_side=worker-1"}, {"at_ms": 6000, "what": "begin crash down_ms=700 host=worker-1"},
            {"at_ms": 6700, "what": "start worker-1"},
            {"at_ms": 7000, "what": "begin latency extra_ms=90 for_ms=500 from=client to=server"}, {"at_ms": 10000, "what": "heal: no fault is left"}],
        "operations": [
            {"id": 0, "caller": "client", "rpc": "SignalWorkflowExecution", "invoked_ms": 9250, "completed_ms": 9260, "outcome": "ok"},
            {"id": 1, "caller": "client", "rpc": "SignalWorkflowExecution", "invoked_ms": 9300, "completed_ms": 9900,
             "outcome": "unknown Unavailable: connection reset"},
            {"id": 2, "caller": "client", "rpc": "SignalWorkflowExecution", "invoked_ms": 9950, "completed_ms": null, "outcome": "pending"}],
        "histories": {"order-3/11112222-3333": {"events": [{"eventId": "1", "eventType": "EVENT_TYPE_TIMER_FIRED"}]},
            "order-33/99992222-3333": {"events": []}},
        "virtual_ms": 12000, "wall_ms": 80, "reproduce": "tempest run order-saga --seed 12", "request": {}, "harness": "0.1.0",
    })
}

#[test]
fn a_crash_at_a_crash_point_happened_though_nobody_planned_it() {
    let mut artefact = as_written();
    artefact["faults"] = json!([{"at_ms": 3000, "fault": {"kind": "crash", "host": "server", "down_ms": 1500}}]);
    artefact["timeline"] = json!([{"at_ms": 60, "what": "crash worker-1 at the crash point"},
        {"at_ms": 160, "what": "start worker-1"}, {"at_ms": 900, "what": "heal: no fault is left"}]);
    let run = run(artefact);
    let shown: Vec<_> = run.faults.iter().map(|fault| (fault.at_ms, fault.hosts.join(" "))).collect();
    assert_eq!((shown, run.only_planned), (vec![(60.0, "worker-1".to_owned())], 1));
}

#[test]
fn a_run_as_the_harness_writes_it() {
    let run = run(as_written());
    let spans: Vec<String> = run
        .host_lanes()
        .iter()
        .flat_map(|host| {
            let name = host.name.clone();
            host.spans.iter().map(move |span| format!("{name} {:?} {}-{}", span.state, span.from_ms, span.to_ms))
        })
        .collect();
    let expected = [
        "server Partitioned 5000-10000",
        "server Down 3200-4700",
        "worker-1 Partitioned 5000-10000",
        "worker-1 Down 6000-6700",
    ];
    assert_eq!(spans, expected, "the timeline says when a host was down, the heal when a partition ended");
    let details: Vec<&str> = run.faults.iter().map(|fault| fault.detail.as_str()).collect();
    assert_eq!(
        details,
        ["operation 12, down 1500 ms", "server | worker-1", "", "extra 90 ms"],
        "the second crash was only planned"
    );
    assert_eq!(run.only_planned, 1);
    let outcomes: Vec<String> =
        run.operations.iter().map(|operation| format!("{:?} {}", operation.outcome, operation.code)).collect();
    assert_eq!(outcomes, ["Ok ", "Unknown Unavailable", "Unknown "]);
    assert_eq!(run.violations[0].moment_ms(), Some(9250.0));
    let page = run_page(&run);
    check_page(&page);
    assert!(page.contains("History of order-3&#x2f;11112222-3333"), "the message names its workflow");
    assert!(!page.contains("History of order-33"), "and no other");
}

#[test]
fn markdown_of_a_failed_run() {
    insta::assert_snapshot!(markdown(&[run(violated(4))]));
}

#[test]
fn markdown_of_a_campaign() {
    let runs: Vec<Run> = [storm(1), violated(2), storm(3), violated(5)].map(run).into();
    insta::assert_snapshot!(markdown(&runs));
}

#[test]
fn markdown_makes_nothing_of_hostile_text() {
    let runs = [run(hostile()), run(hostile())];
    for text in [markdown(&runs), markdown(&runs[..1])] {
        let outside_code: String = text.split("``").step_by(2).flat_map(|part| part.split('`').step_by(2)).collect();
        assert!(!outside_code.contains("<script>"), "{text}");
    }
    assert_eq!(markdown(&[]), "# No runs\n\nNo artefact was found.\n");
}

#[test]
fn junit_has_a_case_per_seed() {
    let runs: Vec<Run> = [storm(1), violated(2), hostile(), json!({"scenario": "dead"})].map(run).into();
    let xml = junit(&runs);
    assert!(xml.contains(r#"<testsuites name="tempest" tests="4" failures="2" errors="1""#), "{xml}");
    assert!(xml.contains(r#"name="seed 2" classname="tempest.order-saga""#), "{xml}");
    assert!(xml.contains(r#"type="acked-durable""#));
    assert!(!xml.contains("<script>"));
    assert!(junit(&[]).contains(r#"tests="0""#));
}

#[test]
fn json_counts_and_lists() {
    let runs: Vec<Run> = [storm(1), violated(2)].map(run).into();
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
    write("deeper/seed-9.json", violated(9).to_string());
    write(
        "summaries.jsonl",
        format!("{}\n\n{}\n", storm(2), json!({"scenario": "s", "seed": 1, "faults": 12, "verdict": "ok"})),
    );
    let summary =
        json!({"scenario": "order-saga", "seed": 9, "trace_hash": violated(9)["trace_hash"], "verdict": "failed"});
    write("campaign.jsonl", summary.to_string());
    write("broken.json", "{".into());
    write("other.json", json!({"name": "package"}).to_string());
    write("notes.txt", "not looked at".into());
    let loaded = load_dir(directory.path()).expect("readable");
    let seeds: Vec<u64> = loaded.runs.iter().map(|run| run.seed).collect();
    assert_eq!(seeds, [2, 9, 1], "ordered by scenario and seed");
    assert!(loaded.runs[1].operations.len() > 100, "an artefact counts for more than the line about the same run");
    assert_eq!(loaded.runs[2].faults.len(), 12, "a summary only counts its faults");
    let skipped: Vec<String> = loaded.skipped.iter().map(|skipped| skipped.path.display().to_string()).collect();
    assert_eq!(skipped, ["broken.json", "other.json"]);
    assert_eq!(loaded.skipped[1].reason, "it names no scenario");
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
    write("held.html", run_page(&run(storm(3))));
    write("violated.html", run_page(&run(violated(4))));
    write("cluster.html", run_page(&run(cluster(4))));
    write("hostile.html", run_page(&run(hostile())));
    write("empty.html", run_page(&run(json!({"scenario": "empty"}))));
    let runs: Vec<Run> = (0..120).map(|seed| run(if seed % 29 == 5 { violated(seed) } else { storm(seed) })).collect();
    write("as-written.html", run_page(&run(as_written())));
    write("campaign.html", campaign_page(&runs));
}
