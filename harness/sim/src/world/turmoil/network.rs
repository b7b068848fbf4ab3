//! Turmoil's TCP as the server's and the workers' [`Network`].
use futures::future::BoxFuture;
use std::io;
use tempest_rt::net::{ByteStream, Listener, Network};
use turmoil::net::{TcpListener, TcpStream};

/// Streams between hosts of the simulation that the caller is in. Addresses are `host:port`.
pub(super) struct TurmoilNetwork;

struct TurmoilListener {
    listener: TcpListener,
    address: String,
}

impl Network for TurmoilNetwork {
    fn listen(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let malformed = || io::Error::new(io::ErrorKind::InvalidInput, format!("{address:?} is not host:port"));
            let port: u16 = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).ok_or_else(malformed)?;
            let listener = TcpListener::bind(("0.0.0.0", port)).await?;
            Ok(Box::new(TurmoilListener { listener, address }) as Box<dyn Listener>)
        })
    }

    fn connect(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async move { Ok(Box::new(TcpStream::connect(address).await?) as Box<dyn ByteStream>) })
    }
}

impl Listener for TurmoilListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async move {
            let (stream, _) = self.listener.accept().await?;
            Ok(Box::new(stream) as Box<dyn ByteStream>)
        })
    }

    fn local_address(&self) -> String {
        self.address.clone()
    }
}
