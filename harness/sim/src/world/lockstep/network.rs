//! A lockstep network as the server's and the SDK's [`Network`].
use futures::future::BoxFuture;
use std::io;
use tempest_lockstep::net;
use tempest_rt::net::{ByteStream, Listener, Network};

/// Streams between hosts of the simulation that the calling thread belongs to. Addresses are `host:port`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LockstepNetwork;

fn parse(address: &str) -> io::Result<(&str, u16)> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidInput, format!("{address:?} is not host:port"));
    let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
    Ok((host, port.parse().map_err(|_| malformed())?))
}

struct LockstepListener {
    listener: net::Listener,
    address: String,
}

impl Network for LockstepNetwork {
    fn listen(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let (_, port) = parse(&address)?;
            let listener = net::Listener::bind(port)?;
            Ok(Box::new(LockstepListener { listener, address }) as Box<dyn Listener>)
        })
    }

    fn connect(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async move {
            let (host, port) = parse(&address)?;
            Ok(Box::new(net::connect(host, port).await?) as Box<dyn ByteStream>)
        })
    }
}

impl Listener for LockstepListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async move { Ok(Box::new(self.listener.accept().await?) as Box<dyn ByteStream>) })
    }

    fn local_address(&self) -> String {
        self.address.clone()
    }
}
