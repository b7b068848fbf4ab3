//! Runs as the harness would leave them, and as an adversary would make them.
use serde_json::json;
use tempest_artifact::fault::{ClockJump, Clog, Crash, DiskSlow, OneWay, Partition, Pause, PowerLoss, Reset};
use tempest_artifact::{
    ARTIFACT_VERSION, About, Artifact, Checked, CommitInDoubt, Drawn, Event, Fault, FaultPlan, Host, InDoubtOutcome,
    Invariant, Lease, Operation, Outcome, Ownership, Phase, PlannedFault, Promotion, TimelineEntry, Verdict, Violation,
};

pub fn host(name: &str) -> Host {
    Host(name.to_owned())
}

fn told(at_ms: u64, event: Event) -> TimelineEntry {
    TimelineEntry { at_ms, event }
}

/// One of nine kinds of faults at a host, and what the timeline tells of it besides that it began.
fn fault(number: u64, name: &str, at_ms: u64, lasts_ms: u64) -> (Fault, Vec<TimelineEntry>) {
    let (host, server) = (host(name), host("server"));
    let peer = if host == server { Host::client() } else { server };
    let started = |after| told(at_ms + after, Event::HostStarted { host: host.clone() });
    let host_again = host.clone();
    match number % 9 {
        0 => (Fault::Crash(Crash { host: host_again, down_ms: lasts_ms }), vec![started(lasts_ms)]),
        1 => {
            let lost = told(at_ms + 40, Event::PowerLost { host: host.clone() });
            let loss = PowerLoss { host: host_again, change: 7, down_ms: lasts_ms };
            (Fault::PowerLoss(loss), vec![lost, started(lasts_ms)])
        }
        2 => (Fault::Pause(Pause { host: host_again, for_ms: lasts_ms }), Vec::new()),
        3 => {
            let cut = Partition { one_side: vec![host_again], other_side: vec![peer], for_ms: lasts_ms };
            (Fault::Partition(cut), Vec::new())
        }
        4 => (Fault::OneWay(OneWay { from: host_again, to: peer, for_ms: lasts_ms }), Vec::new()),
        5 => (Fault::Clog(Clog { from: peer, to: host_again, for_ms: lasts_ms }), Vec::new()),
        6 => (Fault::Reset(Reset { one: host_again, other: peer }), Vec::new()),
        7 => (Fault::ClockJump(ClockJump { host: host_again, by_ms: 90_000, for_ms: lasts_ms }), Vec::new()),
        _ => (Fault::DiskSlow(DiskSlow { host: host_again, times: 20, for_ms: lasts_ms }), Vec::new()),
    }
}

/// A plan and the timeline of how it was carried out.
fn storm_of_faults(seed: u64) -> (FaultPlan, Vec<TimelineEntry>) {
    let mut planned: Vec<(PlannedFault, Vec<TimelineEntry>, u64)> = (0..16 + seed % 5)
        .map(|index| {
            let at_ms = 2_000 + (seed * 37 + index * 2_311) % 40_000;
            let name = ["server", "worker-1", "worker-2"][((index * 7 + seed) % 3) as usize];
            let lasts_ms = 400 + (index * 577 + seed * 91) % 3_800;
            let (fault, follows) = fault(index * (seed % 4 + 1) + seed, name, at_ms, lasts_ms);
            (PlannedFault { at_ms, fault }, follows, lasts_ms)
        })
        .collect();
    planned.sort_by_key(|(planned, ..)| planned.at_ms);
    let mut timeline = vec![told(44_000, Event::Healed)];
    for (number, (planned, follows, lasts_ms)) in planned.iter().enumerate() {
        timeline.push(told(planned.at_ms, Event::FaultBegan { fault: number }));
        timeline.extend(follows.iter().cloned());
        if planned.fault.lasts().is_some() {
            timeline.push(told(planned.at_ms + lasts_ms, Event::FaultEnded { fault: number }));
        }
    }
    timeline.sort_by_key(|entry| entry.at_ms);
    (FaultPlan(planned.into_iter().map(|(planned, ..)| planned).collect()), timeline)
}

