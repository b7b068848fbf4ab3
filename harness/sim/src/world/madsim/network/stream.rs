//! An end of a connection, as a program holds it.
use super::wires::{ConnectionId, Found, Parcel, Side};
use super::{At, MadsimNetwork, now, sleep_until};
use bytes::Bytes;
use madsim::time::Sleep;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(super) struct Stream {
    network: MadsimNetwork,
    id: ConnectionId,
    side: Side,
    /// Until what is under way arrives.
    arrival: Option<(At, Sleep)>,
}

impl Stream {
    pub fn new(network: MadsimNetwork, id: ConnectionId, side: Side) -> Stream {
        Stream { network, id, side, arrival: None }
    }

    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut wires = self.network.wires();
        let parcel = Parcel::Bytes(Bytes::copy_from_slice(bytes));
        if wires.is_reset(self.id, self.side, now()) || !wires.send(self.id, self.side, parcel, now()) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(bytes.len())
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let found = self.network.wires().receive(self.id, self.side, buf.remaining(), now(), cx);
            match found {
                Found::Bytes(bytes) => {
                    buf.put_slice(&bytes);
                    return Poll::Ready(Ok(()));
                }
                Found::End => return Poll::Ready(Ok(())),
                Found::Reset => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                Found::Nothing => return Poll::Pending,
                Found::Later(at) => {
                    if self.arrival.as_ref().is_none_or(|(awaited, _)| *awaited != at) {
                        self.arrival = Some((at, sleep_until(at)));
                    }
                    let (_, sleep) = self.arrival.as_mut().expect("it was made just now");
                    ready!(Pin::new(sleep).poll(cx));
                }
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.send(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.network.wires().close(self.id, self.side, now());
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut wires = self.network.wires();
        wires.close(self.id, self.side, now());
        wires.let_go(self.id, self.side);
    }
}
