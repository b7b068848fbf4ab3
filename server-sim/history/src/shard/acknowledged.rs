//! What a shard has acknowledged, held against what is found in the store: a failover of the database that lost some of it
//! is told to the operator, never passed over.
use super::Node;
use crate::Counters;
use tempest_store::{RangeId, ShardId, ShardRecord};

/// The newest commit of this process that is known to be durable.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Acknowledged {
    pub range: RangeId,
    pub sequence: u64,
}

impl Acknowledged {
    /// The database failed over since this shard was had: whoever has it now may write over what shows the loss, so the
    /// row is looked at before anything else. True if it could not be read.
    pub async fn look_again_after_a_failover(&mut self, node: &Node, shard: ShardId) -> bool {
        let failed_over = *node.store.timeline().borrow() > self.range.timeline();
        if self.sequence == 0 || !failed_over {
            return false;
        }
        match node.store.shard(shard).await {
            Ok(record) => {
                self.compare(node, shard, &record.unwrap_or_default());
                false
            }
            Err(error) => {
                tracing::warn!(%error, "whether the failover lost commits of this shard is not known yet");
                true
            }
        }
    }

    /// Reports commits that were acknowledged and are gone. Once for each loss.
    pub fn compare(&mut self, node: &Node, shard: ShardId, found: &ShardRecord) {
        let Acknowledged { range, sequence } = std::mem::take(self);
        if !found.has_lost(range, sequence) || tempest_rt::planted!("sequence-regression-ignored") {
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
            observer.lost(shard, range);
        }
    }
}
