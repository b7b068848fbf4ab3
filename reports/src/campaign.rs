//! What many runs have in common.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Outcome, Run, run::Verdict};

/// The figures of many runs.
#[derive(Debug, Default)]
pub struct Campaign {
    pub runs: usize,
    pub held: usize,
    pub failed: usize,
    pub workflows: u64,
    pub operations: u64,
    pub faults: u64,
    pub virtual_ms: f64,
    /// Of all processes together.
    pub wall_ms: f64,
    /// Most frequent first.
    pub failures: Vec<DistinctFailure>,
    /// Fault kind to how many each run had, by the run's index.
    pub fault_kinds: BTreeMap<String, BTreeMap<usize, u64>>,
    /// Probe to how often it was taken in all runs, and in how many.
    pub probes: BTreeMap<String, (u64, u64)>,
    /// Invariant to (runs that judged it, things judged where they are counted, runs that violated it).
    pub checks: BTreeMap<String, (u64, Option<u64>, u64)>,
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
                    let faults = runs[*a].faults.len().cmp(&runs[*b].faults.len());
                    faults.then(runs[*a].virtual_ms.total_cmp(&runs[*b].virtual_ms))
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
        self.workflows += run.workflows;
        self.operations += run.operations.len() as u64;
        self.faults += run.faults.len() as u64;
        self.virtual_ms += run.virtual_ms;
        self.wall_ms += run.wall_ms;
        for fault in run.faults_in_order() {
            *self.fault_kinds.entry(fault.kind.clone()).or_default().entry(index).or_default() += 1;
        }
        for (probe, times) in &run.probes {
            let total = self.probes.entry(probe.clone()).or_default();
            total.0 += times;
            total.1 += u64::from(*times > 0);
        }
        for check in run.judged() {
            let judged = check.was_judged();
            let total = self.checks.entry(check.invariant).or_default();
            total.0 += u64::from(judged);
            total.1 = check.checked.map(|checked| checked + total.1.unwrap_or(0)).or(total.1);
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
    for operation in &run.operations {
        let outcome = match operation.outcome {
            Outcome::Ok => 0,
            Outcome::Failed => 1,
            Outcome::Unknown => 2,
        };
        rpcs.entry(operation.rpc.clone()).or_default()[outcome] += 1;
    }
    rpcs
}

/// Indexes of violations that differ only in names and numbers, in the order of the first of each.
pub(crate) fn kinds_of_violations(run: &Run) -> Vec<Vec<usize>> {
    let mut kinds: Vec<((&str, String), Vec<usize>)> = Vec::new();
    for (index, violation) in run.violations.iter().enumerate() {
        let kind = (violation.invariant.as_str(), shape(&violation.message));
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, alike)) => alike.push(index),
            None => kinds.push((kind, vec![index])),
        }
    }
    kinds.into_iter().map(|(_, alike)| alike).collect()
}

/// Each different way in which a run failed.
fn shapes(run: &Run) -> BTreeSet<(String, String)> {
    if run.violations.is_empty() && run.failed() {
        let invariant = if run.verdict == Verdict::Nondeterministic { "determinism" } else { "no verdict" };
        return [(invariant.to_string(), crate::words::verdict(run))].into();
    }
    run.violations.iter().map(|violation| (violation.invariant.clone(), shape(&violation.message))).collect()
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
    use crate::{Fault, Violation};

    fn failed(seed: u64, message: &str, faults: usize) -> Run {
        let violation =
            Violation { invariant: "activity-once".into(), message: message.into(), ..Violation::default() };
        let faults = vec![Fault { kind: "crash".into(), ..Fault::default() }; faults];
        Run { seed, verdict: Verdict::Violated, violations: vec![violation], faults, ..Run::default() }
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
        let run =
            |times| Run { probes: [("rare".to_string(), times), ("never".to_string(), 0)].into(), ..Run::default() };
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
