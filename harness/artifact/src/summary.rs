use crate::{Artifact, Ownership, Verdict, Violation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The one object that `--json` prints of a run, and a campaign's line about it: figures instead of lists. Scripts rely on
/// its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub scenario: String,
    pub seed: u64,
    pub world: String,
    #[serde(with = "verdict_words")]
    pub verdict: Verdict,
    pub violations: Vec<Violation>,
    pub trace_hash: String,
    pub workflows: u64,
    /// Faults that really began.
    pub faults: u64,
    #[serde(default)]
    pub ownership: Ownership,
    pub probes: BTreeMap<String, u64>,
    /// Faults that began, by kind.
    #[serde(default)]
    pub fault_kinds: BTreeMap<String, u64>,
    /// Calls that workers and clients made, by RPC.
    #[serde(default)]
    pub calls: BTreeMap<String, u64>,
    pub virtual_ms: u64,
    pub wall_ms: u64,
    /// Where the artifact is, if there is one.
    pub artifact: Option<String>,
}

impl From<Summary> for Artifact {
    /// As much of an artifact as a summary knows; all that it does not know is empty.
    fn from(summary: Summary) -> Artifact {
        Artifact {
            scenario: summary.scenario,
            seed: summary.seed,
            world: summary.world,
            verdict: summary.verdict,
            violations: summary.violations,
            trace_hash: summary.trace_hash,
            workflows: summary.workflows,
            faults: summary.faults,
            ownership: summary.ownership,
            probes: summary.probes,
            virtual_ms: summary.virtual_ms,
            wall_ms: summary.wall_ms,
            ..Artifact::default()
        }
    }
}

/// Scripts read `ok` and `failed`.
mod verdict_words {
    use super::Verdict;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match verdict {
            Verdict::Held => "ok",
            Verdict::Violated => "failed",
            Verdict::Nondeterministic => "nondeterministic",
            Verdict::Unknown => "unknown",
        })
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Verdict, D::Error> {
        let word = String::deserialize(deserializer)?;
        match word.as_str() {
            "ok" => Ok(Verdict::Held),
            "failed" => Ok(Verdict::Violated),
            "nondeterministic" => Ok(Verdict::Nondeterministic),
            "unknown" => Ok(Verdict::Unknown),
            other => Err(serde::de::Error::custom(format!("{other:?} is no verdict of a summary"))),
        }
    }
}