fn operations(seed: u64) -> Vec<Operation> {
    let rpcs = [
        "StartWorkflowExecution",
        "SignalWorkflowExecution",
        "GetWorkflowExecutionHistory",
        "RequestCancelWorkflowExecution",
    ];
    let operation = |id: u64| {
        let invoked_ms = (id * id * 7 + seed * 131 + id * 101) % 44_000;
        let status = |code: &str| (code.to_owned(), "because".to_owned());
        let outcome = match (id * 13 + seed) % 23 {
            0 => Outcome::Pending,
            1 | 2 => {
                let (code, message) = status("NotFound");
                Outcome::Failed { code, message }
            }
            3 => {
                let (code, message) = status("Unavailable");
                Outcome::Unknown { code, message }
            }
            _ => Outcome::Ok,
        };
        Operation {
            id,
            caller: if id.is_multiple_of(5) { "worker-1" } else { "client" }.to_owned(),
            rpc: rpcs[(id * 3 % 7 % 4) as usize].to_owned(),
            invoked_ms,
            completed_ms: (outcome != Outcome::Pending).then_some(invoked_ms + 2 + id % 41),
            outcome,
        }
    };
    (0..420).map(operation).collect()
}

fn phases() -> Vec<Phase> {
    let bounds = [0, 2_000, 44_000, 1_790_000, 1_800_000];
    let names = ["warm up", Phase::STORM, "drain", "verify"];
    let phase = |(name, bounds): (&str, &[u64])| Phase { name: name.to_owned(), from_ms: bounds[0], to_ms: bounds[1] };
    names.into_iter().zip(bounds.windows(2)).map(phase).collect()
}

