//! Calls to other nodes, and calls of theirs, over gRPC: the method's path names role and call, messages are bytes.
use super::describe::{DescribeError, NodeDescription};
use super::outgoing::{Outgoing, Sent};
use super::timeline::KnownTimeline;
use async_trait::async_trait;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tempest_api::{
    Caller, Duplicate, HistoryService, MatchingService, RemoteHistory, RemoteMatching, ServiceError, ServiceResult,
    answer_history, answer_matching,
};
use tempest_rt::net::{self, BadAddress, Channel, Network};
use tempest_rt::raw::Raw;
use tempest_rt::time::{Duration, timeout};
use tonic::{Code, Request, Response, Status};

const HISTORY: &str = "history";
const MATCHING: &str = "matching";
const OPERATOR: &str = "operator";
const DESCRIBE: &str = "describe";

/// How long a node may take to describe itself: longer than a connection may take to be made, so that one that is not made is
/// told from a node that is silent.
const DESCRIBE_PATIENCE: Duration = Duration::from_secs(8);
const DESCRIBE_TRIES: u32 = 3;
/// By how much the other node waits longer than its caller.
const GIVEN_UP_LATER: Duration = Duration::from_secs(1);
/// How long after a call its duplicate follows that a simulation sends.
const DUPLICATE_DELAY: Duration = Duration::from_secs(3);
/// How late a call arrives that later ones overtake, in a simulation.
const DELAY: Duration = Duration::from_secs(2);
/// By then a shard may have been elsewhere and come back.
const LATE_DELAY: Duration = Duration::from_secs(20);
const DUPLICATE_PATIENCE: Duration = Duration::from_secs(5);

/// Answers between nodes carry at most a history page and some.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// The other nodes' services, each connected when it is first called.
pub(crate) struct Peers {
    network: Arc<dyn Network>,
    channels: Mutex<BTreeMap<String, Channel>>,
    /// None for an operator, who has no database.
    timeline: Option<KnownTimeline>,
}

impl Peers {
    pub fn new(network: Arc<dyn Network>, timeline: Option<KnownTimeline>) -> Self {
        Self { network, channels: Mutex::default(), timeline }
    }

    pub fn history(&self, address: &str) -> ServiceResult<Arc<dyn HistoryService>> {
        Ok(Arc::new(RemoteHistory(self.peer(HISTORY, address).map_err(uncallable)?)))
    }

    #[cfg(test)]
    pub fn caller_of_history(&self, address: &str) -> ServiceResult<impl Caller> {
        self.peer(HISTORY, address).map_err(uncallable)
    }

    pub fn matching(&self, address: &str) -> ServiceResult<Arc<dyn MatchingService>> {
        Ok(Arc::new(RemoteMatching(self.peer(MATCHING, address).map_err(uncallable)?)))
    }

    /// Asks a node what it sees and holds.
    pub async fn describe(&self, address: &str) -> Result<NodeDescription, DescribeError> {
        let at = || address.to_owned();
        let peer = self.peer(OPERATOR, address)?;
        let mut answer = peer.exchange(DESCRIBE, Bytes::new(), DESCRIBE_PATIENCE, Duplicate::Harmless).await;
        for _ in 1..DESCRIBE_TRIES {
            // A node that does not know the call may close the stream before saying so.
            if !matches!(&answer, Err(Unanswered { sent: Sent::Perhaps, why: Why::Failed(status) }) if is_torn(status))
            {
                break;
            }
            answer = peer.exchange(DESCRIBE, Bytes::new(), DESCRIBE_PATIENCE, Duplicate::Harmless).await;
        }
        let packed = answer.map_err(|call| match (&call.why, call.sent) {
            (Why::Failed(status), _) if status.code() == Code::Unimplemented => {
                DescribeError::NotForNodes { address: at() }
            }
            (Why::Late(patience), Sent::Perhaps) => DescribeError::Silent { address: at(), patience: *patience },
            (why, Sent::Never) => DescribeError::NotReached { address: at(), why: why.to_string() },
            (why, Sent::Perhaps) => DescribeError::NoNode { address: at(), why: why.to_string() },
        })?;
        let body = unpack(packed).map_err(|error| DescribeError::Refused { address: at(), error })?;
        rmp_serde::from_slice(&body)
            .map_err(|error| DescribeError::OtherVersion { address: at(), why: error.to_string() })
    }

    /// Forgets the nodes that are not at one of these addresses any more.
    pub fn keep_only(&self, addresses: &[&str]) {
        let mut channels = self.channels.lock().expect("no holder of this lock panics");
        channels.retain(|address, _| addresses.contains(&address.as_str()));
    }

