//! Which node a call goes to: the ring says, and a node that has let go says better.
use super::peers::Peers;
use super::ring::{Member, Ring};
use async_trait::async_trait;
use futures::future::BoxFuture;
use std::sync::Arc;
use tempest_api::{HistoryService, MatchingService, Refused, Route, ServiceError, ServiceResult};
use tempest_core::NamespaceId;
use tempest_history::shard_of;
use tempest_rt::time::{Duration, sleep};
use tempest_store::ShardId;
use tokio::sync::watch;

mod repeats;
#[cfg(test)]
mod tests;

pub(crate) use repeats::Repeated;

/// Tries of one call. A shard that moves is found within a few; the caller's own retries do the rest.
const TRIES_MAX: u32 = 6;
/// Pause before the second try; it doubles with each.
const PAUSE: Duration = Duration::from_millis(20);

/// What routes of all roles share.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub own_name: String,
    pub ring: watch::Receiver<Arc<Ring>>,
    pub peers: Arc<Peers>,
}

#[derive(Clone)]
pub(crate) struct ToHistory {
    pub cluster: Cluster,
    pub shard_count: u32,
    pub local: Arc<dyn HistoryService>,
}

#[derive(Clone)]
pub(crate) struct ToMatching {
    pub cluster: Cluster,
    pub local: Arc<dyn MatchingService>,
}

#[async_trait]
impl Route<dyn HistoryService> for ToHistory {
    type Place = ShardId;

    fn place(&self, namespace: &NamespaceId, workflow: &str) -> ShardId {
        shard_of(namespace, &workflow.into(), self.shard_count)
    }

    async fn route<A: Send + 'static, T: Send + 'static>(
        &self,
        shard: &ShardId,
        ask: A,
        call: impl Fn(Arc<dyn HistoryService>, A) -> BoxFuture<'static, Result<T, Refused<A>>> + Send + Sync,
    ) -> ServiceResult<T> {
        let owner = |ring: &Ring| ring.of_shard(*shard).cloned();
        let (local, peers) = (&self.local, &self.cluster.peers);
        self.cluster.follow(owner, || local.clone(), |address| peers.history(address), ask, call).await
    }
}

/// A task queue by its namespace and name.
pub(crate) type QueuePlace = (NamespaceId, String);

#[async_trait]
impl Route<dyn MatchingService> for ToMatching {
    type Place = QueuePlace;

    fn place(&self, namespace: &NamespaceId, queue: &str) -> QueuePlace {
        (namespace.clone(), queue.to_owned())
    }

    async fn route<A: Send + 'static, T: Send + 'static>(
        &self,
        (namespace, queue): &QueuePlace,
        ask: A,
        call: impl Fn(Arc<dyn MatchingService>, A) -> BoxFuture<'static, Result<T, Refused<A>>> + Send + Sync,
    ) -> ServiceResult<T> {
        let owner = |ring: &Ring| ring.of_task_queue(namespace, queue).cloned();
        let (local, peers) = (&self.local, &self.cluster.peers);
        self.cluster.follow(owner, || local.clone(), |address| peers.matching(address), ask, call).await
    }
}

/// What other nodes ask of this node's matching: only for queues that belong here, so that a caller with an old ring does
/// not draw a queue back.
pub(crate) struct OnlyHere(pub ToMatching);

#[async_trait]
impl Route<dyn MatchingService> for OnlyHere {
    type Place = QueuePlace;

    fn place(&self, namespace: &NamespaceId, queue: &str) -> QueuePlace {
        self.0.place(namespace, queue)
    }

    async fn route<A: Send + 'static, T: Send + 'static>(
        &self,
        (namespace, queue): &QueuePlace,
        ask: A,
        call: impl Fn(Arc<dyn MatchingService>, A) -> BoxFuture<'static, Result<T, Refused<A>>> + Send + Sync,
    ) -> ServiceResult<T> {
        let ring = self.0.cluster.ring.borrow().clone();
        match ring.of_task_queue(namespace, queue) {
            Some(member) if member.name != self.0.cluster.own_name => {
                Err(ServiceError::ShardOwnershipLost { owner_host: member.address.clone() })
            }
            _ => call(self.0.local.clone(), ask).await.map_err(|refused| refused.error),
        }
    }
}

impl Cluster {
    /// Calls the node that is to own it; if that one has certainly not done it and says or shows that it is not there, asks
    /// the ring again. What may have been done is the caller's to repeat, and so is what the node has taken and not given
    /// back.
    async fn follow<S: ?Sized + Send + Sync, A: Send, T: Send>(
        &self,
        owner: impl Fn(&Ring) -> Option<Member> + Send + Sync,
        local: impl Fn() -> Arc<S> + Send + Sync,
        remote: impl Fn(&str) -> ServiceResult<Arc<S>> + Send + Sync,
        mut ask: A,
        call: impl Fn(Arc<S>, A) -> BoxFuture<'static, Result<T, Refused<A>>> + Send + Sync,
    ) -> ServiceResult<T> {
        let mut told: Option<String> = None;
        let mut tries = 0;
        loop {
            let ring = self.ring.borrow().clone();
            let node = match (told.take(), owner(&ring)) {
                (Some(address), _) => Some(remote(&address)?),
                (None, Some(member)) if member.name == self.own_name => Some(local()),
                (None, Some(member)) => Some(remote(&member.address)?),
                (None, None) => None,
            };
            let (error, back) = match node {
                Some(node) => match call(node, ask).await {
                    Ok(answer) => return Ok(answer),
                    Err(Refused { error, ask }) => (error, ask.map(|ask| *ask)),
                },
                None => (ServiceError::Unavailable("no node of the cluster has this role".to_owned()), Some(ask)),
            };
            tries += 1;
            let again = error.is_certainly_not_done()
                || matches!(error, ServiceError::OutcomeUnknown(_))
                    && tempest_rt::planted!(crate::plants::UNKNOWN_CALL_TRIED_ANEW);
            ask = match (error, back) {
                (ServiceError::ShardOwnershipLost { owner_host }, Some(ask)) if tries < TRIES_MAX => {
                    tempest_rt::probe!("cluster-call-sent-on");
                    // Two nodes that send a call to each other wait for one of them to learn better.
                    told = Some(owner_host).filter(|host| !host.is_empty() && tries == 1);
                    ask
                }
                (ServiceError::ShardOwnershipLost { .. }, _) => {
                    return Err(ServiceError::Unavailable("the shard is moving to another node".to_owned()));
                }
                (_, Some(ask)) if again && tries < TRIES_MAX => ask,
                (error, _) => return Err(error),
            };
            sleep(PAUSE * (1 << (tries - 1))).await;
        }
    }
}
