//! Shard time: what timers and timeouts are judged by.
use crate::service::WallClock;
use tempest_core::Time;
use tempest_rt::time::Instant;

/// The larger of the wall clock and the mark plus the monotonic time since the mark was set. So it never goes back,
/// and after a jump of the wall clock was healed it does not stand still until the world has caught up.
pub(crate) struct ShardClock {
    wall: WallClock,
    mark: Time,
    marked_at: Instant,
}

impl ShardClock {
    /// Continues from the durable high-water mark that was read just now.
    pub fn new(wall: WallClock, mark: Time) -> Self {
        Self { wall, mark, marked_at: Instant::now() }
    }

    pub fn now(&mut self) -> Time {
        let instant = Instant::now();
        let now = if tempest_rt::planted!("shard-time-follows-wall-clock") {
            (self.wall)()
        } else {
            (self.wall)().max(self.mark.plus(instant.saturating_duration_since(self.marked_at)))
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
        // The jump is healed: time goes on from where it was, at the pace of the monotonic clock.
        *wall.lock().unwrap() = Time(101 * SECOND);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.now(), Time(502 * SECOND));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.now(), Time(503 * SECOND));
    }
}
