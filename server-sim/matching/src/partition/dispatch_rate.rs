//! How fast tasks may be handed out: a token bucket that holds the tasks of one second, and is kept as a single time.
use std::time::Duration;

/// A queue that stood still has this much of its rate saved up, as Temporal's.
const BURST: Duration = Duration::from_secs(1);

/// From this rate on a queue counts as unlimited; it is what Temporal reports for one.
pub const RATE_UNLIMITED: f64 = 100_000.0;

/// Times are durations since some fixed moment, as the partition's.
#[derive(Clone, Debug, PartialEq)]
pub struct DispatchRate {
    /// Tasks per second, as it was asked for.
    per_second: f64,
    /// Between two tasks; zero: no limit, `None`: nothing is handed out.
    interval: Option<Duration>,
    /// When the next task may be handed out.
    ready: Duration,
}

impl DispatchRate {
    pub fn unlimited() -> Self {
        Self { per_second: RATE_UNLIMITED, interval: Some(Duration::ZERO), ready: Duration::ZERO }
    }

    /// From now on this many tasks per second: none if it is zero, less, or no number.
    pub fn set(&mut self, now: Duration, per_second: f64) {
        let per_second = if per_second.is_nan() { 0.0 } else { per_second.clamp(0.0, RATE_UNLIMITED) };
        if per_second == self.per_second {
            return;
        }
        self.per_second = per_second;
        self.interval = match per_second {
            RATE_UNLIMITED => Some(Duration::ZERO),
            // So small a rate that its pause cannot be said is none.
            rate => Duration::try_from_secs_f64(rate.recip()).ok(),
        };
        // A pause that was begun under a slow rate does not outlast it.
        self.ready = self.ready.min(now.saturating_add(self.interval.unwrap_or_default()));
    }

    pub fn per_second(&self) -> f64 {
        self.per_second
    }

    /// When the next task may be handed out, in the past if that is now; `None`: not before the rate is another.
    pub fn ready(&self) -> Option<Duration> {
        self.interval.map(|_| self.ready)
    }

    pub fn allows(&self, now: Duration) -> bool {
        self.ready().is_some_and(|ready| ready <= now)
    }

    /// A task is handed out.
    pub fn take(&mut self, now: Duration) {
        let interval = self.interval.unwrap_or_default();
        let saved_up_since = now.saturating_sub(BURST.saturating_sub(interval));
        self.ready = self.ready.max(saved_up_since).saturating_add(interval);
    }

    /// A task that was handed out was not wanted: the next one may go in its place.
    pub fn give_back(&mut self) {
        self.ready = self.ready.saturating_sub(self.interval.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn rate(per_second: f64) -> DispatchRate {
        let mut rate = DispatchRate::unlimited();
        rate.set(HOUR, per_second);
        rate
    }

    /// Tasks handed out within this time, after the queue stood still for an hour.
    fn handed_out(rate: &mut DispatchRate, within: Duration) -> usize {
        let mut count = 0;
        for ms in 0..within.as_millis() as u64 {
            let now = HOUR + Duration::from_millis(ms);
            while count < 1_000_000 && rate.allows(now) {
                rate.take(now);
                count += 1;
            }
        }
        count
    }

    #[test]
    fn a_second_may_be_saved_up_and_then_the_rate_holds() {
        let check = |per_second, seconds, expect| {
            assert_eq!(handed_out(&mut rate(per_second), Duration::from_secs(seconds)), expect, "{per_second}/s");
        };
        check(10.0, 10, 10 + 99);
        check(1.0, 10, 10);
        check(0.5, 10, 5);
        check(2.5, 4, 2 + 10);
        check(0.0, 10, 0);
        check(-1.0, 10, 0);
        check(f64::NAN, 10, 0);
        check(1e-300, 10, 0);
        check(1e6, 1, 1_000_000);
        check(f64::INFINITY, 1, 1_000_000);
    }

    #[test]
    fn a_queue_that_stood_still_goes_on_at_once_with_another_rate() {
        let mut rate = rate(0.001);
        rate.take(HOUR);
        assert!(!rate.allows(HOUR + Duration::from_secs(100)));
        rate.set(HOUR, 10.0);
        assert!(rate.allows(HOUR + Duration::from_millis(100)));
        rate.set(HOUR, 0.0);
        assert_eq!((rate.ready(), rate.allows(2 * HOUR)), (None, false));
        rate.set(HOUR, RATE_UNLIMITED);
        assert!(rate.allows(HOUR + Duration::from_millis(100)));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let mut rate = rate(1.0);
        rate.take(HOUR);
        assert!(!rate.allows(HOUR));
        rate.give_back();
        assert!(rate.allows(HOUR));
    }
}
