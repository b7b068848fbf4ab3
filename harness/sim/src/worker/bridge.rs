//! The bridge between the SDK and a world's network.
//!
//! The SDK makes its calls on threads of its own choosing. They hop through a channel to a task on the host's runtime,
//! which notes each call in the operation log and makes it over the world's network: real gRPC bytes.
use crate::observe::{OperationLog, Outcome};
use crate::world::{Aims, Ambiguities, Ambiguity, Shared, Strike, inside, now_ns};
use bytes::{Buf, BufMut, Bytes};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tempest_rt::net::{self, Channel, KeepAlive, Network};
use temporalio_client::callback_based::{CallbackBasedGrpcService, GrpcRequest, GrpcSuccessResponse};
use tokio::sync::{mpsc, oneshot};
use tonic::Status;
use tonic::metadata::MetadataMap;

/// Silence on a connection is noticed sooner than by servers: a worker has others to call.
const KEEP_ALIVE: KeepAlive = KeepAlive { interval: Duration::from_secs(10), timeout: Duration::from_secs(5) };

/// The service that workers and clients call.
pub(super) const SERVICE: &str = "temporal.api.workflowservice.v1.WorkflowService";

/// As the SDK's own limit.
const RESPONSE_BYTES_MAX: usize = 128 << 20;

/// Who calls, and where calls are noted.
#[derive(Clone)]
pub(crate) struct Caller {
    pub name: String,
    pub log: OperationLog,
    pub ambiguities: Ambiguities,
    pub aims: Aims,
    /// Virtual time since the run began.
    pub now_ns: fn() -> u64,
}

impl Caller {
    /// A caller of that name, whose calls are noted where those of all hosts are.
    pub fn of(shared: &Shared, name: &str) -> Caller {
        let (log, ambiguities) = (shared.operations.clone(), shared.ambiguities.clone());
        Caller { name: name.to_owned(), log, ambiguities, aims: shared.aims.clone(), now_ns }
    }
}

/// A lazy gRPC channel over a world's network to one of `addresses`, as behind a load balancer: the `first` one, and
/// whenever a connection broke or was not made, the next.
pub(crate) fn connect(network: Arc<dyn Network>, addresses: &[String], first: usize) -> Channel {
    net::dial_any(network, addresses, first, KEEP_ALIVE).expect("hosts of a world have addresses")
}

type Call = (GrpcRequest, oneshot::Sender<Result<GrpcSuccessResponse, Status>>);

/// A service for the SDK's `service_override`. To be made on the host's runtime; usable from any of its threads.
pub(crate) fn bridge(caller: Caller, channel: Channel) -> CallbackBasedGrpcService {
    // The SDK bounds its calls itself: by its pollers, its task slots, and one at a time per client.
    let (calls, mut waiting) = mpsc::unbounded_channel::<Call>();
    tempest_rt::task::spawn(async move {
        while let Some((request, answer)) = waiting.recv().await {
            tempest_rt::task::spawn(make(caller.clone(), channel.clone(), request, answer));
        }
    });
    let callback = move |request: GrpcRequest| -> BoxFuture<'static, Result<GrpcSuccessResponse, Status>> {
        let (answer, answered) = oneshot::channel();
        let sent = calls.send((request, answer)).is_ok();
        Box::pin(async move {
            let gone = || Status::unavailable("the host is going down");
            if !sent {
                return Err(gone());
            }
            answered.await.unwrap_or_else(|_| Err(gone()))
        })
    };
    CallbackBasedGrpcService { callback: Arc::new(callback) }
}

async fn make(
    caller: Caller,
    channel: Channel,
    request: GrpcRequest,
    mut answer: oneshot::Sender<Result<GrpcSuccessResponse, Status>>,
) {
    let metadata = MetadataMap::from_headers(request.headers);
    let called = noted(&caller, channel, &request.service, &request.rpc, metadata, request.proto);
    let result = tokio::select! {
        biased;
        // The caller gave up: the call is cancelled and its outcome stays open.
        () = answer.closed() => return,
        result = called => result,
    };
    let result = result.map(|response| {
        let (metadata, body, _) = response.into_parts();
        GrpcSuccessResponse { headers: metadata.into_headers(), proto: body.to_vec() }
    });
    let _ = answer.send(result);
}

/// Makes one call of the workflow service outside the SDK.
pub(crate) async fn call(caller: &Caller, channel: &Channel, rpc: &str, request: Bytes) -> Result<Bytes, Status> {
    let response = noted(caller, channel.clone(), SERVICE, rpc, MetadataMap::new(), request).await?;
    Ok(response.into_inner())
}

