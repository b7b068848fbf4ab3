//! What a shard has acknowledged, held against what is found in the store: a failover of the database that lost some of it
//! is told to the operator, never passed over.
use super::Node;
use crate::{Counters, DataLoss};
use tempest_store::{RangeId, ShardId, ShardRecord, StoreCalls, Timeline};

/// The newest commit of this process that is known to be durable. It is kept also where a failover has not lost it: the
/// next may promote a standby that never saw it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Acknowledged {
    range: RangeId,
    sequence: u64,
    /// The newest timeline on which it was found.
    found_on: Timeline,
}

impl Acknowledged {
    /// What the owner of `range` was told, while the database was on the timeline of `range`.
    pub fn by(range: RangeId, sequence: u64) -> Acknowledged {
        Acknowledged { range, sequence, found_on: range.timeline() }
    }

    /// The database failed over since this shard was looked at: its owner now may write over what shows the loss, so
    /// the row is looked at before anything else. True if it could not be read.
    pub async fn look_again_after_a_failover(&mut self, node: &Node, shard: ShardId) -> bool {
        // Asked before the row is read: the row may be of a later timeline, never of an earlier one.
        let timeline = *node.store.timeline().borrow();
        if self.sequence == 0 || timeline <= self.found_on {
            return false;
        }
        match node.store.shard(shard).await {
            Ok(record) => {
                self.compare(node, shard, &record.unwrap_or_default(), timeline);
                false
            }
            Err(error) => {
                tracing::warn!(%error, "whether the failover lost commits of this shard is not known yet");
                true
            }
        }
    }

    /// Reports commits that were acknowledged and are not in the row that was `found` on `timeline`. Once for each loss: what
    /// is left may be lost by the next failover.
    pub fn compare(&mut self, node: &Node, shard: ShardId, found: &ShardRecord, timeline: Timeline) {
        let Acknowledged { range, sequence, .. } = *self;
        let left = found.left_of(range, sequence);
        *self = Acknowledged { range: left.0, sequence: left.1, found_on: self.found_on.max(timeline) };
        if tempest_rt::planted!(crate::plants::ACKNOWLEDGED_FORGOTTEN_ONCE_FOUND) {
            *self = Acknowledged::default();
        }
        if !found.has_lost(range, sequence) || tempest_rt::planted!(crate::plants::SEQUENCE_REGRESSION_IGNORED) {
            return;
        }
        tempest_rt::probe!("history-data-loss");
        Counters::add(&node.counters.data_loss);
        tracing::error!(
            data_loss = true,
            acknowledged = sequence,
            found = found.sequence,
            "acknowledged commits of this shard are gone from the database"
        );
        if let Some(observer) = &node.config.data_loss_observer {
            observer.lost(DataLoss { shard, range, left });
        }
    }
}
