//! Calls between roles on different nodes: each call of [`HistoryService`] and [`MatchingService`] as a method name and
//! bytes, and back. What carries the bytes is a [`Caller`]; where a call belongs says a [`Route`].
//!
//! The tables below name each call once. From them come the side that calls ([`RemoteHistory`]), the side that answers
//! ([`answer_history`]) and the choice of a node for each call ([`RoutedHistory`]); the same for matching. Records of ours
//! travel as they are stored, Temporal's messages as protobuf.
use crate::history::*;
use crate::matching::*;
use crate::{ServiceError, proto::common::v1::WorkflowExecution, proto::history::v1::HistoryEvent};
use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::Arc;
use std::time::Duration;
use tempest_core::{
    BranchRef, ChildClosed, ErrandEnd, EventId, NamespaceId, OtherRun, RecordActivityTaskStarted,
    RecordWorkflowTaskStarted, RunKey, StartChild, TransferTask, WorkflowTaskToken,
};
use temporalio_protos::temporal::api::workflowservice::v1 as api;

/// Carries a call to another node and its answer back.
#[async_trait]
pub trait Caller: Send + Sync + 'static {
    /// Gives up after `patience`; dropping the future withdraws the call.
    ///
    /// # Errors
    /// What the other node answered; `Unavailable` if the call certainly did not reach it, `OutcomeUnknown` if it may have.
    async fn call(&self, method: &'static str, body: Bytes, patience: Duration) -> ServiceResult<Bytes>;
}

/// Finds the service that a call belongs to, and asks again where the first one asked has sent it on.
#[async_trait]
pub trait Route<S: ?Sized>: Send + Sync + 'static {
    /// `workflow_or_queue` is the id by which work is spread: of a workflow for history, of a task queue for matching.
    async fn route<T: Send>(
        &self,
        namespace: &NamespaceId,
        workflow_or_queue: &str,
        call: impl Fn(Arc<S>) -> BoxFuture<'static, ServiceResult<T>> + Send + Sync,
    ) -> ServiceResult<T>;
}

/// How long a call may take that does not wait for anything to happen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much longer than the wait it asks for a long poll may take.
const POLL_GRACE: Duration = Duration::from_secs(5);

/// A message of Temporal's within what is encoded here.
struct Proto<M>(M);

impl<M: prost::Message> Serialize for Proto<&M> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        tempest_core::wire::serialize(self.0, serializer)
    }
}

impl<'de, M: prost::Message + Default> Deserialize<'de> for Proto<M> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        tempest_core::wire::deserialize(deserializer).map(Proto)
    }
}

/// A list of events within what is encoded here.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Events(#[serde(with = "tempest_core::wire::list")] Vec<HistoryEvent>);

