//! Who signals whom: drawn from the seed, with what each walker must get in the end.
use super::Sizes;
use super::workflows::{Greeting, Path, Walked, Way};
use std::collections::BTreeMap;
use tempest::Decisions;

/// The way of each walker, by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Vec<Way>);

/// Workflow id of a walker.
pub fn walker_id(number: u64) -> String {
    format!("walker-{number}")
}

impl Pattern {
    pub fn draw(decisions: &Decisions, sizes: &Sizes) -> Pattern {
        let mut pattern = Pattern((0..sizes.walkers).map(|number| outgoing(decisions, sizes, number)).collect());
        let awaited: Vec<u64> =
            (0..sizes.walkers).map(|number| pattern.meant_for(&walker_id(number)).values().sum()).collect();
        for (way, awaited) in pattern.0.iter_mut().zip(awaited) {
            way.awaited = awaited;
        }
        pattern
    }

    /// How many signals each other walker sends to this one; a sender of none is not listed.
    pub fn meant_for(&self, id: &str) -> BTreeMap<String, u64> {
        let mut meant = BTreeMap::new();
        for (number, way) in (0..).zip(&self.0) {
            let signals: u64 = way.paths.iter().filter(|path| path.to == id).map(|path| path.signals).sum();
            if signals > 0 {
                meant.insert(walker_id(number), signals);
            }
        }
        meant
    }

    /// Whether a walker has seen what it must: each signal once, those of one sender in the order in which they were sent,
    /// and that missing targets are not found.
    ///
    /// # Errors
    /// What is wrong.
    pub fn judge(&self, number: u64, walked: &Walked) -> Result<(), String> {
        let id = walker_id(number);
        let expected: BTreeMap<String, Vec<u64>> =
            self.meant_for(&id).into_iter().map(|(from, signals)| (from, (1..=signals).collect())).collect();
        let way = usize::try_from(number).ok().and_then(|index| self.0.get(index));
        let mut got: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for Greeting { from, number } in &walked.got {
            let numbers = got.entry(from.clone()).or_default();
            // A run knows nothing of signals to the one before it: if an answer was lost, the next run gets it again.
            if way.is_some_and(|way| way.continues_as_new) && numbers.last() == Some(number) {
                continue;
            }
            numbers.push(*number);
        }
        if got != expected {
            return Err(format!("{id} got {got:?}, expected {expected:?}"));
        }
        let missing_targets = way.map_or(0, |way| way.missing_targets.len() as u64);
        if walked.not_found != 2 * missing_targets {
            let told = walked.not_found;
            return Err(format!(
                "{id} called {missing_targets} missing targets twice and was told {told} times that there is none"
            ));
        }
        Ok(())
    }
}

