//! Percentiles, and means with their confidence intervals.

use tempest_artifact::Estimate;

/// Two-sided 95 % quantiles of Student's t by degrees of freedom, from 1.
const T_95: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];
/// With more degrees of freedom it is the normal distribution's.
const NORMAL_95: f64 = 1.96;

/// A mean with its 95 % confidence interval. Of one value the interval is that value: nothing is known of its spread.
pub fn estimate(values: &[f64]) -> Estimate {
    let repetitions = values.len();
    if repetitions == 0 {
        return Estimate::default();
    }
    let mean = mean(values);
    if repetitions == 1 {
        return Estimate { mean, low: mean, high: mean, repetitions };
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (repetitions - 1) as f64 / repetitions as f64).sqrt();
    let half = error * T_95.get(repetitions - 2).copied().unwrap_or(NORMAL_95);
    Estimate { mean, low: (mean - half).max(0.0), high: mean + half, repetitions }
}

/// 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The nearest rank of values in order; 0 of nothing.
pub fn percentile(sorted: &[u64], share: f64) -> u64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_as_wide_as_the_values_spread() {
        let interval = |values: &[f64]| {
            let Estimate { mean, low, high, .. } = estimate(values);
            [mean, low, high].map(|value| (value * 100.0).round() / 100.0)
        };
        assert_eq!(interval(&[10.0, 12.0, 14.0]), [12.0, 7.03, 16.97]);
        assert_eq!(interval(&[5.0]), [5.0, 5.0, 5.0]);
        assert_eq!(interval(&[]), [0.0, 0.0, 0.0]);
        assert_eq!(interval(&[7.0; 40]), [7.0, 7.0, 7.0]);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<u64> = (1..=200).collect();
        let at = |share| percentile(&values, share);
        assert_eq!([at(0.5), at(0.95), at(0.99), at(1.0)], [100, 190, 198, 200]);
        assert_eq!((percentile(&[], 0.5), percentile(&[3], 0.99)), (0, 3));
    }
}
