//! The network as a value: real TCP, or a world's own.
use futures::future::BoxFuture;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};

/// A connected byte stream.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> ByteStream for T {}

/// Accepts connections on one address.
pub trait Listener: Send + 'static {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn ByteStream>>>;
    /// Where it listens, after port 0 was resolved.
    fn local_address(&self) -> String;
}

/// Opens listeners and connections. Addresses are `host:port`.
pub trait Network: Send + Sync + 'static {
    fn listen(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Listener>>>;
    fn connect(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>>;
}

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

/// The operating system's TCP.
#[cfg(not(madsim))]
pub struct Tcp;

#[cfg(not(madsim))]
struct TcpAcceptor(tokio::net::TcpListener);

#[cfg(not(madsim))]
#[allow(clippy::disallowed_methods)] // this is the door
impl Network for Tcp {
    fn listen(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = tokio::net::TcpListener::bind(address).await?;
            Ok(Box::new(TcpAcceptor(listener)) as Box<dyn Listener>)
        })
    }

    fn connect(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async move {
            let stream = tokio::net::TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn ByteStream>)
        })
    }
}

#[cfg(not(madsim))]
impl Listener for TcpAcceptor {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async move {
            let (stream, _) = self.0.accept().await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn ByteStream>)
        })
    }

    fn local_address(&self) -> String {
        self.0.local_addr().map(|address| address.to_string()).unwrap_or_default()
    }
}

/// A silent peer is given up after interval + timeout, or silence would last forever.
const KEEP_ALIVE_INTERVAL: std::time::Duration = std::time::Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(15);

/// A connection that is not made by then never will be.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// A gRPC channel to `address` (`host:port`) over `network`: connected at the first call, and again when it broke.
///
/// # Errors
/// `address` is none.
pub fn dial(network: std::sync::Arc<dyn Network>, address: &str) -> Result<tonic::transport::Channel, BadAddress> {
    check_address(address)?;
    let bad = |error: tonic::transport::Error| BadAddress::new(address, format!("makes no URI ({error})"));
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).map_err(bad)?;
    let address = address.to_owned();
    let connector = tower::service_fn(move |_: http::Uri| {
        let connecting = network.connect(address.clone());
        async move { connecting.await.map(hyper_util::rt::TokioIo::new) }
    });
    Ok(endpoint
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .connect_with_connector_lazy(connector))
}

/// Whether `address` is `host:port`, with brackets around an IPv6 host. Whether there is such a host is not asked.
///
/// # Errors
/// What is wrong with it, to follow the name of the field that has it: `address is ...`.
pub fn check_address(address: &str) -> Result<(), BadAddress> {
    let bad = |problem: &str| Err(BadAddress::new(address, problem));
    let (host, port) = match address.rsplit_once(':') {
        Some(parts) if !address.ends_with(']') => parts,
        _ => return bad("has no port"),
    };
    if address.contains('/') {
        return bad("is a URL or a path");
    }
    if host.is_empty() {
        return bad("has no host");
    }
    if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
        return bad("has an IPv6 host without brackets");
    }
    match port.parse::<u16>() {
        Ok(_) => Ok(()),
        Err(_) => bad("has a port that is no number from 0 to 65535"),
    }
}

/// What is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address:?}, which {problem}: write HOST:PORT, like 127.0.0.1:7233")]
pub struct BadAddress {
    address: String,
    problem: String,
}

impl BadAddress {
    fn new(address: &str, problem: impl Into<String>) -> Self {
        Self { address: address.to_owned(), problem: problem.into() }
    }
}

/// A tonic server with the limits every listener of ours has; add services to it, then [`serve`].
pub fn server() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
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
        loop {
            // Accepting can fail for one connection (reset before accept, too many files): the next may succeed.
            match listener.accept().await {
                Ok(stream) => return Some((Ok::<_, io::Error>(Accepted::new(stream)), listener)),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    crate::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    });
    router.serve_with_incoming_shutdown(incoming, stop).await
}

/// After a connection that could not be accepted.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for good in ["127.0.0.1:7233", "localhost:0", "server-1.internal:65535", "[::1]:7233"] {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for (wrong, problem) in [
            ("", "has no port"),
            ("localhost", "has no port"),
            ("[::1]", "has no port"),
            (":7233", "has no host"),
            ("::1:7233", "has an IPv6 host without brackets"),
            ("localhost:grpc", "has a port that is no number from 0 to 65535"),
            ("localhost:65536", "has a port that is no number from 0 to 65535"),
            ("http://localhost:7233", "is a URL or a path"),
        ] {
            let said = check_address(wrong).err().map(|error| error.to_string());
            let fix = format!("{wrong:?}, which {problem}: write HOST:PORT, like 127.0.0.1:7233");
            assert_eq!(said, Some(fix));
        }
    }
}
