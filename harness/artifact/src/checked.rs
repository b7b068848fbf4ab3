use crate::Invariant;
use serde::{Deserialize, Serialize};

/// How often an invariant was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    pub invariant: Invariant,
    /// False if nothing was looked at: what was not judged neither holds nor fails. The note says why.
    pub judged: bool,
    pub violations: u64,
    /// How many calls, commits or events were looked at, where they are counted.
    pub checked: Option<u64>,
    /// What was looked at, in words.
    pub note: String,
}

/// A part of a run, in virtual milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    pub name: String,
    pub from_ms: u64,
    pub to_ms: u64,
}

impl Phase {
    /// The phase in which faults begin.
    pub const STORM: &'static str = "storm";

    pub fn is_storm(&self) -> bool {
        self.name == Phase::STORM
    }
}
