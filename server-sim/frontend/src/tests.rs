//! Each RPC through its gRPC face, over a history and a matching that do as the story says.
mod activities;
mod failures;
mod fakes;
mod histories;
mod namespaces;
mod polls;
mod unknown_outcome_store;
mod workflows;

use crate::service::Service;
use crate::{Frontend, FrontendConfig};
use fakes::{FakeHistory, FakeMatching};
use prost::Message;
use std::sync::Arc;
use std::time::Duration;
use tempest_api::proto::common::v1::{Payload, Payloads, WorkflowExecution};
use tempest_api::proto::workflowservice::v1::RegisterNamespaceRequest;
use tempest_store::Store;
use tempest_store::redb::{RedbConfig, RedbStore};
use tonic::{Code, Request, Response, Status};

const RUN: &str = "6f1d6c2e-6b1f-4d3f-9d57-0f6d9b7a1c11";
const OTHER_RUN: &str = "00000000-6b1f-4d3f-9d57-0f6d9b7a1c22";

struct World {
    service: Service,
    history: Arc<FakeHistory>,
    matching: Arc<FakeMatching>,
    /// Of the namespace `default`.
    namespace_id: String,
}

async fn world() -> World {
    let store = Arc::new(RedbStore::in_memory(RedbConfig::default()).await.expect("a store in memory opens"));
    let mut world = world_over(store);
    world.namespace_id = world.service.0.ensure_namespace("default").await.expect("it is registered").0;
    world
}

/// Without any namespace.
fn world_over(store: Arc<dyn Store>) -> World {
    let (history, matching) = (Arc::new(FakeHistory::default()), Arc::new(FakeMatching::default()));
    let config = FrontendConfig { history_page_events_max: 3, ..FrontendConfig::default() };
    let frontend = Frontend::new(config, history.clone(), matching.clone(), store);
    World { service: Service(frontend), history, matching, namespace_id: String::new() }
}

fn execution(run_id: &str) -> Option<WorkflowExecution> {
    Some(WorkflowExecution { workflow_id: "w".into(), run_id: run_id.into() })
}

fn payload_of(bytes: usize) -> Option<Payloads> {
    Some(Payloads { payloads: vec![Payload { data: vec![7; bytes], ..Default::default() }] })
}

/// One byte more than the limit allows, however it is wrapped.
fn oversized() -> Option<Payloads> {
    payload_of(2 * 1024 * 1024 + 1)
}

fn register(name: &str) -> RegisterNamespaceRequest {
    let retention = prost_wkt_types::Duration { seconds: 3600, nanos: 0 };
    RegisterNamespaceRequest {
        namespace: name.into(),
        workflow_execution_retention_period: Some(retention),
        ..Default::default()
    }
}

/// A request of a caller that waits this long.
fn within<T>(timeout: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    request
}

fn ok<T>(answer: Result<Response<T>, Status>) -> T {
    answer.expect("the call succeeds").into_inner()
}

/// Code and text of the error.
fn refused<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> (Code, String) {
    let status = answer.expect_err("the call is refused");
    (status.code(), status.message().to_owned())
}

fn invalid(text: &str) -> (Code, String) {
    (Code::InvalidArgument, text.to_owned())
}

/// Type of the first detail, which is the one that SDKs read.
fn detail_of(status: &Status) -> String {
    let rpc = temporal_status(status);
    rpc.details.first().map(|any| any.type_url.clone()).unwrap_or_default()
}

fn temporal_status(status: &Status) -> tempest_api::RpcStatus {
    tempest_api::RpcStatus::decode(status.details()).expect("details are a google.rpc.Status")
}
