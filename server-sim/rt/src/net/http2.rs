//! gRPC as everywhere: tonic's transport over HTTP/2.
use super::{BadAddress, ByteStream, CONNECT_TIMEOUT, KEEP_ALIVE, KeepAlive, Listener, Network, accept, check_address};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};
pub use tonic::transport::Channel;
use tonic::transport::Endpoint;

/// A boxed stream as tonic's server wants it. HTTP/2 writes a large message's head and its bytes apart, and flushes when it
/// has no more to write: what comes in between goes out together, by one call of the system.
pub struct Accepted(BufWriter<Box<dyn ByteStream>>);

/// Of one connection. A larger message does not gather here.
const WRITE_BUFFER_BYTES: usize = 16 << 10;

impl Accepted {
    fn new(stream: Box<dyn ByteStream>) -> Self {
        Self(BufWriter::with_capacity(WRITE_BUFFER_BYTES, stream))
    }
}

impl tonic::transport::server::Connected for Accepted {
    type ConnectInfo = ();
    fn connect_info(&self) {}
}

impl AsyncRead for Accepted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A gRPC channel to `address` (`host:port`) over `network`: connected at the first call, and again when it broke.
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
    let named = addresses.first().map(String::as_str).unwrap_or_default();
    let bad = |error: tonic::transport::Error| BadAddress::new(named, format!("makes no URI ({error})"));
    let endpoint = Endpoint::from_shared(format!("http://{named}")).map_err(bad)?;
    let (addresses, tries) = (addresses.to_vec(), AtomicUsize::new(first));
    let connector = tower::service_fn(move |_: http::Uri| {
        let next = tries.fetch_add(1, Ordering::Relaxed) % addresses.len();
        let connecting = network.connect(addresses[next].clone());
        async move { connecting.await.map(hyper_util::rt::TokioIo::new) }
    });
    Ok(endpoint
        .http2_keep_alive_interval(keep_alive.interval)
        .keep_alive_timeout(keep_alive.timeout)
        .keep_alive_while_idle(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .connect_with_connector_lazy(connector))
}

/// A tonic server with the limits every listener of ours has; add services to it, then [`serve`].
pub fn server() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE.interval))
        .http2_keepalive_timeout(Some(KEEP_ALIVE.timeout))
}

/// Serves `router` on `listener` until `stop` resolves; connections then finish what they have begun. The listener is closed
/// when this ends or is dropped: later connections are refused, and do not hang unaccepted.
///
/// # Errors
/// What tonic's transport reports.
pub async fn serve(
    router: tonic::transport::server::Router,
    listener: Box<dyn Listener>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), tonic::transport::Error> {
    let incoming = futures::stream::unfold(listener, |mut listener| async move {
        let stream = accept(&mut *listener).await;
        Some((Ok::<_, io::Error>(Accepted::new(stream)), listener))
    });
    router.serve_with_incoming_shutdown(incoming, stop).await
}
