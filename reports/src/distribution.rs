//! The geometry of distributions over a campaign: a histogram of round bins.

use serde::Serialize;

use crate::words;

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 130.0;
const TOP: f64 = 14.0;
const BASE: f64 = 106.0;
const BINS: usize = 26;

#[derive(Debug, Serialize)]
pub(crate) struct Distribution {
    pub name: &'static str,
    pub width: f64,
    pub height: f64,
    pub base: f64,
    pub bars: Vec<Bar>,
    pub min: String,
    pub median: String,
    pub median_x: f64,
    pub p95: String,
    pub max: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Bar {
    pub x: f64,
    pub width: f64,
    pub height: f64,
    pub failed_height: f64,
    pub title: String,
}

/// A histogram of durations; each value says whether its run failed. None where there is nothing to compare.
pub(crate) fn distribution(name: &'static str, values: &[(u64, bool)]) -> Option<Distribution> {
    let mut sorted: Vec<f64> = values.iter().map(|(value, _)| *value as f64).collect();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    if sorted.len() < 2 || max <= 0.0 {
        return None;
    }
    let span = if max > min { max - min } else { max.max(1.0) };
    let mut bins = vec![(0u64, 0u64); BINS];
    for (value, failed) in values {
        let index = (((*value as f64 - min) / span * BINS as f64) as usize).min(BINS - 1);
        bins[index].0 += 1;
        bins[index].1 += u64::from(*failed);
    }
    let highest = bins.iter().map(|bin| bin.0).max().unwrap_or(1).max(1) as f64;
    let step = WIDTH / BINS as f64;
    let bars = bins
        .iter()
        .enumerate()
        .filter(|(_, bin)| bin.0 > 0)
        .map(|(index, (all, failed))| {
            let (from, to) = (min + span * index as f64 / BINS as f64, min + span * (index + 1) as f64 / BINS as f64);
            Bar {
                x: tenth(index as f64 * step + 1.0),
                width: tenth(step - 2.0),
                height: tenth(*all as f64 / highest * (BASE - TOP)),
                failed_height: tenth(*failed as f64 / highest * (BASE - TOP)),
                title: format!("{} to {}: {all} runs, {failed} failed", duration(from), duration(to)),
            }
        })
        .collect();
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    Some(Distribution {
        name,
        width: WIDTH,
        height: HEIGHT,
        base: BASE,
        bars,
        min: duration(min),
        median: duration(at(0.5)),
        median_x: tenth((at(0.5) - min) / span * WIDTH),
        p95: duration(at(0.95)),
        max: duration(max),
    })
}

fn duration(ms: f64) -> String {
    words::duration(ms.round() as u64)
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_is_in_a_bin() {
        let values: Vec<(u64, bool)> = (0..100).map(|index| (index, index % 10 == 0)).collect();
        let distribution = distribution("virtual time", &values).expect("there are values");
        assert_eq!(distribution.bars.len(), BINS);
        assert_eq!(distribution.max, "99 ms");
    }

    #[test]
    fn one_value_is_no_distribution() {
        assert!(distribution("wall", &[(1, false)]).is_none());
        assert!(distribution("wall", &[]).is_none());
        assert!(distribution("wall", &[(0, false), (0, false)]).is_none());
    }

    #[test]
    fn equal_values_are_one_bar() {
        let distribution = distribution("wall", &[(5, false), (5, true)]).expect("there are values");
        assert_eq!(distribution.bars.len(), 1);
    }
}
