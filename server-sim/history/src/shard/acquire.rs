//! Acquiring a shard: read its row, raise its range id by compare-and-set, and read again if the outcome of that
//! is unknown.
use super::request::Request;
use super::{Door, Node};
use crate::Counters;
use crate::config::backoff;
use std::collections::VecDeque;
use tempest_api::ServiceError;
use tempest_store::{RangeId, ShardId, ShardRecord, StoreCalls, StoreError};

pub(crate) enum Acquired {
    Owned(ShardRecord),
    /// The node is stopping.
    Stopped,
    /// It is to be at another node now.
    PlacedElsewhere,
}

/// What callers hear while the shard's owner is unknown.
pub(crate) fn status_unknown() -> ServiceError {
    ServiceError::Unavailable("shard status unknown".into())
}

/// The same with the reason, which is what a person can do something about: a full disk, a store that is down.
pub(crate) fn status_unknown_since(reason: impl std::fmt::Display) -> ServiceError {
    ServiceError::Unavailable(format!("shard status unknown: {reason}"))
}

/// Tries until the shard is ours or the node stops. Callers wait during a try and are sent away when it failed.
pub(crate) async fn acquire(node: &Node, shard: ShardId, door: &mut Door, carried: &mut VecDeque<Request>) -> Acquired {
    let mut failures = 0;
    loop {
        let attempt = tokio::select! {
            biased;
            _ = door.stop.wait_for(|stop| *stop) => return Acquired::Stopped,
            _ = door.placement.wait_for(|placement| !placement.is_here()) => return Acquired::PlacedElsewhere,
            attempt = attempt(node, shard) => attempt,
        };
        let error = match attempt {
            Ok(record) => {
                Counters::add(&node.counters.shards_acquired);
                tracing::info!(range = %record.range_id, sequence = record.sequence, "the shard is ours");
                return Acquired::Owned(record);
            }
            Err(error) => error,
        };
        tempest_rt::probe!("history-acquire-retried");
        failures += 1;
        match error {
            // Another was faster: where nodes start together, or one leaves, that is as it should be.
            StoreError::Conflict(_) if failures == 1 => tracing::debug!(%error, "the shard could not be acquired yet"),
            _ => tracing::warn!(%error, failures, "the shard could not be acquired"),
        }
        let pause = backoff(node.config.acquire_retry_initial, node.config.acquire_retry_max, failures);
        super::refuse_for(door, carried, pause, &status_unknown_since(&error)).await;
    }
}

async fn attempt(node: &Node, shard: ShardId) -> Result<ShardRecord, StoreError> {
    let _permit = node.acquisitions.acquire().await.expect("the semaphore is never closed");
    let found = node.store.shard(shard).await?;
    let expected = found.map_or(RangeId(0), |record| record.range_id);
    // An unknown outcome is an error like any other here: the next try reads the row again, and raises whatever it finds.
    let record = node.store.acquire_shard(shard, expected, &node.config.owner).await?;
    assert!(record.range_id > expected, "a shard that was acquired has a new range id");
    Ok(record)
}
