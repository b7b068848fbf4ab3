//! Says in the log which shards are behind, for as long as they are.
use std::collections::BTreeMap;
use std::sync::Weak;
use tempest_history::{HistoryHandle, ShardLag};
use tempest_rt::time::{Duration, sleep};
use tempest_store::ShardId;

/// Pause between looks, each of which says one line at most.
const INTERVAL: Duration = Duration::from_secs(30);

/// What is told. A task that is refused is tried again within ten seconds.
const BEHIND: Duration = Duration::from_secs(15);

/// Looks until `history` is gone.
pub(crate) async fn tell(history: Weak<HistoryHandle>) {
    loop {
        sleep(INTERVAL).await;
        let Some(history) = history.upgrade() else { return };
        if let Some((shards, worst, lag)) = behind(&history.lags()) {
            tracing::warn!(
                shards,
                worst = worst.0,
                transfer_tasks = lag.transfer_tasks,
                transfer_oldest_ms = lag.transfer_oldest_ms,
                timer_overdue_ms = lag.timer_overdue_ms,
                "shards are behind with their queues"
            );
        }
    }
}

/// How many shards are behind, and which most.
fn behind(lags: &BTreeMap<ShardId, ShardLag>) -> Option<(usize, ShardId, ShardLag)> {
    let behind = || lags.iter().filter(|(_, lag)| lag.age() >= BEHIND);
    let (worst, lag) = behind().max_by_key(|(_, lag)| lag.age())?;
    Some((behind().count(), *worst, *lag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_those_behind_is_named() {
        let lag =
            |transfer, timer| ShardLag { transfer_oldest_ms: transfer, timer_overdue_ms: timer, ..ShardLag::default() };
        let mut lags: BTreeMap<_, _> = [(ShardId(1), lag(Some(14_999), None)), (ShardId(2), lag(None, Some(0)))].into();
        assert_eq!(behind(&lags), None);
        lags.insert(ShardId(3), lag(Some(16_000), Some(0)));
        lags.insert(ShardId(4), lag(Some(0), Some(20_000)));
        assert_eq!(behind(&lags), Some((2, ShardId(4), lag(Some(0), Some(20_000)))));
    }
}
