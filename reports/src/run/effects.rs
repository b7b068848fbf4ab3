//! What each kind of fault does to whom, as pages show it.
use crate::words::{amount, duration, plural, signed_duration};
use std::collections::BTreeMap;
use tempest_artifact::fault::{
    AnswerLost, BitRot, ClockJump, ClockSkew, CommitInDoubt, CrashInRecovery, DeliveredTwice, DiskErrors, DiskFull,
    DiskSlow, Flapping, Hedged, Latency, OwnershipTaken, Pause, PeerAnswerLost, PeerCallLate, PeerCallLost,
    PeerCallTwice, PowerLoss, ReadOnly, Restart, RestartUnderLoad, RollingRestart, ServerReplaced, SlowCommits,
    SlowDatabaseLink, SlowNode, SlowReads, SyncErrors,
};
use tempest_artifact::{Fault, Host, Link};

/// What becomes of one host while a fault lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is down until it is started again: the timeline tells from when to when.
    Down {
        host: Host,
    },
    /// It was asked to stop, and is down some time before it is started again.
    Stopping {
        host: Host,
    },
    Paused {
        host: Host,
    },
    /// Nothing passes between it and these, either way.
    Cut {
        host: Host,
        from: Vec<Host>,
    },
    /// Something else is wrong with it, in words.
    Disturbed {
        host: Host,
        how: String,
    },
}

/// What a fault does.
pub(super) fn effects(fault: &Fault) -> Vec<Effect> {
    let disturbed = |host: &Host, how: String| vec![Effect::Disturbed { host: host.clone(), how }];
    match fault {
        Fault::Partition(_) | Fault::Isolate(_) | Fault::IsolateDatabase(_) | Fault::Bridge(_) | Fault::Ring(_) => {
            cuts(&fault.links())
        }
        Fault::OneWay(_) => on_both_ends(
            fault,
            |to| format!("what it sends to {to} is lost"),
            |from| format!("nothing arrives from {from}"),
        ),
        Fault::Clog(_) => on_both_ends(
            fault,
            |to| format!("what it sends to {to} is held back"),
            |from| format!("what {from} sends arrives later, all at once"),
        ),
        Fault::Latency(_) => on_both_ends(
            fault,
            |to| format!("what it sends to {to} is slow"),
            |from| format!("what {from} sends is slow"),
        ),
        Fault::Reset(reset) => [(&reset.one, &reset.other), (&reset.other, &reset.one)]
            .into_iter()
            .flat_map(|(host, peer)| disturbed(host, format!("connections with {peer} broke")))
            .collect(),
        Fault::ServerReplaced(ServerReplaced { host, .. }) => vec![Effect::Down { host: host.clone() }],
        Fault::Crash(_)
        | Fault::CrashInRecovery(_)
        | Fault::ServerGone(_)
        | Fault::DiskLost(_)
        | Fault::BitRot(_)
        | Fault::ZoneLoss(_) => fault.hosts().into_iter().map(|host| Effect::Down { host }).collect(),
        Fault::Restart(_) | Fault::RollingRestart(_) => {
            fault.hosts().into_iter().map(|host| Effect::Stopping { host }).collect()
        }
        Fault::RestartUnderLoad(RestartUnderLoad { hosts, workers, .. }) => {
            let stopping = hosts.iter().map(|host| Effect::Stopping { host: host.clone() });
            let busy = |host: &Host| Effect::Disturbed { host: host.clone(), how: "it is busy".into() };
            stopping.chain(workers.iter().map(busy)).collect()
        }
        Fault::Pause(Pause { host, .. }) => vec![Effect::Paused { host: host.clone() }],
        other => other.hosts().iter().flat_map(|host| disturbed(host, how(other))).collect(),
    }
}