fn encode(value: &impl Serialize) -> Bytes {
    rmp_serde::to_vec_named(value).expect("calls and answers are plain data: they encode").into()
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> ServiceResult<T> {
    // Two versions of tempest in one cluster may come to this; a retry after the upgrade will not.
    rmp_serde::from_slice(bytes)
        .map_err(|error| ServiceError::Unavailable(format!("the other node speaks another version: {error}")))
}

/// How a parameter or an answer is written: ours as they are, Temporal's messages as protobuf.
macro_rules! written {
    (plain $value:expr) => {
        $value
    };
    (proto $value:expr) => {
        Proto($value)
    };
}
macro_rules! read_as {
    (plain $type:ty) => { $type };
    (proto $type:ty) => { Proto<$type> };
}
macro_rules! unwrapped {
    (plain $value:expr) => {
        $value
    };
    (proto $value:expr) => {
        $value.0
    };
}
/// How a parameter is passed to the service: lent or given.
macro_rules! passed {
    (lend $value:expr) => {
        &$value
    };
    (give $value:expr) => {
        $value
    };
}
macro_rules! lent {
    (lend $value:expr) => {
        $value
    };
    (give $value:expr) => {
        &$value
    };
}
macro_rules! answer_written {
    (plain $value:expr) => {
        encode(&$value)
    };
    (proto $value:expr) => {
        encode(&Proto(&$value))
    };
    (events $value:expr) => {
        encode(&Events($value))
    };
}
/// Of what was performed, so that an error leaves the outcome open.
fn decode_answer<T: DeserializeOwned>(bytes: &[u8]) -> ServiceResult<T> {
    decode(bytes).map_err(|error| ServiceError::OutcomeUnknown(error.to_string()))
}

macro_rules! answer_read {
    (plain $type:ty, $bytes:expr) => {
        decode_answer::<$type>(&$bytes)
    };
    (proto $type:ty, $bytes:expr) => {
        decode_answer::<Proto<$type>>(&$bytes).map(|answer| answer.0)
    };
    (events $type:ty, $bytes:expr) => {
        decode_answer::<Events>(&$bytes).map(|answer| answer.0)
    };
}

macro_rules! calls {
    (
        $service:ident, $remote:ident, $routed:ident, $answer:ident;
        $(
            $method:ident($($name:ident: $type:ty = $pass:ident $form:ident $owned:ty),+)
                -> $answer_form:ident $answer_type:ty,
                of ($namespace:expr, $key:expr), within $patience:expr;
        )+
    ) => {
        /// The service of another node.
        pub struct $remote<C>(pub C);

        #[async_trait]
        impl<C: Caller> $service for $remote<C> {
            $(async fn $method(&self, $($name: $type),+) -> ServiceResult<$answer_type> {
                let patience = $patience;
                $(let $name = lent!($pass $name);)+
                let body = encode(&($(written!($form $name),)+));
                let answer = self.0.call(stringify!($method), body, patience).await?;
                answer_read!($answer_form $answer_type, answer)
            })+
        }

        /// Performs a call that came from another node.
        ///
        /// # Errors
        /// The service's own; `Unavailable` for a method or parameters that this version does not know.
        pub async fn $answer(service: &dyn $service, method: &str, body: &[u8]) -> ServiceResult<Bytes> {
            match method {
                $(stringify!($method) => {
                    let ($($name,)+): ($(read_as!($form $owned),)+) = decode(body)?;
                    let answer = service.$method($(passed!($pass unwrapped!($form $name))),+).await?;
                    Ok(answer_written!($answer_form answer))
                })+
                unknown => Err(ServiceError::Unavailable(format!("this node knows no call {unknown:?}"))),
            }
        }

        /// The service of a whole cluster: each call goes to the node it belongs to.
        pub struct $routed<R>(pub R);

        #[async_trait]
        impl<R: Route<dyn $service>> $service for $routed<R> {
            $(async fn $method(&self, $($name: $type),+) -> ServiceResult<$answer_type> {
                let (namespace, key) = ($namespace.clone(), $key.to_string());
                $(let $name: $owned = $name.to_owned();)+
                let call = |service: Arc<dyn $service>| -> BoxFuture<'static, ServiceResult<$answer_type>> {
                    $(let $name = $name.clone();)+
                    Box::pin(async move { service.$method($(passed!($pass $name)),+).await })
                };
                self.0.route(&namespace, &key, call).await
            })+
        }
    };
}

