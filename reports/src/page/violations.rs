//! The part of a run's page that says what went wrong.

use std::collections::BTreeSet;

use minijinja::{Value as Template, context};
use tempest_artifact::Violation;

use super::serialized;
use crate::{Run, campaign::kinds_of_violations, history, words::moment};

/// Messages of violations that are like one shown in full.
const ALIKE_MAX: usize = 200;
/// Letters of the evidence of one violation.
const EVIDENCE_LETTERS_MAX: usize = 4000;

/// One of each kind of violation, the others by their message, with the histories of the runs concerned; a history is
/// shown with the first violation that is about it.
pub(super) fn violations(run: &Run) -> Vec<Template> {
    let violations = &run.artifact.violations;
    let mut shown = BTreeSet::new();
    kinds_of_violations(run)
        .into_iter()
        .map(|alike| {
            let first = alike[0];
            let view = violation_view(run, &violations[first], &mut shown);
            let others = alike[1..].iter().take(ALIKE_MAX).map(|index| violations[*index].what.clone());
            context! { number => first + 1, others => others.collect::<Vec<_>>(), more => alike.len() - 1, ..view }
        })
        .collect()
}

fn violation_view<'run>(run: &'run Run, violation: &Violation, shown: &mut BTreeSet<&'run str>) -> Template {
    let histories = run.artifact.histories.iter();
    let concerned: Vec<Template> = histories
        .filter(|(key, _)| Run::concerns(violation, key) && shown.insert(key))
        .map(|(key, history)| {
            let (events, left_out) = history::events(history);
            context! { key, events => serialized(events), left_out }
        })
        .collect();
    context! {
        invariant => violation.invariant.name(),
        message => &violation.what,
        at => violation.at_ms.map(moment),
        evidence => evidence(&violation.evidence),
        histories => concerned,
    }
}

fn evidence(pieces: &[String]) -> String {
    let all = pieces.join("\n");
    if all.chars().count() <= EVIDENCE_LETTERS_MAX {
        return all;
    }
    all.chars().take(EVIDENCE_LETTERS_MAX).chain(" … (the artifact has all of it)".chars()).collect()
}
