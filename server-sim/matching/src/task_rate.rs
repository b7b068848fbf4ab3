//! Tasks per second over the last half minute, pure.
use std::time::Duration;

const BUCKET: Duration = Duration::from_secs(5);
/// The one that fills, and those that make up the half minute before it.
const BUCKETS: usize = 7;
const INTERVAL: Duration = Duration::from_secs(30);

/// Times are durations since some fixed moment of the shell's monotonic clock.
#[derive(Debug)]
pub(crate) struct TaskRate {
    began: Duration,
    /// The newest first.
    counts: [u32; BUCKETS],
    newest_began: Duration,
}

impl TaskRate {
    pub(crate) fn new(now: Duration) -> Self {
        Self { began: now, counts: [0; BUCKETS], newest_began: now }
    }

    pub(crate) fn count(&mut self, now: Duration) {
        self.advance(now);
        self.counts[0] = self.counts[0].saturating_add(1);
    }

    pub(crate) fn per_second(&mut self, now: Duration) -> f32 {
        self.advance(now);
        let counted = (now - self.newest_began + INTERVAL).min(now - self.began);
        if counted.is_zero() {
            return 0.0;
        }
        self.counts.iter().sum::<u32>() as f32 / counted.as_secs_f32()
    }

    fn advance(&mut self, now: Duration) {
        let buckets = now.saturating_sub(self.newest_began).as_nanos() / BUCKET.as_nanos();
        let buckets = u32::try_from(buckets).unwrap_or(u32::MAX);
        let empty = (buckets as usize).min(BUCKETS);
        self.counts.rotate_right(empty);
        self.counts[..empty].fill(0);
        self.newest_began += BUCKET * buckets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_the_last_half_minute_or_of_all_time_if_that_is_less() {
        let at = Duration::from_secs;
        let mut rate = TaskRate::new(at(100));
        assert_eq!(rate.per_second(at(100)), 0.0, "no time has passed");
        for second in 100..110 {
            rate.count(at(second));
            rate.count(at(second));
        }
        assert_eq!(rate.per_second(at(110)), 2.0);
        assert_eq!(rate.per_second(at(120)), 1.0);
        assert_eq!(rate.per_second(at(130)), 20.0 / 30.0);
        assert_eq!(rate.per_second(at(140)), 0.0);
        rate.count(at(1_000_000));
        assert_eq!(rate.per_second(at(1_000_000)), 1.0 / 30.0);
    }
}