calls! {
    HistoryService, RemoteHistory, RoutedHistory, answer_history;

    start_workflow(
        namespace: &NamespaceId = lend plain NamespaceId,
        request: api::StartWorkflowExecutionRequest = give proto api::StartWorkflowExecutionRequest
    ) -> proto api::StartWorkflowExecutionResponse, of (namespace, request.workflow_id), within PATIENCE;

    signal_with_start_workflow(
        namespace: &NamespaceId = lend plain NamespaceId,
        request: api::SignalWithStartWorkflowExecutionRequest = give proto api::SignalWithStartWorkflowExecutionRequest
    ) -> proto api::SignalWithStartWorkflowExecutionResponse, of (namespace, request.workflow_id), within PATIENCE;

    signal_workflow(
        namespace: &NamespaceId = lend plain NamespaceId,
        request: api::SignalWorkflowExecutionRequest = give proto api::SignalWorkflowExecutionRequest
    ) -> plain (), of (namespace, workflow_of(&request.workflow_execution)), within PATIENCE;

    request_cancel_workflow(
        namespace: &NamespaceId = lend plain NamespaceId,
        request: api::RequestCancelWorkflowExecutionRequest = give proto api::RequestCancelWorkflowExecutionRequest
    ) -> plain (), of (namespace, workflow_of(&request.workflow_execution)), within PATIENCE;

    terminate_workflow(
        namespace: &NamespaceId = lend plain NamespaceId,
        request: api::TerminateWorkflowExecutionRequest = give proto api::TerminateWorkflowExecutionRequest
    ) -> plain (), of (namespace, workflow_of(&request.workflow_execution)), within PATIENCE;

    describe_workflow(
        namespace: &NamespaceId = lend plain NamespaceId,
        execution: &WorkflowExecution = lend proto WorkflowExecution
    ) -> proto api::DescribeWorkflowExecutionResponse, of (namespace, execution.workflow_id), within PATIENCE;

    start_child_workflow(
        namespace: &NamespaceId = lend plain NamespaceId,
        child: StartChild = give plain StartChild
    ) -> proto api::StartWorkflowExecutionResponse, of (namespace, child.request.workflow_id), within PATIENCE;

    begin_child_workflow(child: &RunKey = lend plain RunKey, parent: OtherRun = give plain OtherRun)
        -> plain (), of (child.namespace_id, child.workflow_id.as_str()), within PATIENCE;

    signal_by_workflow(
        namespace: &NamespaceId = lend plain NamespaceId,
        from: OtherRun = give plain OtherRun,
        request: api::SignalWorkflowExecutionRequest = give proto api::SignalWorkflowExecutionRequest
    ) -> plain (), of (namespace, workflow_of(&request.workflow_execution)), within PATIENCE;

    request_cancel_by_workflow(
        namespace: &NamespaceId = lend plain NamespaceId,
        from: OtherRun = give plain OtherRun,
        request: api::RequestCancelWorkflowExecutionRequest = give proto api::RequestCancelWorkflowExecutionRequest
    ) -> plain (), of (namespace, workflow_of(&request.workflow_execution)), within PATIENCE;

    terminate_by_workflow(
        namespace: &NamespaceId = lend plain NamespaceId,
        from: OtherRun = give plain OtherRun,
        request: api::TerminateWorkflowExecutionRequest = give proto api::TerminateWorkflowExecutionRequest
    ) -> plain (), of (namespace, workflow_of(&request.workflow_execution)), within PATIENCE;

    record_errand_end(run: &RunKey = lend plain RunKey, end: ErrandEnd = give plain ErrandEnd)
        -> plain (), of (run.namespace_id, run.workflow_id.as_str()), within PATIENCE;

    record_child_closed(parent: &RunKey = lend plain RunKey, closed: ChildClosed = give plain ChildClosed)
        -> plain (), of (parent.namespace_id, parent.workflow_id.as_str()), within PATIENCE;

    record_workflow_task_started(
        run: &RunKey = lend plain RunKey,
        request: RecordWorkflowTaskStarted = give plain RecordWorkflowTaskStarted
    ) -> proto api::PollWorkflowTaskQueueResponse, of (run.namespace_id, run.workflow_id.as_str()), within PATIENCE;

    record_activity_task_started(
        run: &RunKey = lend plain RunKey,
        request: RecordActivityTaskStarted = give plain RecordActivityTaskStarted
    ) -> proto api::PollActivityTaskQueueResponse, of (run.namespace_id, run.workflow_id.as_str()), within PATIENCE;

    complete_workflow_task(
        token: WorkflowTaskToken = give plain WorkflowTaskToken,
        request: api::RespondWorkflowTaskCompletedRequest = give proto api::RespondWorkflowTaskCompletedRequest
    ) -> proto api::RespondWorkflowTaskCompletedResponse,
        of (token.namespace_id, token.workflow_id.as_str()), within PATIENCE;

    fail_workflow_task(
        token: WorkflowTaskToken = give plain WorkflowTaskToken,
        request: api::RespondWorkflowTaskFailedRequest = give proto api::RespondWorkflowTaskFailedRequest
    ) -> plain (), of (token.namespace_id, token.workflow_id.as_str()), within PATIENCE;

    heartbeat_activity(
        activity: ActivityAddress = give plain ActivityAddress,
        request: api::RecordActivityTaskHeartbeatRequest = give proto api::RecordActivityTaskHeartbeatRequest
    ) -> proto api::RecordActivityTaskHeartbeatResponse,
        of (activity.namespace_id, activity.workflow_id.as_str()), within PATIENCE;

    complete_activity(
        activity: ActivityAddress = give plain ActivityAddress,
        request: api::RespondActivityTaskCompletedRequest = give proto api::RespondActivityTaskCompletedRequest
    ) -> plain (), of (activity.namespace_id, activity.workflow_id.as_str()), within PATIENCE;

    fail_activity(
        activity: ActivityAddress = give plain ActivityAddress,
        request: api::RespondActivityTaskFailedRequest = give proto api::RespondActivityTaskFailedRequest
    ) -> plain (), of (activity.namespace_id, activity.workflow_id.as_str()), within PATIENCE;

    cancel_activity(
        activity: ActivityAddress = give plain ActivityAddress,
        request: api::RespondActivityTaskCanceledRequest = give proto api::RespondActivityTaskCanceledRequest
    ) -> plain (), of (activity.namespace_id, activity.workflow_id.as_str()), within PATIENCE;

    history_position(
        namespace: &NamespaceId = lend plain NamespaceId,
        execution: &WorkflowExecution = lend proto WorkflowExecution,
        wait: Option<HistoryWait> = give plain Option<HistoryWait>
    ) -> plain HistoryPosition, of (namespace, execution.workflow_id),
        within wait.map_or(PATIENCE, |wait| wait.timeout + POLL_GRACE);

    read_history(
        run: &RunKey = lend plain RunKey,
        branch: &BranchRef = lend plain BranchRef,
        from: EventId = give plain EventId,
        until: EventId = give plain EventId,
        page_size: usize = give plain usize
    ) -> events Vec<HistoryEvent>, of (run.namespace_id, run.workflow_id.as_str()), within PATIENCE;

    read_history_reverse(
        run: &RunKey = lend plain RunKey,
        branch: &BranchRef = lend plain BranchRef,
        until: EventId = give plain EventId,
        page_size: usize = give plain usize
    ) -> events Vec<HistoryEvent>, of (run.namespace_id, run.workflow_id.as_str()), within PATIENCE;

    task_is_due(
        run: &RunKey = lend plain RunKey,
        task: &TransferTask = lend plain TransferTask
    ) -> plain bool, of (run.namespace_id, run.workflow_id.as_str()), within PATIENCE;

    awaits_errand(
        run: &RunKey = lend plain RunKey,
        task: &TransferTask = lend plain TransferTask
    ) -> plain bool, of (run.namespace_id, run.workflow_id.as_str()), within PATIENCE;

    reset_sticky_task_queue(run: &RunKey = lend plain RunKey)
        -> plain (), of (run.namespace_id, run.workflow_id.as_str()), within PATIENCE;
}