/// A storm of 40 s and a long drain, everything in it.
pub fn storm(seed: u64) -> Artifact {
    let (plan, timeline) = storm_of_faults(seed);
    let check = |(invariant, checked): (Invariant, u64)| Checked {
        invariant,
        judged: checked > 0,
        violations: 0,
        checked: Some(checked),
        note: String::new(),
    };
    let checks = [
        (Invariant::AckedDurable, 412),
        (Invariant::ActivityOnce, 380),
        (Invariant::Clean, 1),
        (Invariant::HistoryWellformed, 74),
        (Invariant::Liveness, 74),
        (Invariant::OneOpenRun, 60),
        (Invariant::Replay, 74),
        (Invariant::SignalsOnceInOrder, 96),
        (Invariant::StateEqualsHistory, 74),
        (Invariant::TimersNotEarly, 0),
    ];
    let option = |(name, value, set): (&str, u64, bool)| Drawn { name: name.to_owned(), value, set };
    let options = [
        ("orders", 50 + seed % 25, true),
        ("shards", 16, false),
        ("worker_cache", 1, false),
        ("latency_max_us", 4_200, false),
        ("group_commit_max", 64, false),
        ("preemption_per_million", 35, false),
    ];
    let probes = [
        ("history.transient_task", 12),
        ("matching.sync_match", 371),
        ("matching.backlog", seed % 3),
        ("shard.outcome_unknown", 4),
        ("history.buffered_event", 29),
        ("store.torn_tail", 0),
    ];
    Artifact {
        version: ARTIFACT_VERSION,
        scenario: "order-saga".into(),
        seed,
        world: "lockstep".into(),
        verdict: Verdict::Held,
        trace_hash: format!("{:016x}", seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        workflows: 50 + seed % 25,
        options: options.map(option).into(),
        faults: plan.0.len() as u64,
        plan,
        timeline,
        operations: operations(seed),
        checks: checks.map(check).into(),
        phases: phases(),
        probes: probes.map(|(name, times)| (name.to_owned(), times)).into(),
        virtual_ms: 1_800_000,
        wall_ms: 900 + (seed * seed * 53) % 1_400,
        harness: "0.1.0".into(),
        ..Artifact::default()
    }
}

/// The same with a planted bug that two invariants have noticed.
pub fn violated(seed: u64) -> Artifact {
    let workflow = format!("order-{}", seed % 50);
    let lost = format!("{workflow}: the signal amend-2 was acknowledged at 0:20.117 but is not in the history");
    let lost = Violation {
        at_ms: Some(20_109),
        about: vec![About { workflow_id: workflow.clone(), run_id: "4c1f".into() }],
        ..Violation::new(Invariant::AckedDurable, lost)
            .because("SignalWorkflowExecution amend-2 sent 20.109 s, acknowledged 20.117 s by server")
            .because("server lost power at 20.131 s: 3 commits were not synced")
    };
    let differs = format!("{workflow}: next event id is 14, its history ends with 11");
    let history = json!({"events": [
        {"eventId": "1", "eventTime": "2026-01-01T00:00:03.120Z", "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
         "workflowExecutionStartedEventAttributes": {"workflowType": {"name": "order"}, "taskQueue": {"name": "orders"}}},
        {"eventId": "2", "eventTime": "2026-01-01T00:00:03.120Z", "eventType": "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
         "workflowTaskScheduledEventAttributes": {"attempt": 1}},
        {"eventId": "3", "eventTime": "2026-01-01T00:00:05.700Z", "eventType": "EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT",
         "workflowTaskTimedOutEventAttributes": {"scheduledEventId": "2", "timeoutType": "TIMEOUT_TYPE_START_TO_CLOSE"}},
    ]});
    let mut artifact = storm(seed);
    for name in [Invariant::AckedDurable, Invariant::StateEqualsHistory] {
        let check = artifact.checks.iter_mut().find(|check| check.invariant == name).expect("it was checked");
        check.violations = 1;
    }
    Artifact {
        verdict: Verdict::Violated,
        plant: Some("ack-before-fsync".into()),
        violations: vec![lost, Violation::new(Invariant::StateEqualsHistory, differs)],
        reproduce: format!("tempest run order-saga --seed {seed} --plant ack-before-fsync --set orders=52"),
        histories: [(format!("{workflow}/4c1f"), history)].into(),
        ..artifact
    }
}

/// A storm over three servers and twenty shards, whose asynchronous database failed over twice.
pub fn cluster(seed: u64) -> Artifact {
    let lease = |shard: u32, server: u32, range_id: i64, from_ms: u32, to_ms: u32| Lease {
        shard,
        server: format!("server-{server}"),
        range_id,
        from_ms: from_ms.into(),
        to_ms: to_ms.into(),
        commits: (40 + shard * server).into(),
    };
    let of_shard = |shard: u32| {
        let (home, begin) = (shard % 3 + 1, 300 + shard * 40);
        let guest = (shard + 1 + shard % 2) % 3 + 1;
        let mut owned = vec![
            lease(shard, home, 1, begin, 11_000 + shard * 10),
            lease(shard, home, 1 << 27, 18_400 + shard * 10, 30_000),
        ];
        if shard > 3 {
            owned.push(lease(shard, guest, (1 << 27) + 1, 30_200 + shard * 100, 35_000 + shard * 20));
            owned.push(lease(shard, home, (1 << 27) + 2, 36_000 + shard * 100, 1_200_000));
        }
        owned
    };
    let in_doubt = |at_ms, server: &str, shard, range: &str, sequence, workflows: &[&str], outcome| CommitInDoubt {
        at_ms,
        server: server.into(),
        shard,
        range: range.into(),
        sequence,
        workflow_ids: workflows.iter().map(|id| (*id).to_owned()).collect(),
        outcome,
    };
    let failover = |at_ms, database: &str, term, without_commits_ms| Promotion {
        at_ms,
        database: database.into(),
        term,
        without_commits_ms,
    };
    let ownership = Ownership {
        leases: (1..=20).flat_map(of_shard).collect(),
        in_doubt: 41,
        in_doubt_applied: 3,
        commits_in_doubt: vec![
            in_doubt(10_950, "server-2", 7, "1", 412, &["order-3", "order-4"], InDoubtOutcome::Applied),
            in_doubt(10_951, "server-2", 7, "1", 413, &[], InDoubtOutcome::Unknown),
            in_doubt(17_100, "server-3", 11, "1:0", 98, &["order-11"], InDoubtOutcome::Lost),
        ],
        failovers: vec![failover(17_600, "db-2", 2, 7_200), failover(37_250, "db-3", 3, 721)],
        lost: 55,
        losses_reported: 2,
        harmed: ["order-0", "order-11", "order-2"].map(str::to_owned).into(),
    };
    Artifact { ownership, ..violated(seed) }
}

/// Every run of a page must survive what ids, messages and names may hold.
pub const HOSTILE: &str = "<script>alert('x')</script>\"'&--></style>|`]]>\u{0}\u{1b}";

pub fn hostile() -> Artifact {
    let text = || HOSTILE.to_owned();
    let plan = vec![
        PlannedFault {
            at_ms: u64::MAX,
            fault: Fault::Partition(Partition { one_side: Vec::new(), other_side: vec![host(HOSTILE)], for_ms: 0 }),
        },
        PlannedFault { at_ms: 5, fault: Fault::Pause(Pause { host: host(HOSTILE), for_ms: u64::MAX }) },
    ];
    let timeline = vec![
        told(u64::MAX, Event::FaultBegan { fault: 1 }),
        told(3, Event::FaultEnded { fault: 1 }),
        told(2, Event::FaultBegan { fault: 0 }),
        told(2, Event::FaultBegan { fault: usize::MAX }),
        told(900, Event::HostStopping { host: host(HOSTILE) }),
        told(3, Event::HostStarted { host: host(HOSTILE) }),
        told(1, Event::Told { text: text() }),
    ];
    let lease = |shard, server: String, from_ms, to_ms, commits| Lease {
        shard,
        server,
        range_id: i64::MIN,
        from_ms,
        to_ms,
        commits,
    };
    let in_doubt = CommitInDoubt {
        at_ms: u64::MAX,
        server: text(),
        shard: u32::MAX,
        range: text(),
        sequence: u64::MAX,
        workflow_ids: vec![text()],
        outcome: InDoubtOutcome::Unknown,
    };
    let failover = Promotion { at_ms: u64::MAX, database: text(), term: u64::MAX, without_commits_ms: u64::MAX };
    let violation = Violation {
        at_ms: Some(u64::MAX),
        about: vec![About { workflow_id: text(), run_id: text() }],
        ..Violation::new(Invariant::Clean, HOSTILE).because(HOSTILE)
    };
    let operation = Operation {
        id: 0,
        caller: text(),
        rpc: text(),
        invoked_ms: 9,
        completed_ms: Some(4),
        outcome: Outcome::Failed { code: text(), message: text() },
    };
    let history =
        json!({"events": [{"eventType": HOSTILE, HOSTILE: HOSTILE, "xEventAttributes": {HOSTILE: HOSTILE}}, 3, null]});
    Artifact {
        version: ARTIFACT_VERSION,
        scenario: text(),
        seed: u64::MAX,
        world: text(),
        plant: Some(text()),
        verdict: Verdict::Violated,
        violations: vec![violation],
        trace_hash: text(),
        workflows: u64::MAX,
        options: vec![Drawn { name: text(), value: u64::MAX, set: true }],
        plan: FaultPlan(plan),
        faults: 3,
        probes: [(text(), 1)].into(),
        ownership: Ownership {
            leases: vec![
                lease(3, text(), 900, 3, u64::MAX),
                lease(0, text(), 0, u64::MAX, 1),
                lease(0, String::new(), 0, 0, u64::MAX),
            ],
            in_doubt: 1,
            in_doubt_applied: 7,
            commits_in_doubt: vec![in_doubt.clone(), in_doubt],
            failovers: vec![failover],
            lost: 1,
            losses_reported: 0,
            harmed: vec![text()],
        },
        checks: vec![Checked { invariant: Invariant::Model, judged: true, violations: 1, checked: None, note: text() }],
        phases: vec![
            Phase { name: text(), from_ms: 10, to_ms: 1 },
            Phase { name: Phase::STORM.into(), from_ms: 1, to_ms: 2 },
        ],
        timeline,
        operations: vec![operation],
        histories: [(format!("{HOSTILE}/{HOSTILE}"), history)].into(),
        virtual_ms: 4,
        harness: text(),
        ..Artifact::default()
    }
}
