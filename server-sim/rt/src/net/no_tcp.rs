//! No network but a world's: under madsim there is no runtime that could wait for a socket.
use super::{ByteStream, Listener, Network};
use futures::future::BoxFuture;
use std::io;

/// Stands where other builds have the operating system's TCP, and refuses.
pub struct Tcp;

impl Network for Tcp {
    fn listen(&self, _: String) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        Box::pin(async { Err(refused()) })
    }

    fn connect(&self, _: String) -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async { Err(refused()) })
    }
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this build is for simulations by madsim and has no sockets")
}
