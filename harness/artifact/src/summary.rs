use crate::{Artifact, Ownership, Verdict, Violation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

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
    #[serde(default)]
    pub repeats: Repeats,
    #[serde(default)]
    pub reach: Reach,
    pub virtual_ms: u64,
    pub wall_ms: u64,
    /// Where the artifact is, if there is one.
    pub artifact: Option<String>,
}

/// How often user code was executed more than once, by type; zero for a type that never was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// Activities that a worker was given again.
    pub executed_again: BTreeMap<String, u64>,
    /// Workflows that went on from their first event, where they had gone on before.
    pub replayed: BTreeMap<String, u64>,
}

/// How often what there is of the API was touched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Of requests and commands, where they were set: `StartWorkflowExecution.retry_policy`,
    /// `ScheduleActivityTask.heartbeat_timeout`.
    pub fields: BTreeMap<String, u64>,
    /// Commands of workers: `START_TIMER`.
    pub commands: BTreeMap<String, u64>,
    /// Events that are stored: `TIMER_FIRED`.
    pub events: BTreeMap<String, u64>,
}

impl Repeats {
    pub fn add(&mut self, other: &Repeats) {
        for (sums, counts) in [(&mut self.executed_again, &other.executed_again), (&mut self.replayed, &other.replayed)]
        {
            for (name, times) in counts {
                *sums.entry(name.clone()).or_default() += times;
            }
        }
    }
}

impl fmt::Display for Repeats {
    /// `executed again: pay 14 times, thank 9; replayed from the beginning: PayOrder 5 times`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [("executed again", &self.executed_again), ("replayed from the beginning", &self.replayed)];
        for (index, (what, counts)) in lists.into_iter().enumerate() {
            write!(f, "{}{what}:", if index == 0 { "" } else { "; " })?;
            if counts.is_empty() {
                f.write_str(" nothing")?;
            }
            for (index, (name, times)) in counts.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                match times {
                    0 => write!(f, "{comma} {name} never")?,
                    1 => write!(f, "{comma} {name} once")?,
                    times => write!(f, "{comma} {name} {times} times")?,
                }
            }
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_told_in_a_line() {
        let counts = |counts: &[(&str, u64)]| counts.iter().map(|(name, times)| ((*name).to_owned(), *times)).collect();
        let mut repeats = Repeats { executed_again: counts(&[("pay", 13), ("thank", 0)]), ..Repeats::default() };
        assert_eq!(
            repeats.to_string(),
            "executed again: pay 13 times, thank never; replayed from the beginning: nothing"
        );
        repeats.add(&Repeats { executed_again: counts(&[("pay", 1)]), replayed: counts(&[("PayOrder", 1)]) });
        assert_eq!(
            repeats.to_string(),
            "executed again: pay 14 times, thank never; replayed from the beginning: PayOrder once"
        );
    }
}