pub(super) async fn noted(
    caller: &Caller,
    channel: Channel,
    service: &str,
    rpc: &str,
    metadata: MetadataMap,
    request: Bytes,
) -> Result<tonic::Response<Bytes>, Status> {
    let strike = caller.aims.strike(&caller.name, rpc, &request);
    match strike {
        Some(Strike::Dies) => {
            // The controller crashes this host now: what it was about to do it never does.
            inside::ask_for_attention();
            std::future::pending::<()>().await;
        }
        Some(Strike::Late(by)) => tempest_rt::time::sleep(by).await,
        Some(Strike::AnswerLost | Strike::Twice) | None => {}
    }
    let id = caller.log.invoke(&caller.name, rpc, (caller.now_ns)(), request.clone());
    inside::record(rpc, &request);
    // A poll that arrives twice would take a task that no worker gets: a network does not do that to a request.
    let may_repeat = !rpc.starts_with("Poll");
    let arrives_twice =
        strike == Some(Strike::Twice) || caller.ambiguities.strikes(&caller.name, Ambiguity::DeliveredTwice, id);
    if may_repeat && arrives_twice {
        let (channel, service, rpc) = (channel.clone(), service.to_owned(), rpc.to_owned());
        let (metadata, request) = (metadata.clone(), request.clone());
        caller.log.duplicated(id);
        let after = Duration::from_millis(caller.ambiguities.duplicate_after_ms(id));
        tempest_rt::task::spawn(async move {
            tempest_rt::time::sleep(after).await;
            // What becomes of the duplicate is not observed.
            let _ = unary(channel, &service, &rpc, metadata, request).await;
        });
    }
    let mut result = if may_repeat && caller.ambiguities.strikes(&caller.name, Ambiguity::Hedged, id) {
        let result = hedged(channel, service, rpc, metadata, request).await;
        if result.is_ok() {
            // The other one of the two may still be on its way.
            caller.log.duplicated(id);
        }
        result
    } else {
        unary(channel, service, rpc, metadata, request).await
    };
    let is_lost =
        strike == Some(Strike::AnswerLost) || caller.ambiguities.strikes(&caller.name, Ambiguity::AnswerLost, id);
    if result.is_ok() && is_lost {
        result = Err(Status::unavailable("the answer was lost"));
    }
    let outcome = match &result {
        Ok(response) => {
            caller.aims.given(rpc, response.get_ref());
            Outcome::Ok(response.get_ref().clone())
        }
        Err(status) => Outcome::of_status(status),
    };
    caller.log.complete(id, (caller.now_ns)(), outcome);
    result
}

/// Makes a call twice at once. The first good answer counts.
async fn hedged(
    channel: Channel,
    service: &str,
    rpc: &str,
    metadata: MetadataMap,
    request: Bytes,
) -> Result<tonic::Response<Bytes>, Status> {
    let mut first = Box::pin(unary(channel.clone(), service, rpc, metadata.clone(), request.clone()));
    let mut second = Box::pin(unary(channel, service, rpc, metadata, request));
    let (result, other) = tokio::select! {
        biased;
        result = &mut first => (result, second),
        result = &mut second => (result, first),
    };
    if result.is_ok() { result } else { less_certain(result, other.await) }
}

/// What a caller knows whose call failed once and then came to `second`. One refusal says nothing of the other call:
/// the outcome is unknown if either may have been executed.
fn less_certain<T>(first: Result<T, Status>, second: Result<T, Status>) -> Result<T, Status> {
    let is_open = |status: &Status| matches!(Outcome::of_status(status), Outcome::Unknown { .. });
    match (first, second) {
        (Err(first), Err(_)) if is_open(&first) => Err(first),
        (_, second) => second,
    }
}

async fn unary(
    channel: Channel,
    service: &str,
    rpc: &str,
    metadata: MetadataMap,
    request: Bytes,
) -> Result<tonic::Response<Bytes>, Status> {
    let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(RESPONSE_BYTES_MAX);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = format!("/{service}/{rpc}").parse().expect("names of services make a path");
    client.unary(tonic::Request::from_parts(metadata, tonic::Extensions::default(), request), path, Raw).await
}

/// Passes message bytes through.
#[derive(Clone, Copy, Default)]
struct Raw;

impl tonic::codec::Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl tonic::codec::Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl tonic::codec::Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_failures_the_open_one_is_told() {
        let open = || Err::<(), _>(Status::unavailable("the connection broke"));
        let refused = || Err::<(), _>(Status::already_exists("it has started"));
        let check = |first, second, expected| {
            let code = less_certain(first, second).map_err(|status: Status| status.code());
            assert_eq!(code, expected);
        };
        check(open(), refused(), Err(tonic::Code::Unavailable));
        check(refused(), open(), Err(tonic::Code::Unavailable));
        check(refused(), refused(), Err(tonic::Code::AlreadyExists));
        check(open(), Ok(()), Ok(()));
        check(refused(), Ok(()), Ok(()));
    }
}
