//! What many runs have in common.

use std::collections::{BTreeMap, BTreeSet};

use tempest_artifact::{Family, Invariant, Outcome, Verdict};

use crate::Run;

/// The figures of many runs.
#[derive(Debug, Default)]
pub struct Campaign {
    pub runs: usize,
    pub held: usize,
    pub failed: usize,
    pub workflows: u64,
    pub operations: u64,
    pub faults: u64,
    pub virtual_ms: u64,
    /// Of all processes together.
    pub wall_ms: u64,
    /// Most frequent first.
    pub failures: Vec<DistinctFailure>,
    /// Kinds of faults, family by family, to how many each run had, by the run's index.
    pub fault_kinds: BTreeMap<(Family, &'static str), BTreeMap<usize, u64>>,
    /// Probe to how often it was taken in all runs, and in how many.
    pub probes: BTreeMap<String, (u64, u64)>,
    /// Invariant to (runs that judged it, things judged where they are counted, runs that violated it).
    pub checks: BTreeMap<Invariant, (u64, Option<u64>, u64)>,
    /// RPC to outcomes: ok, failed, unknown.
    pub rpcs: BTreeMap<String, [u64; 3]>,
}

/// Failures that look alike but for names and numbers.
#[derive(Debug, Clone)]
pub struct DistinctFailure {
    pub invariant: String,
    /// The message with its numbers and ids left out.
    pub shape: String,
    /// Indexes of the runs, the one that is easiest to understand first: fewest faults, then shortest.
    pub runs: Vec<usize>,
}

impl Campaign {
    pub fn of(runs: &[Run]) -> Campaign {
        let mut campaign = Campaign { runs: runs.len(), ..Campaign::default() };
        let mut failures: BTreeMap<(String, String), BTreeSet<usize>> = BTreeMap::new();
        for (index, run) in runs.iter().enumerate() {
            campaign.add(index, run);
            for failure in shapes(run) {
                failures.entry(failure).or_default().insert(index);
            }
        }
        campaign.failures = failures
            .into_iter()
            .map(|((invariant, shape), indexes)| {
                let mut indexes: Vec<usize> = indexes.into_iter().collect();
                indexes.sort_by(|a, b| {
                    let faults = runs[*a].artifact.faults.cmp(&runs[*b].artifact.faults);
                    faults.then(runs[*a].artifact.virtual_ms.cmp(&runs[*b].artifact.virtual_ms))
                });
                DistinctFailure { invariant, shape, runs: indexes }
            })
            .collect();
        campaign.failures.sort_by_key(|failure| std::cmp::Reverse(failure.runs.len()));
        campaign
    }

    /// Rare paths that no run took.
    pub fn probes_never_hit(&self) -> Vec<&str> {
        self.probes.iter().filter(|(_, (times, _))| *times == 0).map(|(name, _)| name.as_str()).collect()
    }

    fn add(&mut self, index: usize, run: &Run) {
        if run.failed() {
            self.failed += 1;
        } else {
            self.held += 1;
        }
        let artifact = &run.artifact;
        // Figures are data like any other: nonsense must not end a report.
        self.workflows = self.workflows.saturating_add(artifact.workflows);
        self.operations += artifact.operations.len() as u64;
        self.faults = self.faults.saturating_add(artifact.faults);
        self.virtual_ms = self.virtual_ms.saturating_add(artifact.virtual_ms);
        self.wall_ms = self.wall_ms.saturating_add(artifact.wall_ms);
        for happened in run.happened() {
            let kind = (happened.fault.family(), happened.fault.name());
            *self.fault_kinds.entry(kind).or_default().entry(index).or_default() += 1;
        }
        for (probe, times) in &artifact.probes {
            let total = self.probes.entry(probe.clone()).or_default();
            total.0 = total.0.saturating_add(*times);
            total.1 += u64::from(*times > 0);
        }
        for check in run.judged() {
            let total = self.checks.entry(check.invariant).or_default();
            total.0 += u64::from(check.judged);
            total.1 = check.checked.map(|checked| checked.saturating_add(total.1.unwrap_or(0))).or(total.1);
            total.2 += u64::from(check.violations > 0);
        }
        for (rpc, outcomes) in rpcs(run) {
            let total = self.rpcs.entry(rpc).or_default();
            for (sum, outcome) in total.iter_mut().zip(outcomes) {
                *sum += outcome;
            }
        }
    }
}

/// The calls of a run by RPC: ok, failed, unknown.
pub(crate) fn rpcs(run: &Run) -> BTreeMap<String, [u64; 3]> {
    let mut rpcs: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    for operation in &run.artifact.operations {
        rpcs.entry(operation.rpc.clone()).or_default()[outcome_index(&operation.outcome)] += 1;
    }
    rpcs
}

/// Where an outcome is counted: ok, failed, unknown.
pub(crate) fn outcome_index(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Ok => 0,
        Outcome::Failed { .. } => 1,
        Outcome::Pending | Outcome::Unknown { .. } => 2,
    }
}

