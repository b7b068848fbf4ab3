//! Calls of those that speak the protocol themselves: the same log and the same network as the SDK's.
use super::bridge::{Caller, SERVICE, noted};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use std::time::Duration;
use tempest_program::Calls;
use tempest_rt::net::Channel;
use tonic::Status;
use tonic::metadata::MetadataMap;

/// How long a caller waits for an answer, beyond what a server keeps a poll.
const CALL_PATIENCE: Duration = Duration::from_secs(10);

/// A connection to the servers.
#[derive(Clone)]
pub(crate) struct Wire {
    pub caller: Caller,
    pub channel: Channel,
    /// How long a server keeps a poll.
    pub poll: Duration,
}

impl Calls for Wire {
    fn call(&self, rpc: &'static str, request: Bytes) -> BoxFuture<'_, Result<Bytes, Status>> {
        let patience = if is_long(rpc) { self.poll + CALL_PATIENCE } else { CALL_PATIENCE };
        async move {
            let called = noted(&self.caller, self.channel.clone(), SERVICE, rpc, deadline(patience), request);
            match tempest_rt::time::timeout(patience, called).await {
                Ok(answered) => answered.map(tonic::Response::into_inner),
                Err(_) => Err(Status::deadline_exceeded("no answer came in time")),
            }
        }
        .boxed()
    }
}

/// As callers tell a server how long they wait.
fn deadline(patience: Duration) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    let value = format!("{}m", patience.as_millis()).parse().expect("digits and a letter are a value");
    metadata.insert("grpc-timeout", value);
    metadata
}

/// Whether a server may hold a call until something happens.
fn is_long(rpc: &str) -> bool {
    rpc.starts_with("Poll") || rpc == "GetWorkflowExecutionHistory"
}
