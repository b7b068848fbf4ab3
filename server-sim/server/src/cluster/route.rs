//! Which node a call goes to: the ring says, and a node that has let go says better.
use super::peers::Peers;
use super::ring::{Member, Ring};
use async_trait::async_trait;
use futures::future::BoxFuture;
use std::sync::Arc;
use tempest_api::{HistoryService, MatchingService, Route, ServiceError, ServiceResult};
use tempest_core::NamespaceId;
use tempest_history::shard_of;
use tempest_rt::time::{Duration, sleep};
use tokio::sync::watch;

#[cfg(test)]
mod tests;

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
    async fn route<T: Send>(
        &self,
        namespace: &NamespaceId,
        workflow: &str,
        call: impl Fn(Arc<dyn HistoryService>) -> BoxFuture<'static, ServiceResult<T>> + Send + Sync,
    ) -> ServiceResult<T> {
        let shard = shard_of(namespace, &workflow.into(), self.shard_count);
        let owner = |ring: &Ring| ring.of_shard(shard).cloned();
        let (local, peers) = (&self.local, &self.cluster.peers);
        self.cluster.follow(owner, || local.clone(), |address| peers.history(address), call).await
    }
}

#[async_trait]
impl Route<dyn MatchingService> for ToMatching {
    async fn route<T: Send>(
        &self,
        namespace: &NamespaceId,
        queue: &str,
        call: impl Fn(Arc<dyn MatchingService>) -> BoxFuture<'static, ServiceResult<T>> + Send + Sync,
    ) -> ServiceResult<T> {
        let owner = |ring: &Ring| ring.of_task_queue(namespace, queue).cloned();
        let (local, peers) = (&self.local, &self.cluster.peers);
        self.cluster.follow(owner, || local.clone(), |address| peers.matching(address), call).await
    }
}

/// What other nodes ask of this node's matching: only for queues that belong here, so that a caller with an old ring does
/// not draw a queue back.
pub(crate) struct OnlyHere(pub ToMatching);

#[async_trait]
impl Route<dyn MatchingService> for OnlyHere {
    async fn route<T: Send>(
        &self,
        namespace: &NamespaceId,
        queue: &str,
        call: impl Fn(Arc<dyn MatchingService>) -> BoxFuture<'static, ServiceResult<T>> + Send + Sync,
    ) -> ServiceResult<T> {
        let ring = self.0.cluster.ring.borrow().clone();
        match ring.of_task_queue(namespace, queue) {
            Some(member) if member.name != self.0.cluster.own_name => {
                Err(ServiceError::ShardOwnershipLost { owner_host: member.address.clone() })
            }
            _ => call(self.0.local.clone()).await,
        }
    }
}

impl Cluster {
    /// Calls whoever is to own it; if that one has certainly not done it and says or shows that it is not there, asks the
    /// ring again. What may have been done is the caller's to repeat.
    async fn follow<S: ?Sized + Send + Sync, T: Send>(
        &self,
        owner: impl Fn(&Ring) -> Option<Member> + Send + Sync,
        local: impl Fn() -> Arc<S> + Send + Sync,
        remote: impl Fn(&str) -> ServiceResult<Arc<S>> + Send + Sync,
        call: impl Fn(Arc<S>) -> BoxFuture<'static, ServiceResult<T>> + Send + Sync,
    ) -> ServiceResult<T> {
        let mut told: Option<String> = None;
        let mut tries = 0;
        loop {
            let ring = self.ring.borrow().clone();
            let answer = match (told.take(), owner(&ring)) {
                (Some(address), _) => call(remote(&address)?).await,
                (None, Some(member)) if member.name == self.own_name => call(local()).await,
                (None, Some(member)) => call(remote(&member.address)?).await,
                (None, None) => Err(ServiceError::Unavailable("no node of the cluster has this role".to_owned())),
            };
            tries += 1;
            match answer {
                Err(ServiceError::ShardOwnershipLost { owner_host }) if tries < TRIES_MAX => {
                    tempest_rt::probe!("cluster-call-sent-on");
                    // Two nodes that send a call to each other wait for one of them to learn better.
                    told = Some(owner_host).filter(|host| !host.is_empty() && tries == 1);
                }
                Err(ServiceError::ShardOwnershipLost { .. }) => {
                    return Err(ServiceError::Unavailable("the shard is moving to another node".to_owned()));
                }
                Err(ServiceError::Unavailable(_)) if tries < TRIES_MAX => {}
                Err(ServiceError::OutcomeUnknown(_))
                    if tries < TRIES_MAX && tempest_rt::planted!("unknown-call-tried-anew") => {}
                answer => return answer,
            }
            sleep(PAUSE * (1 << (tries - 1))).await;
        }
    }
}