    fn peer(&self, role: &'static str, address: &str) -> Result<Peer, BadAddress> {
        let mut channels = self.channels.lock().expect("no holder of this lock panics");
        let channel = match channels.get(address) {
            Some(channel) => channel.clone(),
            None => {
                let channel = net::dial(self.network.clone(), address)?;
                channels.insert(address.to_owned(), channel.clone());
                channel
            }
        };
        Ok(Peer { role, channel, timeline: self.timeline.clone() })
    }
}

/// Nothing was sent to what is no address.
fn uncallable(error: BadAddress) -> ServiceError {
    ServiceError::Unavailable(format!("a node's address is {error}"))
}

#[derive(Clone)]
struct Peer {
    role: &'static str,
    channel: Channel,
    timeline: Option<KnownTimeline>,
}

/// The stream ended without an answer.
fn is_torn(status: &Status) -> bool {
    matches!(status.code(), Code::Unknown | Code::Internal | Code::Cancelled | Code::Unavailable)
}

/// A call that has no answer.
#[derive(Debug)]
struct Unanswered {
    sent: Sent,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Failed(Status),
    /// It was given up after so long.
    Late(Duration),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(status) => f.write_str(&innermost(status)),
            Self::Late(patience) => write!(f, "not within {patience:?}"),
        }
    }
}

/// The cause of all causes, which says more than "transport error".
fn innermost(status: &Status) -> String {
    let mut cause = status.source();
    while let Some(deeper) = cause.and_then(|cause| cause.source()) {
        cause = Some(deeper);
    }
    match (cause, status.message()) {
        (Some(cause), _) => cause.to_string(),
        (None, "") => status.code().to_string(),
        (None, message) => message.to_owned(),
    }
}

impl From<Unanswered> for ServiceError {
    fn from(Unanswered { sent, why }: Unanswered) -> Self {
        match sent {
            Sent::Never => Self::Unavailable(format!("no connection to the other node: {why}")),
            Sent::Perhaps => Self::OutcomeUnknown(format!("no answer of the other node: {why}")),
        }
    }
}

impl Peer {
    async fn exchange(
        &self,
        method: &'static str,
        body: Bytes,
        patience: Duration,
        duplicate: Duplicate,
    ) -> Result<Bytes, Unanswered> {
        let (may_fail, may_repeat) = (duplicate != Duplicate::Takes, duplicate == Duplicate::Harmless);
        if may_fail && tempest_rt::buggify!("peer-call-lost") {
            return Err(Unanswered { sent: Sent::Perhaps, why: Why::Late(patience) });
        }
        if may_fail && tempest_rt::buggify!("peer-call-delayed") {
            tempest_rt::time::sleep(DELAY.min(patience / 2)).await;
        }
        if may_fail && tempest_rt::buggify!("peer-call-delivered-twice") && may_repeat {
            self.repeat(method, body.clone(), Duration::ZERO);
        }
        if may_fail && tempest_rt::buggify!("peer-call-delivered-late-again") && may_repeat {
            self.repeat(method, body.clone(), DUPLICATE_DELAY);
        }
        if may_fail && tempest_rt::buggify!("peer-call-comes-late") {
            if may_repeat {
                self.repeat(method, body, LATE_DELAY);
            }
            return Err(Unanswered { sent: Sent::Perhaps, why: Why::Late(patience) });
        }
        let answer = self.send(method, body, patience).await;
        if answer.is_ok() && tempest_rt::buggify!("peer-answer-lost") {
            return Err(Unanswered { sent: Sent::Perhaps, why: Why::Late(patience) });
        }
        answer
    }

    /// Sends a duplicate without a caller, as a network may that delivers a call twice, or once its caller has given
    /// up.
    fn repeat(&self, method: &'static str, body: Bytes, after: Duration) {
        tempest_rt::duplicated(&body);
        let peer = self.clone();
        tempest_rt::task::spawn(async move {
            tempest_rt::time::sleep(after).await;
            let _ = peer.send(method, body, DUPLICATE_PATIENCE).await;
        });
    }

