//! A page for each kind of fault: what its picture shows of which host. A kind that is not here fails the build.
use crate::samples::host;
use crate::wellformed::{check_page, drawn};
use tempest_artifact::fault::*;
use tempest_artifact::{
    ARTIFACT_VERSION, Artifact, Event, Host, LogEnd, Operation, Outcome, Phase, TimelineEntry, Verdict,
};
use tempest_reports::{Run, markdown, run_page};

/// When the fault of a sample begins and, if it lasts, ends.
const BEGINS_MS: u64 = 5_000;
const LASTS_MS: u64 = 9_000;
const HEALED_MS: u64 = 40_000;

/// The hosts of a cluster.
const ALL: [&str; 10] =
    ["server-1", "server-2", "server-3", "worker-1", "worker-2", "client", "db-1", "db-2", "db-3", "db-monitor"];

/// A fault, and what its picture must show.
struct Sample {
    fault: Fault,
    /// What the timeline tells besides that it began and ended.
    follows: Vec<(u64, Event)>,
    /// What its bar says.
    label: &'static str,
    /// States of hosts that are not up.
    states: Vec<(&'static str, &'static str)>,
    /// Hosts that are marked as cut from some.
    cut: Vec<&'static str>,
    /// Hosts that are marked as disturbed.
    disturbed: Vec<&'static str>,
}

