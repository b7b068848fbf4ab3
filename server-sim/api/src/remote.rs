//! The services of other nodes, and of a whole cluster. What carries the bytes is a [`Caller`]; where a call belongs says a
//! [`Route`].
use crate::protocol::{decode_answer, encode_answer, open, other_version, seal};
use crate::{
    HistoryService, MatchingAsk, MatchingReply, MatchingService, Read, Refused, Reply, ServiceResult, Target,
    TaskQueueKey, View,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use std::time::Duration;
use tempest_core::{Input, NamespaceId};

/// Carries a call to another node and its answer back.
#[async_trait]
pub trait Caller: Send + Sync + 'static {
    /// Gives up after `patience`; dropping the future withdraws the call.
    ///
    /// # Errors
    /// What the other node answered; `Unavailable` if the call certainly did not reach it, `OutcomeUnknown` if it may have.
    async fn call(
        &self,
        method: &'static str,
        body: Bytes,
        patience: Duration,
        duplicate: Duplicate,
    ) -> ServiceResult<Bytes>;
}

/// What a duplicate of a call does that arrives after calls that were made later. A simulated network delivers none whose
/// effect the protocol allows and no checker could tell from a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicate {
    /// Nothing, or what the call itself would have done.
    Harmless,
    /// It says again what a later call has replaced. Of heartbeats the one that arrives last counts, as in Temporal.
    Replaces,
    /// It takes away what the answer brings: a poll's task.
    Takes,
}

/// Finds the service that a call belongs to, and asks again where the first one asked has sent it on.
#[async_trait]
pub trait Route<S: ?Sized>: Send + Sync + 'static {
    /// What decides which node it is.
    type Place: Send + Sync;

    /// `workflow_or_queue` is the id by which work is spread: of a workflow for history, of a task queue for matching.
    fn place(&self, namespace: &NamespaceId, workflow_or_queue: &str) -> Self::Place;

    /// Each try takes `ask` and may give it back; without it there is no further one.
    async fn route<A: Send + 'static, T: Send + 'static>(
        &self,
        place: &Self::Place,
        ask: A,
        call: impl Fn(Arc<S>, A) -> BoxFuture<'static, Result<T, Refused<A>>> + Send + Sync,
    ) -> ServiceResult<T>;
}

/// How long a call may take that does not wait for anything to happen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much longer than the wait it asks for a long poll may take.
const POLL_GRACE: Duration = Duration::from_secs(5);

const CALL: &str = "call";
const READ: &str = "read";
const POLL: &str = "poll";

async fn ask<C: Caller, T: DeserializeOwned>(
    node: &C,
    method: &'static str,
    to: &(impl Serialize + Sync),
    what: &(impl Serialize + Sync),
    (patience, duplicate): (Duration, Duplicate),
) -> ServiceResult<T> {
    let envelope = seal(to, what);
    decode_answer(&node.call(method, envelope, patience, duplicate).await?)
}

/// The history service of another node.
pub struct RemoteHistory<C>(pub C);

#[async_trait]
impl<C: Caller> HistoryService for RemoteHistory<C> {
    async fn call(&self, to: Target, input: Input) -> ServiceResult<Reply> {
        self.offer(to, input).await.map_err(|refused| refused.error)
    }

    async fn read(&self, to: Target, read: Read) -> ServiceResult<View> {
        let patience = match &read {
            Read::HistoryPosition(Some(wait)) => wait.timeout + POLL_GRACE,
            _ => PATIENCE,
        };
        ask(&self.0, READ, &to, &read, (patience, Duplicate::Harmless)).await
    }

    async fn offer(&self, to: Target, input: Input) -> Result<Reply, Refused<(Target, Input)>> {
        let duplicate = match input {
            Input::HeartbeatActivity(..) => Duplicate::Replaces,
            _ => Duplicate::Harmless,
        };
        let answer = ask(&self.0, CALL, &to, &input, (PATIENCE, duplicate)).await;
        answer.map_err(|error| Refused { error, ask: Some(Box::new((to, input))) })
    }
}