    async fn send(&self, method: &'static str, body: Bytes, patience: Duration) -> Result<Bytes, Unanswered> {
        let mut client = tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
        let path = format!("/{}/{}.{method}", NodeService::NAME, self.role);
        let path = path.parse().expect("names of calls make a path");
        let outgoing = Outgoing::default();
        let mut request = Request::new(body);
        // The other node gives up when no caller waits any more: after this one, which can say how long it has waited.
        request.set_timeout(patience + GIVEN_UP_LATER);
        if let Some(timeline) = &self.timeline {
            timeline.tell(request.metadata_mut());
        }
        let calling = async {
            client.ready().await.map_err(|error| Status::from_error(error.into()))?;
            client.unary(request, path, outgoing.clone()).await
        };
        let why = match timeout(patience, calling).await {
            Ok(Ok(answer)) => {
                let other = self.timeline.as_ref().and_then(|timeline| timeline.hear(answer.metadata()).err());
                let packed = answer.into_inner();
                return Ok(match other {
                    Some(error) => pack(Err(on_another_timeline(unpack(packed), &error))),
                    None => packed,
                });
            }
            Ok(Err(status)) => Why::Failed(status),
            Err(_) => Why::Late(patience),
        };
        Err(Unanswered { sent: outgoing.end(), why })
    }
}

#[async_trait]
impl Caller for Peer {
    async fn call(
        &self,
        method: &'static str,
        body: Bytes,
        patience: Duration,
        duplicate: Duplicate,
    ) -> ServiceResult<Bytes> {
        unpack(self.exchange(method, body, patience, duplicate).await?)
    }
}

/// What other nodes may ask of this one.
#[derive(Clone)]
pub(crate) struct NodeService {
    pub history: Arc<dyn HistoryService>,
    pub matching: Arc<dyn MatchingService>,
    pub describe: Arc<dyn Fn() -> NodeDescription + Send + Sync>,
    pub timeline: KnownTimeline,
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
            async move {
                let answer = match service.timeline.hear(request.metadata()) {
                    Ok(()) => service.answer(&path, request.get_ref()).await,
                    Err(error) => Err(error),
                };
                let mut response = Response::new(pack(answer));
                service.timeline.tell(response.metadata_mut());
                Ok::<_, Status>(response)
            }
        });
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Raw).max_decoding_message_size(MESSAGE_BYTES_MAX);
            Ok(grpc.unary(perform, request).await)
        })
    }
}

/// What counts of an answer that rests on another timeline: that nothing was done. Whatever else it says may be undone.
fn on_another_timeline(answer: ServiceResult<Bytes>, difference: &ServiceError) -> ServiceError {
    match answer {
        Err(undone) if undone.is_certainly_not_done() => undone,
        _ => ServiceError::OutcomeUnknown(difference.to_string()),
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
    use std::io;
    use tempest_api::ResourceExhaustedCause;
    use tempest_rt::net::{ByteStream, Listener, Tcp};

    /// Where connections take forever.
    struct Unreachable;

    impl Network for Unreachable {
        fn listen(&self, _: String) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
            Box::pin(std::future::pending())
        }

        fn connect(&self, _: String) -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>> {
            Box::pin(std::future::pending())
        }
    }

    async fn end_of_call(network: Arc<dyn Network>, address: &str) -> ServiceError {
        let peer = Peers::new(network, None).peer(HISTORY, address).expect("it is an address");
        let body = Bytes::from_static(b"call");
        let call = peer.call("call", body, Duration::from_secs(1), Duplicate::Harmless).await;
        call.expect_err("nobody answers")
    }

    #[tokio::test]
    async fn the_outcome_is_unknown_only_of_what_may_have_been_sent() {
        // The operating system makes connections to a listener that never accepts them.
        let listener = Tcp.listen("127.0.0.1:0".to_owned()).await.expect("there is a free port");
        let address = listener.local_address();
        let silent = end_of_call(Arc::new(Tcp), &address).await;
        assert!(matches!(&silent, ServiceError::OutcomeUnknown(why) if why.contains("not within 1s")), "{silent:?}");
        drop(listener);
        let refused = end_of_call(Arc::new(Tcp), &address).await;
        assert!(matches!(&refused, ServiceError::Unavailable(why) if why.contains("refused")), "{refused:?}");
        let unreachable = end_of_call(Arc::new(Unreachable), &address).await;
        assert!(matches!(unreachable, ServiceError::Unavailable(_)), "{unreachable:?}");
    }

    #[test]
    fn of_an_answer_from_another_timeline_only_that_nothing_was_done_counts() {
        let difference = ServiceError::Unavailable("the database has failed over".into());
        let counts = |answer: ServiceResult<Bytes>| on_another_timeline(answer, &difference);
        let moved = ServiceError::ShardOwnershipLost { owner_host: "b:7234".into() };
        assert_eq!(counts(Err(moved.clone())), moved);
        let busy = ServiceError::Unavailable("not now".into());
        assert_eq!(counts(Err(busy.clone())), busy);
        for answer in
            [Ok(Bytes::new()), Err(ServiceError::NotFound("closed".into())), Err(ServiceError::TaskAlreadyStarted)]
        {
            assert!(matches!(counts(answer), ServiceError::OutcomeUnknown(_)));
        }
    }

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
