//! Causes before consequences: the first violation names the verdict, and is read first.
use super::Violation;
use tempest_artifact::{About, Invariant};

/// One violation that explains others.
struct Row {
    cause: Invariant,
    consequences: &'static [Invariant],
    why: &'static str,
}

const fn row(cause: Invariant, consequences: &'static [Invariant], why: &'static str) -> Row {
    Row { cause, consequences, why }
}

/// Of the same run of a workflow. An invariant stands here as a consequence only of those that come before it.
const EXPLAINED: &[Row] = &[
    row(
        Invariant::HistoryWellformed,
        &[Invariant::StateEqualsHistory, Invariant::Replay],
        "no state follows from a history that is wrong, and no worker can replay it",
    ),
    row(
        Invariant::StateEqualsHistory,
        &[Invariant::TasksCoverState, Invariant::Liveness],
        "tasks follow from the state that is stored",
    ),
    row(Invariant::TasksCoverState, &[Invariant::Liveness], "nothing wakes a run that is owed a task and has none"),
    row(
        Invariant::Liveness,
        &[
            Invariant::SignalsOnceInOrder,
            Invariant::AckedDurable,
            Invariant::RefusedLeftNothing,
            Invariant::ReadsFresh,
            Invariant::AcrossRuns,
            Invariant::CrossCallsEnd,
            Invariant::Model,
        ],
        "a run that is stuck takes nothing out of its buffer: what it was told is not in its history yet",
    ),
];

/// How clients say that they did not get what they waited for, which is never a cause.
const CLIENTS: &str = "the clients gave up";

/// Violations that explain others first, the others with a word of what explains them; else in the order of judgement.
pub fn in_order(violations: Vec<Violation>) -> Vec<Violation> {
    let explanations: Vec<Option<(usize, &str)>> =
        violations.iter().map(|violation| explanation(violation, &violations)).collect();
    let mut ordered: Vec<(usize, usize)> =
        (0..violations.len()).map(|index| (depth(index, &explanations), index)).collect();
    ordered.sort_unstable();
    let told = |index: usize| {
        let violation = violations[index].clone();
        match explanations[index] {
            Some((cause, why)) => following(violation, violations[cause].invariant, why),
            None => violation,
        }
    };
    ordered.into_iter().map(|(_, index)| told(index)).collect()
}

/// Says so before all else: not every line of evidence is shown.
fn following(mut violation: Violation, cause: Invariant, why: &str) -> Violation {
    violation.evidence.insert(0, format!("follows from {cause}: {why}"));
    violation
}

/// Which violation explains this one, and why.
fn explanation(violation: &Violation, all: &[Violation]) -> Option<(usize, &'static str)> {
    if violation.invariant == Invariant::Clean && violation.what.starts_with(CLIENTS) {
        let other = all.iter().position(|other| other.invariant != Invariant::Clean);
        return Some((other?, "clients give up when what they wait for does not happen"));
    }
    let rows = EXPLAINED.iter().filter(|row| row.consequences.contains(&violation.invariant));
    rows.filter_map(|row| {
        let explains = |other: &Violation| other.invariant == row.cause && share_a_run(other, violation);
        Some((all.iter().position(explains)?, row.why))
    })
    .next()
}

fn share_a_run(one: &Violation, other: &Violation) -> bool {
    let same = |one: &About, other: &About| {
        one.means(&other.workflow_id, &other.run_id) || other.means(&one.workflow_id, &one.run_id)
    };
    one.about.iter().any(|one| other.about.iter().any(|other| same(one, other)))
}

/// How many explanations lie between a violation and one that nothing explains.
fn depth(index: usize, explanations: &[Option<(usize, &str)>]) -> usize {
    // No chain is longer than the table, since causes stand above consequences in it.
    let chain = std::iter::successors(Some(index), |index| explanations[*index].map(|(cause, _)| cause));
    chain.take(EXPLAINED.len() + 1).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(invariant: Invariant, workflow_id: &str) -> Violation {
        Violation::new(invariant, invariant.name())
            .about(About { workflow_id: workflow_id.to_owned(), run_id: String::new() })
    }

    fn check(violations: Vec<Violation>, expect: &[Invariant]) {
        let ordered = in_order(violations);
        assert_eq!(ordered.iter().map(|violation| violation.invariant).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn a_stuck_run_comes_before_what_it_did_not_take() {
        use Invariant::{AckedDurable, Liveness, TasksCoverState};
        check(vec![of(AckedDurable, "a"), of(Liveness, "a")], &[Liveness, AckedDurable]);
        check(
            vec![of(AckedDurable, "a"), of(TasksCoverState, "a"), of(Liveness, "a")],
            &[TasksCoverState, Liveness, AckedDurable],
        );
        let told = in_order(vec![of(AckedDurable, "a"), of(Liveness, "a")]);
        assert!(told[1].evidence.first().is_some_and(|line| line.starts_with("follows from liveness: ")));
    }

    #[test]
    fn a_stuck_run_explains_nothing_of_another() {
        use Invariant::{AckedDurable, Liveness};
        check(vec![of(AckedDurable, "a"), of(Liveness, "b")], &[AckedDurable, Liveness]);
    }

    #[test]
    fn clients_that_gave_up_come_last() {
        let gave_up = Violation::new(Invariant::Clean, "the clients gave up at 3.000 s: it was paid twice");
        check(vec![gave_up.clone(), of(Invariant::Model, "a")], &[Invariant::Model, Invariant::Clean]);
        check(vec![gave_up], &[Invariant::Clean]);
    }

    #[test]
    fn causes_stand_above_their_consequences() {
        for (place, row) in EXPLAINED.iter().enumerate() {
            assert!(EXPLAINED[..=place].iter().all(|above| !row.consequences.contains(&above.cause)), "{}", row.cause);
        }
    }
}