/// What one walker sends.
fn outgoing(decisions: &Decisions, sizes: &Sizes, number: u64) -> Way {
    let id = walker_id(number);
    let draw = |what: &str, ordinal: u64, range| decisions.between(&format!("signal_mesh.{what}.{id}"), ordinal, range);
    // No workflow can signal itself.
    let mut others: Vec<u64> = (0..sizes.walkers).filter(|other| *other != number).collect();
    let mut paths = Vec::new();
    for ordinal in 0..draw("paths", 0, 1..=sizes.paths_max.max(1)) {
        let Some(last) = (others.len() as u64).checked_sub(1) else { break };
        let index = usize::try_from(draw("to", ordinal, 0..=last)).expect("below the length of a list");
        paths.push(Path {
            to: walker_id(others.swap_remove(index)),
            signals: draw("signals", ordinal, 1..=sizes.signals_max.max(1)),
            pause_ms: draw("pause", ordinal, 0..=sizes.pause_ms_max),
        });
    }
    let lost = decisions.chance(&format!("signal_mesh.lost.{id}"), 0, sizes.missing_targets_percent, 100);
    let missing_targets = if lost { vec![format!("nobody-{number}")] } else { Vec::new() };
    let continues_as_new =
        decisions.chance(&format!("signal_mesh.continues_as_new.{id}"), 0, sizes.continue_as_new_percent, 100);
    Way { paths, missing_targets, continues_as_new, ..Way::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest::Seed;

    fn drawn(seed: u64, walkers: u64) -> Pattern {
        let sizes = Sizes {
            walkers,
            paths_max: 5,
            signals_max: 4,
            pause_ms_max: 100,
            missing_targets_percent: 50,
            continue_as_new_percent: 50,
            spread_ms: 0,
        };
        Pattern::draw(&Decisions::new(Seed(seed), []), &sizes)
    }

    /// 0 sends two signals to 1, 2 sends one; 1 asks for a missing target.
    fn small() -> Pattern {
        let to_one = |signals| Way { paths: vec![Path { to: walker_id(1), signals, pause_ms: 0 }], ..Way::default() };
        let one = Way { awaited: 3, missing_targets: vec!["nobody-1".to_owned()], ..Way::default() };
        Pattern(vec![to_one(2), one, to_one(1)])
    }

    fn check(got: &[(u64, u64)], not_found: u64, expect: Result<(), &str>) {
        let got = got.iter().map(|(from, number)| Greeting { from: walker_id(*from), number: *number }).collect();
        let judged = small().judge(1, &Walked { got, not_found });
        assert_eq!(judged, expect.map_err(str::to_owned));
    }

    #[test]
    fn what_is_sent_is_awaited_and_nobody_signals_oneself() {
        for seed in 0..50 {
            let pattern = drawn(seed, 20);
            assert_eq!(pattern, drawn(seed, 20));
            let paths: Vec<&Path> = pattern.0.iter().flat_map(|way| &way.paths).collect();
            let sent: u64 = paths.iter().map(|path| path.signals).sum();
            assert_eq!(sent, pattern.0.iter().map(|way| way.awaited).sum::<u64>());
            for (number, way) in (0..).zip(&pattern.0) {
                let mut to: Vec<&str> = way.paths.iter().map(|path| path.to.as_str()).collect();
                assert!(!to.is_empty() && !to.contains(&walker_id(number).as_str()));
                to.sort_unstable();
                to.dedup();
                assert_eq!(to.len(), way.paths.len(), "one path to each");
            }
        }
    }

    #[test]
    fn a_walker_that_is_alone_has_nobody_to_signal() {
        assert!(drawn(1, 1).0[0].paths.is_empty());
        assert_eq!(drawn(1, 1).0[0].awaited, 0);
    }

    #[test]
    fn signals_of_different_senders_may_come_in_any_order() {
        check(&[(0, 1), (0, 2), (2, 1)], 2, Ok(()));
        check(&[(2, 1), (0, 1), (0, 2)], 2, Ok(()));
    }

    #[test]
    fn signals_are_there_once_and_in_order() {
        let meant = r#"expected {"walker-0": [1, 2], "walker-2": [1]}"#;
        let wrong = |got: &str| format!("walker-1 got {got}, {meant}");
        check(&[(0, 2), (0, 1), (2, 1)], 2, Err(&wrong(r#"{"walker-0": [2, 1], "walker-2": [1]}"#)));
        check(&[(0, 1), (0, 1), (0, 2), (2, 1)], 2, Err(&wrong(r#"{"walker-0": [1, 1, 2], "walker-2": [1]}"#)));
        check(&[(0, 1), (0, 2)], 2, Err(&wrong(r#"{"walker-0": [1, 2]}"#)));
    }

    #[test]
    fn a_signal_may_be_repeated_to_the_next_run_but_not_after_the_one_that_follows_it() {
        let mut continues_as_new = small();
        continues_as_new.0[1].continues_as_new = true;
        let walked = |got: &[(u64, u64)]| {
            let got = got.iter().map(|(from, number)| Greeting { from: walker_id(*from), number: *number }).collect();
            continues_as_new.judge(1, &Walked { got, not_found: 2 })
        };
        assert_eq!(walked(&[(0, 1), (0, 1), (2, 1), (0, 2), (2, 1)]), Ok(()));
        assert!(walked(&[(0, 1), (0, 2), (0, 1), (2, 1)]).is_err());
    }

    #[test]
    fn missing_targets_are_not_found() {
        let once = "walker-1 called 1 missing targets twice and was told 1 times that there is none";
        check(&[(0, 1), (0, 2), (2, 1)], 1, Err(once));
    }
}
