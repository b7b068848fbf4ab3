//! Shard time: what timers and timeouts are judged by.
use crate::service::WallClock;
use tempest_core::Time;
use tempest_rt::time::Instant;

/// One moment, as both clocks of a node showed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub instant: Instant,
    pub wall: Time,
}

impl Moment {
    pub fn read(wall: &WallClock) -> Moment {
        Moment { instant: Instant::now(), wall: wall() }
    }
}

/// While it is ahead of the wall clock, shard time loses one part in so many: an hour ahead is gone in sixteen hours, and
/// timers meanwhile take a sixteenth longer. They may be late, never early.
const SLOWED_BY: u32 = 16;

/// The wall clock, unless that is behind the mark plus a little less than the monotonic time since the mark was set. So it
/// never goes back; after a jump of the wall clock was healed it neither stands still until the world has caught up, nor
/// stays ahead of it forever.
pub(crate) struct ShardClock {
    mark: Time,
    marked_at: Instant,
}

impl ShardClock {
    /// Continues from what was known at `marked_at`: the durable high-water mark, or what another clock told last.
    pub fn new(mark: Time, marked_at: Instant) -> Self {
        Self { mark, marked_at }
    }

    /// The last mark, and when it was made.
    pub fn mark(&self) -> (Time, Instant) {
        (self.mark, self.marked_at)
    }

    pub fn at(&mut self, moment: Moment) -> Time {
        let Moment { instant, wall } = moment;
        let now = if tempest_rt::planted!(crate::plants::SHARD_TIME_FOLLOWS_WALL_CLOCK) {
            wall
        } else {
            let passed = instant.saturating_duration_since(self.marked_at);
            wall.max(self.mark.plus(passed - passed / SLOWED_BY))
        };
        (self.mark, self.marked_at) = (now, instant);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn shard_time_follows_the_wall_clock_forward_and_never_goes_back_or_stands_still() {
        let start = Instant::now();
        let at = |seconds, wall| Moment { instant: start + Duration::from_secs(seconds), wall: Time(wall * SECOND) };
        let mut clock = ShardClock::new(Time(90 * SECOND), start);
        assert_eq!(clock.at(at(0, 100)), Time(100 * SECOND));
        assert_eq!(clock.at(at(0, 500)), Time(500 * SECOND));
        // The jump is healed: time goes on from where it was, a little slower than the monotonic clock.
        assert_eq!(clock.at(at(16, 101)), Time(515 * SECOND));
        assert_eq!(clock.at(at(48, 101)), Time(545 * SECOND));
    }

    #[test]
    fn the_wall_clock_catches_up_with_shard_time() {
        let start = Instant::now();
        let at = |seconds: u64, jumped: i64| {
            let passed = Duration::from_secs(seconds);
            Moment { instant: start + passed, wall: Time((1000 + jumped) * SECOND).plus(passed) }
        };
        let mut clock = ShardClock::new(Time::ZERO, start);
        assert_eq!(clock.at(at(0, 60)), Time(1060 * SECOND));
        assert_eq!(clock.at(at(0, 0)), Time(1060 * SECOND));
        for seconds in (15..=900).step_by(15) {
            clock.at(at(seconds, 0));
        }
        assert!(clock.at(at(900, 0)) > Time(1900 * SECOND));
        assert_eq!(clock.at(at(960, 0)), Time(1960 * SECOND), "after sixteen times the jump it is gone");
    }
}
