//! How far a shard's queues are behind. The pump posts what it knows; how old that is by now is reckoned by the caller,
//! so that a shard that is stuck is seen to fall behind.
use super::clock::{Moment, ShardClock};
use super::timer_queue::EarliestTimer;
use super::transfer_queue::TransferBacklog;
use crate::service::WallClock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempest_core::Time;
use tempest_rt::time::Instant;
use tempest_store::{RangeId, ShardId};

/// How far a shard's queues are behind, by the clocks of the node that owns it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShardLag {
    /// Transfer tasks in memory that are not done with: not sent yet, or not taken yet.
    pub transfer_tasks: u64,
    /// Whether the store may hold more of them.
    pub transfer_tasks_unread: bool,
    /// For how long the owner has had the oldest of them: since it became durable, or since it was read after the shard was
    /// acquired. 0 if there is none; nothing while that is being read.
    pub transfer_oldest_ms: Option<u64>,
    /// By how much the earliest timer is overdue in shard time. 0 if none is due; nothing while they are being read.
    pub timer_overdue_ms: Option<u64>,
}

impl ShardLag {
    /// How long the queue that is further behind is behind, as far as that is known.
    pub fn age(&self) -> Duration {
        Duration::from_millis(self.transfer_oldest_ms.max(self.timer_overdue_ms).unwrap_or(0))
    }
}

/// What a shard's pump knew of its queues when it ran last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posted {
    /// The ownership that it is about.
    pub range: RangeId,
    pub transfers: TransferBacklog,
    pub timers: EarliestTimer,
    /// Shard time when it was read last, and that moment.
    pub clock: (Time, Instant),
}

impl Posted {
    fn lag(&self, now: Moment) -> ShardLag {
        let TransferBacklog { tasks, unread, oldest_since } = self.transfers;
        let (mark, marked_at) = self.clock;
        ShardLag {
            transfer_tasks: tasks as u64,
            transfer_tasks_unread: unread,
            transfer_oldest_ms: match oldest_since {
                Some(since) => Some(ms(now.instant.saturating_duration_since(since))),
                None if unread || tasks > 0 => None,
                None => Some(0),
            },
            timer_overdue_ms: match self.timers {
                EarliestTimer::Due(due) => Some(ms(ShardClock::new(mark, marked_at).at(now).since(due))),
                EarliestTimer::NotRead => None,
                EarliestTimer::None => Some(0),
            },
        }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Where the shards of a node post what they know: a place for each, by its number from 1.
#[derive(Clone)]
pub(crate) struct LagBoard(Arc<[Mutex<Option<Posted>>]>);

impl LagBoard {
    pub fn new(shard_count: u32) -> Self {
        Self((0..shard_count).map(|_| Mutex::default()).collect())
    }

    pub fn post(&self, shard: ShardId, posted: Posted) {
        *self.0[shard.0 as usize - 1].lock().expect("no holder of this lock panics") = Some(posted);
    }

    /// What was posted by the ownerships that are `held`.
    pub fn lags(&self, held: &BTreeMap<ShardId, RangeId>, wall: &WallClock) -> BTreeMap<ShardId, ShardLag> {
        let posted = |shard: ShardId| *self.0[shard.0 as usize - 1].lock().expect("no holder of this lock panics");
        let current = held.iter().filter_map(|(shard, range)| Some((*shard, posted(*shard)?, *range)));
        let current = current.filter(|(_, posted, range)| posted.range == *range);
        current.map(|(shard, posted, _)| (shard, posted.lag(Moment::read(wall)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[tokio::test(start_paused = true)]
    async fn a_shard_that_posts_nothing_more_is_seen_to_fall_behind() {
        let wall: WallClock = Arc::new(|| Time::ZERO);
        let board = LagBoard::new(2);
        let posted = Posted {
            range: RangeId(7),
            transfers: TransferBacklog { tasks: 3, unread: true, oldest_since: Some(Instant::now()) },
            timers: EarliestTimer::Due(Time(110 * SECOND)),
            clock: (Time(100 * SECOND), Instant::now()),
        };
        board.post(ShardId(2), posted);
        let lag = |range| board.lags(&[(ShardId(1), RangeId(7)), (ShardId(2), range)].into(), &wall);
        assert_eq!(lag(RangeId(8)), BTreeMap::new(), "what an earlier owner said is no news");
        let expected = |transfer_oldest_ms, timer_overdue_ms| ShardLag {
            transfer_tasks: 3,
            transfer_tasks_unread: true,
            transfer_oldest_ms: Some(transfer_oldest_ms),
            timer_overdue_ms: Some(timer_overdue_ms),
        };
        assert_eq!(lag(RangeId(7)), [(ShardId(2), expected(0, 0))].into());
        // Shard time is ahead of the wall clock here, and loses one part in sixteen.
        tokio::time::advance(Duration::from_secs(16)).await;
        assert_eq!(lag(RangeId(7)), [(ShardId(2), expected(16_000, 5_000))].into());
        assert_eq!(expected(16_000, 5_000).age(), Duration::from_secs(16));
    }

    #[test]
    fn what_is_being_read_is_not_known() {
        let nothing = Posted {
            range: RangeId(1),
            transfers: TransferBacklog::default(),
            timers: EarliestTimer::None,
            clock: (Time::ZERO, Instant::now()),
        };
        let reading = Posted {
            transfers: TransferBacklog { unread: true, ..TransferBacklog::default() },
            timers: EarliestTimer::NotRead,
            ..nothing
        };
        let lag = |posted: Posted| {
            let lag = posted.lag(Moment { instant: Instant::now(), wall: Time::ZERO });
            (lag.transfer_oldest_ms, lag.timer_overdue_ms)
        };
        assert_eq!(lag(nothing), (Some(0), Some(0)));
        assert_eq!(lag(reading), (None, None));
    }
}
