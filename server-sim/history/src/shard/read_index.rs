//! Proof of ownership for answers that wrote nothing: one look into the store for many reads, of all shards of a node.
use std::sync::Arc;
use tempest_api::{ServiceError, ServiceResult};
use tempest_store::{RangeId, ShardId, Store, StoreCalls, StoreError};
use tokio::sync::{mpsc, oneshot};

type Waiting = (ShardId, oneshot::Sender<Result<RangeId, StoreError>>);

/// Shards that share one look.
const BATCH_MAX: usize = 1024;

/// Asks which range id a shard has *now*: after the question was put.
pub(crate) struct ReadIndex(mpsc::Sender<Waiting>);

impl ReadIndex {
    /// The index, and the task that serves it.
    pub fn new(store: Arc<dyn Store>) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (ask, asked) = mpsc::channel(BATCH_MAX);
        (Self(ask), look(store, asked))
    }

    pub fn prove(&self, shard: ShardId) -> impl Future<Output = ServiceResult<RangeId>> + Send + 'static {
        let ask = self.0.clone();
        async move {
            let gone = || ServiceError::Unavailable("the history service is shutting down".into());
            let (to, answer) = oneshot::channel();
            ask.send((shard, to)).await.map_err(|_| gone())?;
            let range = answer.await.map_err(|_| gone())?;
            range.map_err(|error| ServiceError::Unavailable(error.to_string()))
        }
    }
}

async fn look(store: Arc<dyn Store>, mut asked: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::new();
    while asked.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let (shards, waiting): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        // Who is no longer interested does not mind.
        match store.ranges(&shards).await {
            Ok(ranges) => waiting.into_iter().zip(ranges).for_each(|(to, range)| drop(to.send(Ok(range)))),
            Err(error) => waiting.into_iter().for_each(|to| drop(to.send(Err(error.clone())))),
        }
    }
}
