//! The network as a value: real TCP, or a world's own; and gRPC over it.
mod address;
#[cfg(not(madsim))]
mod http2;
#[cfg(any(madsim, test))]
mod messages;
#[cfg_attr(madsim, path = "no_tcp.rs")]
mod tcp;

pub use address::{BadAddress, check_address};
#[cfg(not(madsim))]
pub use http2::{Channel, dial, dial_any, serve, server};
#[cfg(madsim)]
pub use messages::{Channel, dial, dial_any, serve, server};
pub use tcp::Tcp;

use crate::time::Duration;
use futures::future::BoxFuture;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

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

/// When a silent peer is given up: after both together, or silence would last forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// Silence after which the peer is asked whether it is there.
    pub interval: Duration,
    /// How long it may take to say so.
    pub timeout: Duration,
}

/// Between nodes, and of every listener.
const KEEP_ALIVE: KeepAlive = KeepAlive { interval: Duration::from_secs(30), timeout: Duration::from_secs(15) };

/// A connection that is not made by then never will be.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// After a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Accepting can fail for one connection (reset before accept, too many files): the next may succeed.
async fn accept(listener: &mut dyn Listener) -> Box<dyn ByteStream> {
    loop {
        match listener.accept().await {
            Ok(stream) => return stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                crate::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
