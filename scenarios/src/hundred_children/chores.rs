//! What each child is given to do, drawn from the seed, and what its parent must make of it all.
use super::Sizes;
use serde::{Deserialize, Serialize};
use tempest::Decisions;

/// An activity takes this long at most: it is not resumed where it was when its worker dies.
const ACTIVITY_MS_MAX: u64 = 2_000;

/// What one child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chore {
    /// By an activity; else a timer passes the time.
    pub by_activity: bool,
    pub takes_ms: u64,
    /// What comes of it.
    pub yields: u64,
    /// Whether the child fails on purpose once it is done.
    pub fails: bool,
}

/// What a parent makes of what it heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub completed: u64,
    pub failed: u64,
    /// Children that ended in a way that was not meant: which, and how.
    pub otherwise: Vec<String>,
    /// Of what those that completed have yielded.
    pub sum: u64,
}

impl Summary {
    /// Adds what was heard of one child: what it yielded, or how it ended else.
    pub fn add(&mut self, number: u64, heard: Result<u64, String>) {
        match heard {
            Ok(yields) => {
                self.completed += 1;
                self.sum += yields;
            }
            Err(how) if how == "failed" => self.failed += 1,
            Err(how) => self.otherwise.push(format!("child {number} {how}")),
        }
    }
}

pub fn draw(decisions: &Decisions, sizes: &Sizes) -> Vec<Chore> {
    let chore = |number| {
        let by_activity = decisions.chance("hundred.by_activity", number, 1, 2);
        let takes_ms_max = if by_activity { sizes.takes_ms_max.min(ACTIVITY_MS_MAX) } else { sizes.takes_ms_max };
        Chore {
            by_activity,
            takes_ms: decisions.between("hundred.takes", number, 0..=takes_ms_max),
            // So many that no two sums are likely to be the same by chance.
            yields: decisions.between("hundred.yields", number, 1..=1_000_000),
            fails: decisions.chance("hundred.fails", number, sizes.fails_percent, 100),
        }
    };
    (0..sizes.children).map(chore).collect()
}

/// What the parent must say in the end.
pub fn expected(chores: &[Chore]) -> Summary {
    let mut summary = Summary::default();
    for (number, chore) in (0..).zip(chores) {
        summary.add(number, if chore.fails { Err("failed".to_owned()) } else { Ok(chore.yields) });
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest::Seed;

    fn drawn(fails_percent: u64) -> Vec<Chore> {
        let sizes = Sizes { children: 100, wave: 10, fails_percent, takes_ms_max: 20_000, begins_ms: 0 };
        draw(&Decisions::new(Seed(7), []), &sizes)
    }

    #[test]
    fn every_child_is_in_the_summary_once() {
        for (percent, failed) in [(0, 0..=0), (30, 10..=50), (100, 100..=100)] {
            let chores = drawn(percent);
            let summary = expected(&chores);
            assert_eq!(summary.completed + summary.failed, 100);
            assert!(failed.contains(&summary.failed), "{} of 100 fail", summary.failed);
            let sum: u64 = chores.iter().filter(|chore| !chore.fails).map(|chore| chore.yields).sum();
            assert_eq!((summary.sum, summary.otherwise), (sum, Vec::new()));
        }
    }

    #[test]
    fn there_are_both_activities_and_timers_and_activities_are_short() {
        let (activities, timers): (Vec<Chore>, Vec<Chore>) = drawn(0).into_iter().partition(|chore| chore.by_activity);
        assert!(activities.len() > 20 && timers.len() > 20);
        assert!(activities.iter().all(|chore| chore.takes_ms <= ACTIVITY_MS_MAX));
        assert!(timers.iter().any(|chore| chore.takes_ms > ACTIVITY_MS_MAX));
    }

    #[test]
    fn an_end_that_nobody_meant_is_told() {
        let mut summary = Summary::default();
        summary.add(0, Ok(5));
        summary.add(1, Err("failed".to_owned()));
        summary.add(2, Err("timed out".to_owned()));
        let otherwise = vec!["child 2 timed out".to_owned()];
        assert_eq!(summary, Summary { completed: 1, failed: 1, otherwise, sum: 5 });
    }
}