/// What is wrong with the host that a fault is aimed at, if that is all that it does. Exhaustive: a kind that is new must say
/// it here, or in [`effects`].
fn how(fault: &Fault) -> String {
    match fault {
        Fault::SlowNode(_) => "all that it sends is late".into(),
        Fault::SlowDatabaseLink(_) => "its database is far away".into(),
        Fault::Flapping(_) => "its connections break again and again".into(),
        Fault::PowerLoss(_) => "its power is about to fail".into(),
        Fault::ClockSkew(_) | Fault::ClockJump(_) => format!("its clock is wrong: {}", describe(fault)),
        Fault::DiskSlow(_) => format!("its disk is slow: {}", describe(fault)),
        Fault::DiskFull(_) => format!("its disk is full: {}", describe(fault)),
        Fault::DiskErrors(_) | Fault::SyncErrors(_) => format!("its disk fails: {}", describe(fault)),
        Fault::AnswerLost(_) => "answers to its calls are lost".into(),
        Fault::DeliveredTwice(_) => "its calls arrive twice".into(),
        Fault::Hedged(_) => "its calls go out twice at once".into(),
        Fault::PeerCallLost(_) => "its calls to other servers are lost".into(),
        Fault::PeerCallLate(_) => "its calls to other servers are late".into(),
        Fault::PeerCallTwice(_) => "its calls to other servers arrive twice".into(),
        Fault::PeerAnswerLost(_) => "other servers' answers to it are lost".into(),
        Fault::CommitInDoubt(_) => "its connections break when writes are done".into(),
        Fault::SlowCommits(_) => "it answers writes late".into(),
        Fault::SlowReads(_) => "it answers reads late".into(),
        Fault::OwnershipTaken(_) => "its shards are taken from it".into(),
        Fault::ReadOnly(_) => "it refuses writes".into(),
        Fault::Promote(_) => "an operator wants it to be primary".into(),
        Fault::Partition(_)
        | Fault::Isolate(_)
        | Fault::IsolateDatabase(_)
        | Fault::Bridge(_)
        | Fault::Ring(_)
        | Fault::OneWay(_)
        | Fault::Clog(_)
        | Fault::Latency(_)
        | Fault::Reset(_)
        | Fault::Crash(_)
        | Fault::CrashInRecovery(_)
        | Fault::ServerGone(_)
        | Fault::ServerReplaced(_)
        | Fault::DiskLost(_)
        | Fault::BitRot(_)
        | Fault::ZoneLoss(_)
        | Fault::Restart(_)
        | Fault::RollingRestart(_)
        | Fault::RestartUnderLoad(_)
        | Fault::Pause(_) => describe(fault),
    }
}

/// Each host with all the others that it is cut from.
fn cuts(links: &[Link]) -> Vec<Effect> {
    let mut peers: BTreeMap<&Host, Vec<Host>> = BTreeMap::new();
    for Link { from, to } in links {
        peers.entry(from).or_default().push(to.clone());
    }
    peers.into_iter().map(|(host, from)| Effect::Cut { host: host.clone(), from }).collect()
}

/// Of a fault of one direction: what the sender has of it, and what the receiver.
fn on_both_ends(fault: &Fault, sent: fn(&Host) -> String, heard: fn(&Host) -> String) -> Vec<Effect> {
    let ends = |Link { from, to }: Link| {
        let (sends, hears) = (sent(&to), heard(&from));
        [Effect::Disturbed { host: from, how: sends }, Effect::Disturbed { host: to, how: hears }]
    };
    fault.links().into_iter().flat_map(ends).collect()
}

