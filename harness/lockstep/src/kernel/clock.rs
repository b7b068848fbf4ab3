//! A host's clocks, as functions of the simulator's time.

use super::SECOND;

/// Virtual time zero on every monotonic clock. Well above zero, so that programs which subtract from "now" do not
/// underflow.
pub(crate) const BOOT: u64 = 1_000_000 * SECOND;

/// A piecewise linear clock: each change of rate starts a new piece, so that the monotonic clock never goes back.
pub(crate) struct Clock {
    anchor: u64,
    monotonic_at_anchor: u64,
    rate_ppm: i64,
    wall_offset: i64,
}

impl Clock {
    pub fn new() -> Clock {
        Clock { anchor: BOOT, monotonic_at_anchor: BOOT, rate_ppm: 0, wall_offset: 0 }
    }

    pub fn set(&mut self, now: u64, wall_offset: i64, rate_ppm: i64) {
        self.monotonic_at_anchor = self.monotonic(now);
        self.anchor = now;
        self.rate_ppm = rate_ppm;
        self.wall_offset = wall_offset;
    }

    pub fn jump(&mut self, by: i64) {
        self.wall_offset = self.wall_offset.saturating_add(by);
    }

    pub fn monotonic(&self, now: u64) -> u64 {
        if self.rate_ppm == 0 {
            return self.monotonic_at_anchor + (now - self.anchor);
        }
        let gone = u128::from(now - self.anchor) * (1_000_000 + self.rate_ppm) as u128 / 1_000_000;
        self.monotonic_at_anchor + gone as u64
    }

    /// Nanoseconds since the Unix epoch; a clock set before 1970 stays there.
    pub fn wall(&self, now: u64, epoch: u64) -> u64 {
        (self.monotonic(now) - BOOT + epoch).saturating_add_signed(self.wall_offset)
    }

    /// The simulator's time at which this clock will have gone on by `duration`; rounded up, so that no thread that
    /// waits for a deadline wakes before it on its own clock.
    pub fn deadline(&self, now: u64, duration: u64) -> u64 {
        if self.rate_ppm == 0 {
            return now.saturating_add(duration);
        }
        let real = (u128::from(duration) * 1_000_000).div_ceil((1_000_000 + self.rate_ppm) as u128);
        now.saturating_add(u64::try_from(real).unwrap_or(u64::MAX)).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_never_goes_back_when_the_rate_changes() {
        let mut clock = Clock::new();
        let mut last = clock.monotonic(BOOT);
        for (step, ppm) in [500_000, -500_000, 0, -999_000, 100].into_iter().enumerate() {
            let now = BOOT + (step as u64 + 1) * SECOND;
            clock.set(now, -5 * SECOND as i64, ppm);
            assert!(clock.monotonic(now) >= last);
            last = clock.monotonic(now);
        }
    }

    #[test]
    fn a_deadline_is_never_early_on_the_clock_that_asked() {
        for ppm in [-900_000, -333, 0, 7, 900_000] {
            let mut clock = Clock::new();
            clock.set(BOOT + 17, 0, ppm);
            let now = BOOT + 12_345;
            let due = clock.deadline(now, 1_000_003);
            assert!(clock.monotonic(due) >= clock.monotonic(now) + 1_000_003, "{ppm}");
        }
    }

    #[test]
    fn a_jump_moves_the_wall_clock_only() {
        let mut clock = Clock::new();
        let before = clock.monotonic(BOOT + 5);
        clock.jump(-3 * SECOND as i64);
        assert_eq!(clock.monotonic(BOOT + 5), before);
        assert_eq!(clock.wall(BOOT, 10 * SECOND), 7 * SECOND);
        clock.jump(i64::MIN);
        assert_eq!(clock.wall(BOOT, 10 * SECOND), 0);
    }
}
