//! The calling side.
use super::super::{BadAddress, ByteStream, CONNECT_TIMEOUT, KEEP_ALIVE, KeepAlive, Network, check_address};
use super::deadline;
use super::frame::{Message, PING, PONG, REQUEST, RESPONSE};
use crate::time::timeout;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::Status;
use tonic::body::Body;

/// Where calls go.
#[derive(Clone)]
pub struct Channel(Arc<Ends>);

struct Ends {
    network: Arc<dyn Network>,
    addresses: Vec<String>,
    /// Which of them, modulo how many there are.
    current: AtomicUsize,
    keep_alive: KeepAlive,
}

/// A gRPC channel to `address` (`host:port`) over `network`.
///
/// # Errors
/// `address` is none.
pub fn dial(network: Arc<dyn Network>, address: &str) -> Result<Channel, BadAddress> {
    dial_any(network, &[address.to_owned()], 0, KEEP_ALIVE)
}

/// A gRPC channel to one of `addresses`, as behind a load balancer: the `first` one, and whenever a connection broke or was
/// not made, the next.
///
/// # Errors
/// There is none, or one is no address.
pub fn dial_any(
    network: Arc<dyn Network>,
    addresses: &[String],
    first: usize,
    keep_alive: KeepAlive,
) -> Result<Channel, BadAddress> {
    addresses.iter().try_for_each(|address| check_address(address))?;
    if addresses.is_empty() {
        return Err(BadAddress::new("", "is missing"));
    }
    let current = AtomicUsize::new(first);
    Ok(Channel(Arc::new(Ends { network, addresses: addresses.to_vec(), current, keep_alive })))
}

impl tower::Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let ends = self.0.clone();
        Box::pin(async move {
            let patience = deadline::patience(request.headers());
            deadline::within(patience, ends.exchange(request)).await?
        })
    }
}

impl Ends {
    async fn exchange(&self, request: http::Request<Body>) -> Result<http::Response<Body>, Status> {
        let current = self.current.load(Ordering::Relaxed);
        let answered = self.try_exchange(&self.addresses[current % self.addresses.len()], request).await;
        if answered.is_err() {
            // The next calls go elsewhere; of several that fail together the first moves all.
            let _ = self.current.compare_exchange(current, current + 1, Ordering::Relaxed, Ordering::Relaxed);
        }
        answered
    }

    async fn try_exchange(&self, address: &str, request: http::Request<Body>) -> Result<http::Response<Body>, Status> {
        let mut stream = match timeout(CONNECT_TIMEOUT, self.network.connect(address.to_owned())).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(Status::unavailable(format!("no connection to {address}: {error}"))),
            Err(_) => return Err(Status::unavailable(format!("no connection to {address} in {CONNECT_TIMEOUT:?}"))),
        };
        let (parts, body) = request.into_parts();
        // Only now, when there is a connection: an encoder may want to know whether its message can have left.
        let request = Message::of(parts.uri.path().to_owned(), parts.headers, body).await?;
        let answer =
            self.answer(&mut *stream, &request).await.map_err(|problem| Status::unavailable(problem.said()))?;
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = answer.head.parse().map_err(|_| Status::unavailable(Problem::Strange.said()))?;
        response.headers_mut().clone_from(&answer.headers);
        Ok(response.map(|_| answer.into_body()))
    }

    async fn answer(&self, stream: &mut dyn ByteStream, request: &Message) -> Result<Message, Problem> {
        stream.write_all(&request.framed(REQUEST)).await.map_err(Problem::Broken)?;
        stream.flush().await.map_err(Problem::Broken)?;
        let (mut quiet, mut asked) = (self.keep_alive.interval, false);
        loop {
            let patience = if asked { self.keep_alive.timeout } else { quiet };
            match timeout(patience, stream.read_u8()).await {
                Ok(Ok(RESPONSE)) => return Message::read(&mut &mut *stream).await.map_err(Problem::Broken),
                // A call that has been quiet for long may be quiet for longer: polls of a day do not cost thousands of pings.
                Ok(Ok(PONG)) => (quiet, asked) = (quiet * 2, false),
                Ok(Ok(_)) => return Err(Problem::Strange),
                Ok(Err(error)) => return Err(Problem::Broken(error)),
                Err(_) if asked => return Err(Problem::Silent),
                Err(_) => {
                    stream.write_all(&[PING]).await.map_err(Problem::Broken)?;
                    asked = true;
                }
            }
        }
    }
}

/// Why there is no answer on a connection that was made.
enum Problem {
    Broken(std::io::Error),
    Silent,
    Strange,
}

impl Problem {
    fn said(&self) -> String {
        match self {
            Self::Broken(error) => format!("the connection broke: {error}"),
            Self::Silent => "the connection is silent: keep-alive timed out".to_owned(),
            Self::Strange => "the connection has bytes that make no sense".to_owned(),
        }
    }
}
