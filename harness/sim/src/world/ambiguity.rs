//! Calls whose execution and answer come apart, where calls are made.
use super::Host;
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
        let rate = {
            let rates = self.per_million.lock().expect("no holder of this lock panics");
            rates.get(&(Host(caller.to_owned()), kind)).copied().unwrap_or(0)
        };
        rate > 0 && self.decisions.chance(&format!("rpc.{kind:?}"), call, rate, 1_000_000)
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