/// The parameters of a fault, in words; those that say where and for how long aside.
pub(crate) fn describe(fault: &Fault) -> String {
    let of_calls = |per_million: u64, what: &str| match per_million {
        1_000_000 => format!("all {what}"),
        _ => format!("{} of 100 {what}", per_million as f64 / 10_000.0),
    };
    match fault {
        Fault::Partition(cut) => format!("{} | {}", list(&cut.one_side), list(&cut.other_side)),
        Fault::Isolate(_) => String::new(),
        Fault::IsolateDatabase(cut) => format!("{} | {}, and servers see both", cut.host, list(&cut.others)),
        Fault::Bridge(cut) => {
            format!("{} | {}, and {} sees both", list(&cut.one_side), list(&cut.other_side), cut.bridge)
        }
        Fault::Ring(cut) => cut.ring.iter().map(Host::as_str).collect::<Vec<_>>().join(" – "),
        Fault::OneWay(_) | Fault::Clog(_) | Fault::Reset(_) | Fault::Pause(_) | Fault::Promote(_) => String::new(),
        Fault::Latency(Latency { extra_ms, bytes_per_second, .. }) => match bytes_per_second {
            0 => format!("{} later", duration(*extra_ms)),
            bound => format!("{} later, at most {} a second", duration(*extra_ms), amount(*bound)),
        },
        Fault::SlowNode(SlowNode { extra_ms, .. }) | Fault::SlowDatabaseLink(SlowDatabaseLink { extra_ms, .. }) => {
            format!("{} later", duration(*extra_ms))
        }
        Fault::Flapping(Flapping { every_ms, extra_ms, others, .. }) => {
            format!("each {} with {}, {} later", duration(*every_ms), list(others), duration(*extra_ms))
        }
        Fault::Crash(_) | Fault::ZoneLoss(_) => String::new(),
        Fault::DiskLost(_) => "back with an empty disk".into(),
        Fault::BitRot(BitRot { bits, .. }) => plural(u64::from(*bits), "bit"),
        Fault::ServerGone(_) => "for good".into(),
        Fault::ServerReplaced(replaced) => {
            format!("for good; {} joins {} later", replaced.by, duration(replaced.after_ms))
        }
        Fault::CrashInRecovery(CrashInRecovery { change, .. }) => {
            format!("again at change {change} of its disk while it recovers")
        }
        Fault::PowerLoss(PowerLoss { change, .. }) => format!("at change {change} of its disk"),
        Fault::Restart(Restart { grace_ms, .. }) => format!("{} to stop by itself", duration(*grace_ms)),
        Fault::RollingRestart(RollingRestart { pace_ms, grace_ms, .. }) => {
            format!("one each {}, {} to stop by itself", duration(*pace_ms), duration(*grace_ms))
        }
        Fault::RestartUnderLoad(RestartUnderLoad { pace_ms, grace_ms, extra_ms, .. }) => {
            let (pace, grace, late) = (duration(*pace_ms), duration(*grace_ms), duration(*extra_ms));
            format!("one each {pace}, {grace} to stop by itself, workers' answers {late} later")
        }
        Fault::ClockSkew(ClockSkew { offset_ms, rate_ppm, .. }) => {
            format!("off by {}, {rate_ppm:+} ppm", signed_duration(*offset_ms))
        }
        Fault::ClockJump(ClockJump { by_ms, .. }) => format!("jumps by {}", signed_duration(*by_ms)),
        Fault::DiskSlow(DiskSlow { times, .. }) => format!("{times} times as long"),
        Fault::DiskFull(DiskFull { room_bytes, overwriting, .. }) => {
            let room = format!("room for {}", amount(*room_bytes));
            if *overwriting { format!("{room}, overwriting works") } else { "no write works".into() }
        }
        Fault::DiskErrors(DiskErrors { per_million, .. }) => of_calls(*per_million, "operations"),
        Fault::SyncErrors(SyncErrors { per_million, .. }) => of_calls(*per_million, "syncs"),
        Fault::AnswerLost(AnswerLost { per_million, .. })
        | Fault::DeliveredTwice(DeliveredTwice { per_million, .. })
        | Fault::Hedged(Hedged { per_million, .. })
        | Fault::PeerCallLost(PeerCallLost { per_million, .. })
        | Fault::PeerCallLate(PeerCallLate { per_million, .. })
        | Fault::PeerCallTwice(PeerCallTwice { per_million, .. })
        | Fault::PeerAnswerLost(PeerAnswerLost { per_million, .. }) => of_calls(*per_million, "calls"),
        Fault::CommitInDoubt(CommitInDoubt { per_million, .. })
        | Fault::SlowCommits(SlowCommits { per_million, .. })
        | Fault::ReadOnly(ReadOnly { per_million, .. }) => of_calls(*per_million, "writes"),
        Fault::SlowReads(SlowReads { per_million, .. }) => of_calls(*per_million, "reads"),
        Fault::OwnershipTaken(OwnershipTaken { per_million, .. }) => of_calls(*per_million, "commits"),
    }
}

fn list(hosts: &[Host]) -> String {
    hosts.iter().map(Host::as_str).collect::<Vec<_>>().join(", ")
}