calls! {
    MatchingService, RemoteMatching, RoutedMatching, answer_matching;

    add_workflow_task(task: AddWorkflowTask = give plain AddWorkflowTask)
        -> plain (), of (task.run.namespace_id, task.task_queue), within PATIENCE;

    add_activity_task(task: AddActivityTask = give plain AddActivityTask)
        -> plain (), of (task.run.namespace_id, task.task_queue), within PATIENCE;

    poll_workflow_task_queue(
        namespace: &NamespaceId = lend plain NamespaceId,
        request: api::PollWorkflowTaskQueueRequest = give proto api::PollWorkflowTaskQueueRequest,
        timeout: Duration = give plain Duration
    ) -> proto api::PollWorkflowTaskQueueResponse,
        of (namespace, queue_of(&request.task_queue)), within timeout + POLL_GRACE;

    poll_activity_task_queue(
        namespace: &NamespaceId = lend plain NamespaceId,
        request: api::PollActivityTaskQueueRequest = give proto api::PollActivityTaskQueueRequest,
        timeout: Duration = give plain Duration
    ) -> proto api::PollActivityTaskQueueResponse,
        of (namespace, queue_of(&request.task_queue)), within timeout + POLL_GRACE;

    describe_task_queue(
        namespace: &NamespaceId = lend plain NamespaceId,
        request: api::DescribeTaskQueueRequest = give proto api::DescribeTaskQueueRequest
    ) -> proto api::DescribeTaskQueueResponse, of (namespace, queue_of(&request.task_queue)), within PATIENCE;

    unload_sticky_task_queue(
        namespace: &NamespaceId = lend plain NamespaceId,
        sticky_task_queue: &str = lend plain String
    ) -> plain (), of (namespace, sticky_task_queue), within PATIENCE;
}

fn workflow_of(execution: &Option<WorkflowExecution>) -> &str {
    execution.as_ref().map_or("", |execution| &execution.workflow_id)
}

fn queue_of(queue: &Option<crate::proto::taskqueue::v1::TaskQueue>) -> &str {
    queue.as_ref().map_or("", |queue| &queue.name)
}
