//! Calls to other nodes, and calls of theirs, over gRPC: the method's path names role and call, messages are bytes.
use super::describe::NodeDescription;
use async_trait::async_trait;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tempest_api::{
    Caller, HistoryService, MatchingService, RemoteHistory, RemoteMatching, ServiceError, ServiceResult,
    answer_history, answer_matching,
};
use tempest_rt::net::{self, Network};
use tempest_rt::raw::Raw;
use tempest_rt::time::{Duration, timeout};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

const HISTORY: &str = "history";
const MATCHING: &str = "matching";
const OPERATOR: &str = "operator";
const DESCRIBE: &str = "describe";

/// How long a node may take to describe itself.
const DESCRIBE_PATIENCE: Duration = Duration::from_secs(5);

/// Answers between nodes carry at most a history page and some.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// The other nodes' services, each connected when it is first called.
pub(crate) struct Peers {
    network: Arc<dyn Network>,
    channels: Mutex<BTreeMap<String, Channel>>,
}

impl Peers {
    pub fn new(network: Arc<dyn Network>) -> Self {
        Self { network, channels: Mutex::default() }
    }

    pub fn history(&self, address: &str) -> ServiceResult<Arc<dyn HistoryService>> {
        Ok(Arc::new(RemoteHistory(self.peer(HISTORY, address)?)))
    }

    pub fn matching(&self, address: &str) -> ServiceResult<Arc<dyn MatchingService>> {
        Ok(Arc::new(RemoteMatching(self.peer(MATCHING, address)?)))
    }

    /// Asks a node what it sees and holds.
    pub async fn describe(&self, address: &str) -> ServiceResult<NodeDescription> {
        let answer = self.peer(OPERATOR, address)?.call(DESCRIBE, Bytes::new(), DESCRIBE_PATIENCE).await?;
        rmp_serde::from_slice(&answer)
            .map_err(|error| ServiceError::Unavailable(format!("the node speaks another version: {error}")))
    }

    /// Forgets whoever is not at one of these addresses any more.
    pub fn keep_only(&self, addresses: &[&str]) {
        let mut channels = self.channels.lock().expect("no holder of this lock panics");
        channels.retain(|address, _| addresses.contains(&address.as_str()));
    }

    fn peer(&self, role: &'static str, address: &str) -> ServiceResult<Peer> {
        let mut channels = self.channels.lock().expect("no holder of this lock panics");
        let channel = match channels.get(address) {
            Some(channel) => channel.clone(),
            None => {
                let dialled = net::dial(self.network.clone(), address);
                let channel = dialled.map_err(|error| ServiceError::Unavailable(error.to_string()))?;
                channels.insert(address.to_owned(), channel.clone());
                channel
            }
        };
        Ok(Peer { role, channel })
    }
}

struct Peer {
    role: &'static str,
    channel: Channel,
}

#[async_trait]
impl Caller for Peer {
    async fn call(&self, method: &'static str, body: Bytes, patience: Duration) -> ServiceResult<Bytes> {
        let mut client = tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
        let path = format!("/{}/{}.{method}", NodeService::NAME, self.role);
        let path = path.parse().expect("names of calls make a path");
        let calling = async {
            // Without a connection nothing was sent.
            client.ready().await.map_err(|error| ServiceError::Unavailable(format!("no connection: {error}")))?;
            let unknown = |status: Status| ServiceError::OutcomeUnknown(format!("no answer: {}", status.message()));
            client.unary(Request::new(body), path, Raw).await.map_err(unknown)
        };
        let answer = timeout(patience, calling).await;
        let answer = answer.unwrap_or_else(|_| Err(ServiceError::OutcomeUnknown("no answer in time".to_owned())))?;
        unpack(answer.into_inner())
    }
}

/// What other nodes may ask of this one.
#[derive(Clone)]
pub(crate) struct NodeService {
    pub history: Arc<dyn HistoryService>,
    pub matching: Arc<dyn MatchingService>,
    pub describe: Arc<dyn Fn() -> NodeDescription + Send + Sync>,
}

impl NodeService {
    const NAME: &'static str = "tempest.internal.v1.Node";

    async fn answer(&self, path: &str, body: &[u8]) -> ServiceResult<Bytes> {
        let call = path.rsplit('/').next().unwrap_or_default();
        match call.split_once('.') {
            Some((HISTORY, method)) => answer_history(&*self.history, method, body).await,
            Some((MATCHING, method)) => answer_matching(&*self.matching, method, body).await,
            Some((OPERATOR, DESCRIBE)) => {
                let description = rmp_serde::to_vec_named(&(self.describe)());
                Ok(description.expect("a description is plain data: it encodes").into())
            }
            _ => Err(ServiceError::Unavailable(format!("this node knows no call {call:?}"))),
        }
    }
}

impl tonic::server::NamedService for NodeService {
    const NAME: &'static str = NodeService::NAME;
}

impl tower::Service<http::Request<tonic::body::Body>> for NodeService {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let (service, path) = (self.clone(), request.uri().path().to_owned());
        let perform = tower::service_fn(move |request: Request<Bytes>| {
            let (service, path) = (service.clone(), path.clone());
            async move { Ok::<_, Status>(Response::new(pack(service.answer(&path, request.get_ref()).await))) }
        });
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Raw).max_decoding_message_size(MESSAGE_BYTES_MAX);
            Ok(grpc.unary(perform, request).await)
        })
    }
}

const OK: u8 = 0;
const ERROR: u8 = 1;

/// One byte says whether an answer or an error follows: a role's error stays what it was, whatever gRPC makes of statuses.
fn pack(answer: ServiceResult<Bytes>) -> Bytes {
    let (tag, body) = match answer {
        Ok(body) => (OK, body),
        Err(error) => (ERROR, rmp_serde::to_vec_named(&error).expect("errors are plain data: they encode").into()),
    };
    let mut packed = BytesMut::with_capacity(1 + body.len());
    packed.put_u8(tag);
    packed.put(body);
    packed.freeze()
}

fn unpack(mut packed: Bytes) -> ServiceResult<Bytes> {
    let strange = || ServiceError::OutcomeUnknown("the other node's answer makes no sense".to_owned());
    if !packed.has_remaining() {
        return Err(strange());
    }
    match packed.get_u8() {
        OK => Ok(packed),
        ERROR => Err(rmp_serde::from_slice(&packed).unwrap_or_else(|_| strange())),
        _ => Err(strange()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest_api::ResourceExhaustedCause;

    #[test]
    fn errors_stay_what_they_are() {
        for error in [
            ServiceError::OutcomeUnknown("perhaps".into()),
            ServiceError::ShardOwnershipLost { owner_host: "b:7234".into() },
            ServiceError::TaskAlreadyStarted,
            ServiceError::ResourceExhausted { cause: ResourceExhaustedCause::BusyWorkflow, message: "later".into() },
        ] {
            assert_eq!(unpack(pack(Err(error.clone()))), Err(error));
        }
        assert_eq!(unpack(pack(Ok(Bytes::from_static(b"x")))), Ok(Bytes::from_static(b"x")));
        assert!(matches!(unpack(Bytes::new()), Err(ServiceError::OutcomeUnknown(_))));
        assert!(matches!(unpack(Bytes::from_static(b"\x01?")), Err(ServiceError::OutcomeUnknown(_))));
    }
}
