//! How long the actors of a node's shards were at work: for benches, which ask for it by
//! [`HistoryConfig::measure_actors`](crate::HistoryConfig). Elsewhere no clock is read.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tempest_rt::time::Instant;
use tempest_store::ShardId;

/// A place for each shard, by its number from 1; no places where nothing is measured.
#[derive(Clone)]
pub(crate) struct ActorTimes(Arc<[AtomicU64]>);

impl ActorTimes {
    pub fn new(shard_count: u32, are_measured: bool) -> Self {
        let places = if are_measured { shard_count } else { 0 };
        Self((0..places).map(|_| AtomicU64::new(0)).collect())
    }

    /// Does one turn of a shard's actor, and counts how long it took.
    pub fn turn<T>(&self, shard: ShardId, turn: impl FnOnce() -> T) -> T {
        let Some(place) = self.0.get(shard.0 as usize - 1) else { return turn() };
        let began = Instant::now();
        let done = turn();
        place.fetch_add(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX), Relaxed);
        done
    }

    /// By shard from 1; empty where nothing is measured.
    pub fn read(&self) -> Vec<Duration> {
        self.0.iter().map(|place| Duration::from_nanos(place.load(Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_are_counted_for_their_shard_and_only_if_they_are_asked_for() {
        let times = ActorTimes::new(2, true);
        assert_eq!(times.turn(ShardId(2), || 7), 7);
        assert_eq!(times.read(), [Duration::ZERO; 2], "virtual time stands still during a turn");
        let unmeasured = ActorTimes::new(2, false);
        assert_eq!((unmeasured.turn(ShardId(1), || 7), unmeasured.read()), (7, Vec::new()));
    }
}
