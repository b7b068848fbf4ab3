//! How well runs find a bug: the harness's own score.
use super::{CampaignEnd, SeedEnd};
use serde::Serialize;
use std::collections::BTreeMap;

/// What some runs with one planted bug came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Detection {
    pub runs: usize,
    /// Seeds of the runs that found it, in the order in which they were begun.
    pub seeds: Vec<u64>,
    /// What failed first, and in how many runs.
    pub invariants: BTreeMap<String, usize>,
    /// Core-seconds of runs from one find to the next, the one that finds it included: half of the finds take so long at
    /// most. Nothing if there is none.
    pub median_seconds: Option<f64>,
    /// The longest of them, the last runs without a find included.
    pub worst_seconds: Option<f64>,
}

impl Detection {
    /// Of runs that took a core each.
    pub fn of(end: &CampaignEnd) -> Detection {
        let mut detection = Detection { runs: end.ends.len(), ..Detection::default() };
        let (mut stretches, mut stretch) = (Vec::new(), 0.0);
        let mut runs: Vec<&SeedEnd> = end.ends.iter().collect();
        runs.sort_by_key(|run| run.seed);
        for run in runs {
            stretch += run.wall_ms as f64 / 1e3;
            // A run that did not take place finds nothing.
            if let Some(failure) = run.failure().filter(|_| run.status != Some(2)) {
                *detection.invariants.entry(failure).or_default() += 1;
                detection.seeds.push(run.seed);
                stretches.push(std::mem::take(&mut stretch));
            }
        }
        stretches.sort_by(f64::total_cmp);
        detection.median_seconds = stretches.get(stretches.len().saturating_sub(1) / 2).copied();
        detection.worst_seconds = stretches.last().map(|longest| longest.max(stretch));
        detection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seed: u64, status: i32, wall_ms: u64) -> SeedEnd {
        let scenario = "program".to_owned();
        let summary = (status == 1).then(|| serde_json::json!({ "violations": [{ "invariant": "model" }] }));
        let (world, said, status) = (Default::default(), String::new(), Some(status));
        SeedEnd { scenario, world, seed, status, summary, said, too_long: false, wall_ms }
    }

    fn of(ends: Vec<SeedEnd>) -> Detection {
        Detection::of(&CampaignEnd { ends, ..CampaignEnd::default() })
    }

    #[test]
    fn what_it_takes_is_counted_from_find_to_find() {
        let found = of(vec![run(1, 0, 500), run(2, 1, 500), run(3, 1, 2_000), run(4, 0, 1_500), run(5, 0, 1_500)]);
        assert_eq!((found.runs, found.seeds), (5, vec![2, 3]));
        assert_eq!(found.invariants, [("model".to_owned(), 2)].into());
        assert_eq!((found.median_seconds, found.worst_seconds), (Some(1.0), Some(3.0)));
    }

    #[test]
    fn what_no_run_finds_has_no_time() {
        let found = of(vec![run(1, 0, 500), run(2, 2, 10)]);
        assert_eq!((found.seeds.len(), found.median_seconds, found.worst_seconds), (0, None, None));
    }
}
