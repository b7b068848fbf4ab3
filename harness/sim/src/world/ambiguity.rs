//! Calls whose execution and answer come apart, where calls are made.
use super::thief::Theft;
use super::{Host, inside};
use crate::draw::Decisions;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A way in which a caller and a server may come to know different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ambiguity {
    /// It is executed and the caller sees an unknown outcome.
    AnswerLost,
    /// It is executed once more, later, and its answer is dropped.
    DeliveredTwice,
    /// It goes out twice at once, and the first good answer counts.
    Hedged,
    /// It is executed, and the caller is told much later.
    AnswerLate,
    /// A database refuses to write.
    WriteRefused,
    /// A database answers a read much later.
    ReadLate,
    /// Another acquires the shard that a server commits to.
    OwnershipTaken,
    /// A call to another server does not arrive, or after its caller gave up.
    PeerCallLost,
    /// A call to another server arrives late.
    PeerCallLate,
    /// A call to another server arrives twice.
    PeerCallTwice,
    /// A call to another server is executed, and its caller hears no answer.
    PeerAnswerLost,
}

/// Where in a server calls to other nodes, and to its own history, are disturbed: sites of `buggify!`, and what strikes
/// there when a fault of the plan lasts.
const PEER_SITES: &[(&str, Ambiguity)] = &[
    (CALL_LOST, Ambiguity::PeerCallLost),
    ("peer-call-comes-late", Ambiguity::PeerCallLost),
    ("own-call-comes-late", Ambiguity::PeerCallLost),
    (CALL_DELAYED, Ambiguity::PeerCallLate),
    ("peer-call-delivered-twice", Ambiguity::PeerCallTwice),
    ("peer-call-delivered-late-again", Ambiguity::PeerCallTwice),
    ("own-call-delivered-late-again", Ambiguity::PeerCallTwice),
    ("peer-answer-lost", Ambiguity::PeerAnswerLost),
];
const CALL_LOST: &str = "peer-call-lost";
const CALL_DELAYED: &str = "peer-call-delayed";

/// Whether a site of a server acts only when a fault of the plan strikes there.
pub(crate) fn is_for_plans_alone(site: &str) -> bool {
    [CALL_LOST, CALL_DELAYED].contains(&site)
}

/// How often which happens to whom, right now. Set by the nemesis, asked by callers; cloning shares it.
#[derive(Clone, Debug)]
pub struct Ambiguities {
    per_million: Arc<Mutex<BTreeMap<(Host, Ambiguity), u64>>>,
    decisions: Decisions,
}

impl Ambiguities {
    pub fn new(decisions: Decisions) -> Ambiguities {
        Ambiguities { per_million: Arc::default(), decisions }
    }

    pub fn set(&self, host: &Host, kind: Ambiguity, per_million: u64) {
        let mut rates = self.per_million.lock().expect("no holder of this lock panics");
        rates.insert((host.clone(), kind), per_million);
    }

    /// Whether it happens to the call with this number: of a worker or client in the operation log, of a database node
    /// among those it took.
    pub fn strikes(&self, caller: &str, kind: Ambiguity, call: u64) -> bool {
        let rate = self.rate(caller, kind);
        rate > 0 && self.decisions.chance(&format!("rpc.{kind:?}"), call, rate, 1_000_000)
    }

    /// Whether a fault of the plan strikes at this site of a server, at this visit to it.
    pub fn strikes_at(&self, site: &'static str, visit: u64) -> bool {
        let Some((_, kind)) = PEER_SITES.iter().find(|(known, _)| *known == site) else { return false };
        let Some(host) = inside::host_name() else { return false };
        let rate = self.rate(&host, *kind);
        rate > 0 && self.decisions.chance(&format!("planned.{site}"), visit, rate, 1_000_000)
    }

    fn rate(&self, host: &str, kind: Ambiguity) -> u64 {
        let rates = self.per_million.lock().expect("no holder of this lock panics");
        rates.get(&(Host(host.to_owned()), kind)).copied().unwrap_or(0)
    }

    /// When it is that ownership is taken from a server that commits.
    pub(crate) fn theft(&self, commit: u64) -> Theft {
        *self.decisions.pick("rpc.theft", commit, &[Theft::Before, Theft::Behind, Theft::After])
    }

    /// How much later than it could be a late read is answered: commits that came after it are done by then.
    pub fn read_late_by_ms(&self, read: u64) -> u64 {
        *self.decisions.pick("rpc.read_late_by_ms", read, &[20, 200, 2_000, 6_000])
    }

    /// How much later than it could be a late answer is given.
    pub fn late_by_ms(&self, call: u64) -> u64 {
        *self.decisions.pick("rpc.late_by_ms", call, &[200, 2_000, 6_000, 20_000])
    }

    /// How long after the call its duplicate sets out.
    pub fn duplicate_after_ms(&self, call: u64) -> u64 {
        *self.decisions.pick("rpc.duplicate_after_ms", call, &[0, 1, 50, 3_000])
    }
}
