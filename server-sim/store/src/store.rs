//! The contract: two doors, and the timeline of what is behind them.
use crate::{ReadAnswer, ReadRequest, Timeline, WriteAnswer, WriteRequest};
use futures::future::BoxFuture;
use tokio::sync::watch;

/// The answer to a write that was queued; dropping it does not take the write back.
pub type WriteFuture = BoxFuture<'static, WriteAnswer>;
/// The answer to a read.
pub type ReadFuture<'a> = BoxFuture<'a, ReadAnswer>;

/// Durable operations with typed outcomes. Callers use the typed calls of [`StoreCalls`](crate::StoreCalls), which every
/// store has; a store itself is these two doors, so that what queues, records, ships or scripts operations has two places to
/// do it.
pub trait Store: Send + Sync + 'static {
    /// Queues a write before it returns: what is asked in order is applied in order, for each shard and each partition at
    /// least. What waits together becomes durable together. Never blocks: a store with too much waiting answers
    /// `Unavailable`.
    ///
    /// # Errors
    /// `OutcomeUnknown` if the write may have been applied or not; every other error means that it certainly was not.
    fn write(&self, request: WriteRequest) -> WriteFuture;

    /// Reads what is durable now, all of one request from one snapshot.
    ///
    /// # Errors
    /// `Unavailable` or `Corrupt`.
    fn read(&self, request: ReadRequest) -> ReadFuture<'_>;

    /// The newest timeline of the database that this process has seen. It rises when it connects to a database that failed
    /// over, before anything is asked of that one.
    fn timeline(&self) -> watch::Receiver<Timeline>;

    /// Another process knows this timeline of the same database. If it is newer, connections to a primary of an older one
    /// are given up.
    fn hear_of(&self, timeline: Timeline);
}
