//! Shard time: what timers and timeouts are judged by.
use crate::service::WallClock;
use tempest_core::Time;
use tempest_rt::time::Instant;

/// While it is ahead of the wall clock, shard time loses one part in so many: an hour ahead is gone in sixteen hours, and
/// timers meanwhile take a sixteenth longer. They may be late, never early.
const SLOWED_BY: u32 = 16;

/// The wall clock, unless that is behind the mark plus a little less than the monotonic time since the mark was set. So it
/// never goes back; after a jump of the wall clock was healed it neither stands still until the world has caught up, nor
/// stays ahead of it forever.
pub(crate) struct ShardClock {
    wall: WallClock,
    mark: Time,
    marked_at: Instant,
}

impl ShardClock {
    /// Continues from the durable high-water mark that was read just now.
    pub fn new(wall: WallClock, mark: Time) -> Self {
        Self::marked(wall, mark, Instant::now())
    }

    /// Continues from what another one knew.
    pub fn marked(wall: WallClock, mark: Time, marked_at: Instant) -> Self {
        Self { wall, mark, marked_at }
    }

    /// The last mark, and when it was made.
    pub fn mark(&self) -> (Time, Instant) {
        (self.mark, self.marked_at)
    }

    pub fn now(&mut self) -> Time {
        let instant = Instant::now();
        let now = if tempest_rt::planted!(crate::plants::SHARD_TIME_FOLLOWS_WALL_CLOCK) {
            (self.wall)()
        } else {
            let passed = instant.saturating_duration_since(self.marked_at);
            (self.wall)().max(self.mark.plus(passed - passed / SLOWED_BY))
        };
        (self.mark, self.marked_at) = (now, instant);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    const SECOND: i64 = 1_000_000_000;

    #[tokio::test(start_paused = true)]
    async fn shard_time_follows_the_wall_clock_forward_and_never_goes_back_or_stands_still() {
        let wall = Arc::new(Mutex::new(Time(100 * SECOND)));
        let read = wall.clone();
        let mut clock = ShardClock::new(Arc::new(move || *read.lock().unwrap()), Time(90 * SECOND));
        assert_eq!(clock.now(), Time(100 * SECOND));
        *wall.lock().unwrap() = Time(500 * SECOND);
        assert_eq!(clock.now(), Time(500 * SECOND));
        // The jump is healed: time goes on from where it was, a little slower than the monotonic clock.
        *wall.lock().unwrap() = Time(101 * SECOND);
        tokio::time::advance(Duration::from_secs(16)).await;
        assert_eq!(clock.now(), Time(515 * SECOND));
        tokio::time::advance(Duration::from_secs(32)).await;
        assert_eq!(clock.now(), Time(545 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wall_clock_catches_up_with_shard_time() {
        let began = Instant::now();
        let jumped = Arc::new(Mutex::new(0));
        let read = jumped.clone();
        let wall = move || Time(1000 * SECOND).plus(began.elapsed()).plus(Duration::from_secs(*read.lock().unwrap()));
        let mut clock = ShardClock::new(Arc::new(wall), Time::ZERO);
        *jumped.lock().unwrap() = 60;
        assert_eq!(clock.now(), Time(1060 * SECOND));
        *jumped.lock().unwrap() = 0;
        for _ in 0..60 {
            tokio::time::advance(Duration::from_secs(15)).await;
            clock.now();
        }
        assert_eq!(began.elapsed(), Duration::from_secs(900));
        assert!(clock.now() > Time(1900 * SECOND));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(clock.now(), Time(1960 * SECOND), "after sixteen times the jump it is gone");
    }
}