/// Indexes of violations that differ only in names and numbers, in the order of the first of each.
pub(crate) fn kinds_of_violations(run: &Run) -> Vec<Vec<usize>> {
    let mut kinds: Vec<((Invariant, String), Vec<usize>)> = Vec::new();
    for (index, violation) in run.artifact.violations.iter().enumerate() {
        let kind = (violation.invariant, shape(&violation.what));
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, alike)) => alike.push(index),
            None => kinds.push((kind, vec![index])),
        }
    }
    kinds.into_iter().map(|(_, alike)| alike).collect()
}

/// Each different way in which a run failed.
fn shapes(run: &Run) -> BTreeSet<(String, String)> {
    if run.artifact.violations.is_empty() && run.failed() {
        let invariant = if run.artifact.verdict == Verdict::Nondeterministic { "determinism" } else { "no verdict" };
        return [(invariant.to_string(), crate::words::verdict(run))].into();
    }
    run.artifact.violations.iter().map(|violation| (violation.invariant.to_string(), shape(&violation.what))).collect()
}

/// A message without what differs from run to run: words with a digit in them become `#`.
pub(crate) fn shape(message: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        if word.chars().any(|letter| letter.is_ascii_digit()) {
            out.push('#');
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for letter in message.lines().next().unwrap_or_default().chars() {
        if letter.is_alphanumeric() || letter == '-' || letter == '_' {
            word.push(letter);
        } else {
            flush(&mut word, &mut out);
            out.push(letter);
        }
    }
    flush(&mut word, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_artifact::{Artifact, Violation};

    fn failed(seed: u64, what: &str, faults: u64) -> Run {
        let violations = vec![Violation::new(Invariant::ActivityOnce, what)];
        Artifact { seed, verdict: Verdict::Violated, violations, faults, ..Artifact::default() }.into()
    }

    #[test]
    fn failures_that_differ_in_names_are_one() {
        let runs = [
            failed(1, "activity 7 of order-12 closed twice", 9),
            failed(2, "activity 11 of order-3 closed twice", 2),
            failed(3, "activity 11 of order-3 never closed", 2),
        ];
        let campaign = Campaign::of(&runs);
        assert_eq!(campaign.failures.len(), 2);
        assert_eq!(campaign.failures[0].shape, "activity # of # closed twice");
        assert_eq!(campaign.failures[0].runs, [1, 0], "the one with fewer faults comes first");
    }

    #[test]
    fn a_probe_that_no_run_hit_is_named() {
        let probes = |times| [("rare".to_string(), times), ("never".to_string(), 0)].into();
        let run = |times| Run::from(Artifact { probes: probes(times), ..Artifact::default() });
        let campaign = Campaign::of(&[run(0), run(3)]);
        assert_eq!(campaign.probes_never_hit(), ["never"]);
        assert_eq!(campaign.probes["rare"], (3, 1));
    }

    #[test]
    fn no_runs_are_no_failure() {
        let campaign = Campaign::of(&[]);
        assert_eq!((campaign.runs, campaign.failed), (0, 0));
    }
}