/// Performs a call that came from another node.
///
/// # Errors
/// The service's own; `OtherVersion` for what this build does not know.
pub async fn answer_history(service: &dyn HistoryService, method: &str, body: &[u8]) -> ServiceResult<Bytes> {
    match method {
        CALL => {
            let (to, input) = open(body)?;
            Ok(encode_answer(&service.call(to, input).await?))
        }
        READ => {
            let (to, read) = open(body)?;
            Ok(encode_answer(&service.read(to, read).await?))
        }
        unknown => Err(other_version(format!("it knows no call {unknown:?}"))),
    }
}

/// The history service of a whole cluster: each call goes to the node it belongs to.
pub struct RoutedHistory<R>(pub R);

#[async_trait]
impl<R: Route<dyn HistoryService>> HistoryService for RoutedHistory<R> {
    async fn call(&self, to: Target, input: Input) -> ServiceResult<Reply> {
        let place = self.0.place(&to.workflow.namespace_id, to.workflow.workflow_id.as_str());
        let call = |service: Arc<dyn HistoryService>, (to, input)| -> BoxFuture<'static, _> {
            Box::pin(async move { service.offer(to, input).await })
        };
        self.0.route(&place, (to, input), call).await
    }

    async fn read(&self, to: Target, read: Read) -> ServiceResult<View> {
        let place = self.0.place(&to.workflow.namespace_id, to.workflow.workflow_id.as_str());
        let call = |service: Arc<dyn HistoryService>, (to, read): (Target, Read)| -> BoxFuture<'static, _> {
            Box::pin(async move {
                let answer = service.read(to.clone(), read.clone()).await;
                answer.map_err(|error| Refused { error, ask: Some(Box::new((to, read))) })
            })
        };
        self.0.route(&place, (to, read), call).await
    }
}

/// The matching service of another node.
pub struct RemoteMatching<C>(pub C);

#[async_trait]
impl<C: Caller> MatchingService for RemoteMatching<C> {
    async fn ask(&self, to: TaskQueueKey, what: MatchingAsk) -> ServiceResult<MatchingReply> {
        let (method, patience, duplicate) = match what.timeout() {
            Some(timeout) => (POLL, timeout + POLL_GRACE, Duplicate::Takes),
            None => (CALL, PATIENCE, Duplicate::Harmless),
        };
        ask(&self.0, method, &to, &what, (patience, duplicate)).await
    }
}

/// Performs a call that came from another node.
///
/// # Errors
/// The service's own; `OtherVersion` for what this build does not know.
pub async fn answer_matching(service: &dyn MatchingService, method: &str, body: &[u8]) -> ServiceResult<Bytes> {
    if !matches!(method, CALL | POLL) {
        return Err(other_version(format!("it knows no call {method:?}")));
    }
    let (to, what) = open(body)?;
    Ok(encode_answer(&service.ask(to, what).await?))
}

/// The matching service of a whole cluster: each call goes to the node it belongs to.
pub struct RoutedMatching<R>(pub R);

#[async_trait]
impl<R: Route<dyn MatchingService>> MatchingService for RoutedMatching<R> {
    async fn ask(&self, to: TaskQueueKey, what: MatchingAsk) -> ServiceResult<MatchingReply> {
        let place = self.0.place(&to.namespace_id, &to.name);
        let call =
            |service: Arc<dyn MatchingService>, (to, what): (TaskQueueKey, MatchingAsk)| -> BoxFuture<'static, _> {
                Box::pin(async move {
                    let answer = service.ask(to.clone(), what.clone()).await;
                    answer.map_err(|error| Refused { error, ask: Some(Box::new((to, what))) })
                })
            };
        self.0.route(&place, (to, what), call).await
    }
}