fn sample(fault: Fault, label: &'static str) -> Sample {
    let (follows, states, cut, disturbed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    Sample { fault, follows, label, states, cut, disturbed }
}

impl Sample {
    fn follows(mut self, follows: &[(u64, Event)]) -> Sample {
        self.follows = follows.to_vec();
        self
    }

    fn state(mut self, host: &'static str, state: &'static str) -> Sample {
        self.states.push((host, state));
        self
    }

    fn cut(mut self, hosts: &[&'static str]) -> Sample {
        self.cut = hosts.to_vec();
        self
    }

    fn disturbed(mut self, hosts: &[&'static str]) -> Sample {
        self.disturbed = hosts.to_vec();
        self
    }
}

fn hosts(names: &[&str]) -> Vec<Host> {
    names.iter().map(|name| host(name)).collect()
}

fn others(name: &str) -> Vec<Host> {
    hosts(&ALL).into_iter().filter(|other| other.as_str() != name).collect()
}

fn started(at_ms: u64, name: &str) -> (u64, Event) {
    (at_ms, Event::HostStarted { host: host(name) })
}

fn stopping(at_ms: u64, name: &str) -> (u64, Event) {
    (at_ms, Event::HostStopping { host: host(name) })
}

fn power_lost(at_ms: u64, name: &str) -> (u64, Event) {
    (at_ms, Event::PowerLost { host: host(name) })
}

fn network() -> Vec<Sample> {
    let for_ms = LASTS_MS;
    let (left, right) = ALL.split_at(4);
    let (server, worker) = (|| host("server-1"), || host("worker-1"));
    vec![
        sample(
            Fault::Partition(Partition { one_side: hosts(left), other_side: hosts(right), for_ms }),
            "partition 4 | 6",
        )
        .cut(&ALL),
        sample(
            Fault::Isolate(Isolate { host: host("db-1"), others: others("db-1"), for_ms }),
            "isolate db-1 | all others",
        )
        .cut(&ALL)
        .state("db-1", "cut-off"),
        sample(
            Fault::IsolateDatabase(IsolateDatabase { host: host("db-1"), others: hosts(&ALL[7..]), for_ms }),
            "isolate-database db-1 | 3",
        )
        .cut(&ALL[6..]),
        sample(
            Fault::Bridge(Bridge {
                bridge: host("server-1"),
                one_side: hosts(&ALL[1..5]),
                other_side: hosts(&ALL[5..]),
                for_ms,
            }),
            "bridge 4 – server-1 – 5",
        )
        .cut(&ALL[1..]),
        sample(Fault::Ring(Ring { ring: hosts(&ALL), for_ms }), "ring of 10 hosts").cut(&ALL),
        sample(Fault::OneWay(OneWay { from: server(), to: worker(), for_ms }), "one-way server-1 → worker-1")
            .disturbed(&["server-1", "worker-1"]),
        sample(Fault::Clog(Clog { from: server(), to: worker(), for_ms }), "clog server-1 → worker-1")
            .disturbed(&["server-1", "worker-1"]),
        sample(Fault::Reset(Reset { one: server(), other: worker() }), "reset server-1 – worker-1")
            .disturbed(&["server-1", "worker-1"]),
        sample(
            Fault::Latency(Latency { from: server(), to: worker(), extra_ms: 900, bytes_per_second: 10_000, for_ms }),
            "latency server-1 → worker-1",
        )
        .disturbed(&["server-1", "worker-1"]),
        sample(
            Fault::SlowNode(SlowNode { host: host("db-2"), others: others("db-2"), extra_ms: 500, for_ms }),
            "slow-node db-2",
        )
        .disturbed(&["db-2"]),
        sample(
            Fault::SlowDatabaseLink(SlowDatabaseLink {
                host: server(),
                databases: hosts(&ALL[6..9]),
                extra_ms: 500,
                for_ms,
            }),
            "slow-database-link server-1",
        )
        .disturbed(&["server-1"]),
        sample(
            Fault::Flapping(Flapping { host: server(), others: vec![worker()], every_ms: 200, extra_ms: 20, for_ms }),
            "flapping server-1",
        )
        .disturbed(&["server-1"]),
    ]
}

fn process() -> Vec<Sample> {
    let server = || host("server-1");
    vec![
        sample(Fault::Crash(Crash { host: server(), down_ms: 3_000 }), "crash server-1")
            .follows(&[started(8_000, "server-1")])
            .state("server-1", "down"),
        sample(
            Fault::CrashInRecovery(CrashInRecovery { host: server(), down_ms: 1_000, change: 7 }),
            "crash-in-recovery server-1",
        )
        .follows(&[started(6_000, "server-1"), power_lost(6_500, "server-1"), started(8_000, "server-1")])
        .state("server-1", "down")
        .state("server-1", "down"),
        sample(Fault::PowerLoss(PowerLoss { host: server(), change: 40, down_ms: 2_000 }), "power-loss server-1")
            .follows(&[power_lost(7_000, "server-1"), started(9_000, "server-1")])
            .state("server-1", "down")
            .disturbed(&["server-1"]),
        sample(Fault::Restart(Restart { host: host("worker-2"), grace_ms: 3_000 }), "restart worker-2")
            .follows(&[started(8_000, "worker-2")])
            .state("worker-2", "stopping"),
        sample(
            Fault::RollingRestart(RollingRestart { hosts: hosts(&ALL[..3]), pace_ms: 2_000, grace_ms: 1_000 }),
            "rolling-restart 3 servers",
        )
        .follows(&[
            stopping(5_000, "server-1"),
            started(6_000, "server-1"),
            stopping(7_000, "server-2"),
            started(8_000, "server-2"),
            stopping(9_000, "server-3"),
            started(10_000, "server-3"),
        ])
        .state("server-1", "stopping")
        .state("server-2", "stopping")
        .state("server-3", "stopping"),
        sample(
            Fault::RestartUnderLoad(RestartUnderLoad {
                hosts: hosts(&ALL[..1]),
                workers: hosts(&ALL[3..5]),
                extra_ms: 700,
                pace_ms: 2_000,
                grace_ms: 1_000,
            }),
            "restart-under-load 1 server",
        )
        .follows(&[stopping(5_000, "server-1"), started(6_000, "server-1")])
        .state("server-1", "stopping")
        .disturbed(&["worker-1", "worker-2"]),
        sample(Fault::ZoneLoss(ZoneLoss { hosts: hosts(&[ALL[0], ALL[6]]), down_ms: 3_000 }), "zone-loss 2 hosts")
            .follows(&[started(8_000, "server-1"), started(8_000, "db-1")])
            .state("server-1", "down")
            .state("db-1", "down"),
        sample(Fault::ServerGone(ServerGone { host: host("server-3") }), "server-gone server-3")
            .state("server-3", "down"),
        sample(
            Fault::ServerReplaced(ServerReplaced { host: host("server-3"), by: host("server-2"), after_ms: 3_000 }),
            "server-replaced server-3 by server-2",
        )
        .follows(&[started(8_000, "server-2")])
        .state("server-2", "down")
        .state("server-3", "down"),
        sample(Fault::Pause(Pause { host: host("worker-1"), for_ms: LASTS_MS }), "pause worker-1")
            .state("worker-1", "paused"),
    ]
}

fn machines() -> Vec<Sample> {
    let for_ms = LASTS_MS;
    let (server, database, client) = (|| host("server-1"), || host("db-1"), || host("client"));
    vec![
        sample(
            Fault::ClockSkew(ClockSkew { host: server(), offset_ms: -4_000, rate_ppm: 300, for_ms }),
            "clock-skew server-1",
        )
        .disturbed(&["server-1"]),
        sample(Fault::ClockJump(ClockJump { host: client(), by_ms: 3_600_000, for_ms }), "clock-jump client")
            .disturbed(&["client"]),
        sample(Fault::DiskSlow(DiskSlow { host: database(), times: 20, for_ms }), "disk-slow db-1")
            .disturbed(&["db-1"]),
        sample(
            Fault::DiskFull(DiskFull { host: database(), room_bytes: 16 << 10, overwriting: true, for_ms }),
            "disk-full db-1",
        )
        .disturbed(&["db-1"]),
        sample(Fault::DiskErrors(DiskErrors { host: database(), per_million: 10_000, for_ms }), "disk-errors db-1")
            .disturbed(&["db-1"]),
        sample(Fault::SyncErrors(SyncErrors { host: database(), per_million: 10_000, for_ms }), "sync-errors db-1")
            .disturbed(&["db-1"]),
        sample(Fault::DiskLost(DiskLost { host: database(), down_ms: 3_000 }), "disk-lost db-1")
            .follows(&[started(8_000, "db-1")])
            .state("db-1", "down"),
        sample(Fault::BitRot(BitRot { host: database(), bits: 1, down_ms: 3_000 }), "bit-rot db-1")
            .follows(&[started(8_000, "db-1")])
            .state("db-1", "down"),
    ]
}

fn calls() -> Vec<Sample> {
    let (for_ms, per_million) = (LASTS_MS, 100_000);
    let (server, client, database) = (|| host("server-1"), || host("client"), || host("db-1"));
    let promoted =
        Event::Promoted { database: host("db-2"), term: 2, log_end: LogEnd { number: 12, term: 1 }, forced: true };
    vec![
        sample(Fault::AnswerLost(AnswerLost { host: client(), per_million, for_ms }), "answer-lost client")
            .disturbed(&["client"]),
        sample(Fault::DeliveredTwice(DeliveredTwice { host: client(), per_million, for_ms }), "delivered-twice client")
            .disturbed(&["client"]),
        sample(Fault::Hedged(Hedged { host: client(), per_million, for_ms }), "hedged client").disturbed(&["client"]),
        sample(Fault::PeerCallLost(PeerCallLost { host: server(), per_million, for_ms }), "peer-call-lost server-1")
            .disturbed(&["server-1"]),
        sample(Fault::PeerCallLate(PeerCallLate { host: server(), per_million, for_ms }), "peer-call-late server-1")
            .disturbed(&["server-1"]),
        sample(Fault::PeerCallTwice(PeerCallTwice { host: server(), per_million, for_ms }), "peer-call-twice server-1")
            .disturbed(&["server-1"]),
        sample(
            Fault::PeerAnswerLost(PeerAnswerLost { host: server(), per_million, for_ms }),
            "peer-answer-lost server-1",
        )
        .disturbed(&["server-1"]),
        sample(Fault::CommitInDoubt(CommitInDoubt { host: database(), per_million, for_ms }), "commit-in-doubt db-1")
            .disturbed(&["db-1"]),
        sample(Fault::SlowCommits(SlowCommits { host: database(), per_million, for_ms }), "slow-commits db-1")
            .disturbed(&["db-1"]),
        sample(Fault::SlowReads(SlowReads { host: database(), per_million, for_ms }), "slow-reads db-1")
            .disturbed(&["db-1"]),
        sample(
            Fault::OwnershipTaken(OwnershipTaken { host: server(), per_million, for_ms }),
            "ownership-taken server-1",
        )
        .disturbed(&["server-1"]),
        sample(Fault::ReadOnly(ReadOnly { host: database(), per_million: 1_000_000, for_ms }), "read-only db-1")
            .disturbed(&["db-1"]),
        sample(Fault::Promote(Promote { host: host("db-2") }), "promote db-2")
            .follows(&[(6_000, Event::Deposed { database: database() }), (6_000, promoted)])
            .disturbed(&["db-2"]),
    ]
}

/// Kind by kind, in the order in which `tempest faults` lists them.
fn samples() -> Vec<Sample> {
    [network(), process(), machines(), calls()].into_iter().flatten().collect()
}

/// A run in which nothing else happens.
fn run(sample: &Sample) -> Run {
    let began = (BEGINS_MS, Event::FaultBegan { fault: 0 });
    let ended = sample.fault.lasts().map(|_| (BEGINS_MS + LASTS_MS, Event::FaultEnded { fault: 0 }));
    let events = [began].into_iter().chain(sample.follows.iter().cloned()).chain(ended);
    let events = events.chain([(HEALED_MS, Event::Healed)]);
    let mut timeline: Vec<TimelineEntry> = events.map(|(at_ms, event)| TimelineEntry { at_ms, event }).collect();
    timeline.sort_by_key(|entry| entry.at_ms);
    let operation = |(id, caller): (u64, &&str)| Operation {
        id,
        caller: (*caller).to_owned(),
        rpc: "PollWorkflowTaskQueue".into(),
        invoked_ms: 1_000 + id * 777,
        completed_ms: Some(1_003 + id * 777),
        outcome: Outcome::Ok,
    };
    let phase = |name: &str, from_ms, to_ms| Phase { name: name.into(), from_ms, to_ms };
    let artifact = Artifact {
        version: ARTIFACT_VERSION,
        scenario: "one fault".into(),
        seed: 1,
        world: "lockstep".into(),
        verdict: Verdict::Held,
        workflows: 1,
        plan: FaultPlan(vec![PlannedFault { at_ms: BEGINS_MS, fault: sample.fault.clone() }]),
        faults: 1,
        phases: vec![
            phase("warm up", 0, 2_000),
            phase(Phase::STORM, 2_000, HEALED_MS),
            phase("drain", HEALED_MS, 60_000),
        ],
        timeline,
        operations: (0..).zip(&ALL).map(operation).collect(),
        virtual_ms: 60_000,
        wall_ms: 40,
        ..Artifact::default()
    };
    artifact.into()
}

#[test]
fn there_is_a_sample_of_every_kind() {
    let listed: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let sampled: Vec<&str> = samples().iter().map(|sample| sample.fault.name()).collect();
    assert_eq!(sampled, listed, "add the new kind of fault here, with what its picture shows");
}

/// Pages for the eye as well: `target/tmp/pages/faults`, one for each kind.
#[test]
fn every_fault_is_drawn_as_what_it_is() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages/faults");
    std::fs::create_dir_all(&directory).expect("created");
    for sample in samples() {
        let (name, page) = (sample.fault.name(), run_page(&run(&sample)));
        std::fs::write(directory.join(format!("{name}.html")), &page).expect("written");
        check_page(&page);
        check_bar(&sample, &page);
        check_hosts(&sample, &page);
        check_marks(&sample, &page);
        let cuts = matches!(name, "partition" | "isolate" | "isolate-database" | "bridge" | "ring");
        assert_eq!(page.matches("<figure class=\"sketch\">").count(), usize::from(cuts), "{name}");
        assert!(markdown(&[run(&sample)]).contains(&format!("| {} |", name.replace('_', "\\_"))), "{name}");
    }
}

/// The bar of the fault has its family's colour, its label, and is where the fault was.
fn check_bar(sample: &Sample, page: &str) {
    let (name, family) = (sample.fault.name(), sample.fault.family());
    let bar = page.split("<g><title>").find(|group| group.starts_with(&format!("{name} "))).expect(name);
    let bar = bar.split_once("</g>").expect("a group ends").0;
    assert!(bar.contains(&format!("<rect class=\"family-{family}\"")), "{name}: {bar}");
    assert!(bar.contains(&format!(">{}</text>", sample.label)), "{name}: {bar}");
    assert!(bar.contains("5.000 s"), "{name}: {bar}");
}

/// Hosts are in the states in which the fault has put them, and up otherwise.
fn check_hosts(sample: &Sample, page: &str) {
    let states = ["down", "paused", "stopping", "cut-off"];
    let drawn = drawn(page);
    let found: Vec<(&str, &str)> = drawn
        .iter()
        .filter(|bar| states.contains(&bar.class))
        .map(|bar| (bar.title.split(' ').next().expect("it names its host"), bar.class))
        .collect();
    assert_eq!(found, sample.states, "{}", sample.fault.name());
    let up = drawn.iter().filter(|bar| bar.class == "up").map(|bar| bar.title.split(' ').next().expect("a host"));
    let mut up: Vec<&str> = up.collect();
    up.dedup();
    assert_eq!(up, ALL, "{}: every host has a lane", sample.fault.name());
}

/// The hosts concerned, and no other, are marked for as long as it lasts.
fn check_marks(sample: &Sample, page: &str) {
    let (name, family) = (sample.fault.name(), sample.fault.family());
    let marked = |how: &str| -> Vec<&str> {
        let class = format!("family-{family} {how}");
        let marks = drawn(page).into_iter().filter(|mark| mark.class == class);
        let of_fault = marks.map(|mark| {
            let (host, said) = mark.title.split_once(' ').expect("a host and what is wrong with it");
            assert!(said.starts_with(&format!("{name}: ")), "{name}: {said}");
            assert!(said.contains("\n5.000 s"), "{name}: {said}");
            assert!(mark.x > 118.0 && mark.width >= 3.0, "{name}: {mark:?}");
            host
        });
        of_fault.collect()
    };
    assert_eq!(marked("cut"), sample.cut, "{name}");
    assert_eq!(marked("disturbed"), sample.disturbed, "{name}");
    let lasts = format!("5.000 s to {}.000 s", (BEGINS_MS + LASTS_MS) / 1000);
    let is_armed = name == "power-loss";
    assert_eq!(page.contains(&lasts), sample.fault.lasts().is_some() && !is_armed, "{name}");
}
