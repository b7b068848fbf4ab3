use super::connection::{Connection, End, Payload};
use super::events::Event;
use crate::HostId;
use crate::kernel::{self, Kernel};
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One end of a byte stream between two hosts; closed when dropped.
#[derive(Debug)]
pub struct Stream {
    connection: u64,
    end: usize,
}

/// Connects to a listener of the host so named.
///
/// Errors: `NotFound` for an unknown host, `ConnectionRefused` if no listener is there, `TimedOut` after about two
/// minutes without an answer, `Unsupported` outside a simulation and on a host without a runtime that polls.
pub async fn connect(host: &str, port: u16) -> io::Result<Stream> {
    let connection = kernel::with(|kernel| kernel.open(host, port)).unwrap_or_else(|| Err(outside()))?;
    let stream = Stream { connection, end: 0 };
    poll_fn(|context| stream.poll_established(context)).await?;
    Ok(stream)
}

pub(super) fn outside() -> io::Error {
    io::Error::new(ErrorKind::Unsupported, "the simulated network exists on threads of a simulation only")
}

/// What an operation on the kernel's side came to, and a waker to be dropped outside the kernel.
type Outcome<T> = (Poll<io::Result<T>>, Option<Waker>);

impl Stream {
    pub(super) fn accepted(connection: u64) -> Stream {
        Stream { connection, end: 1 }
    }

    /// Name of the host at the other end.
    pub fn peer(&self) -> Option<String> {
        kernel::with(|kernel| {
            let peer = kernel.network.connections.get(&self.connection)?.ends[1 - self.end].host;
            Some(kernel.host(peer).name.clone())
        })?
    }

    fn poll_established(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.operate(|connection| {
            if let Some(error) = connection.ends[0].error {
                return (Poll::Ready(Err(error.into())), None);
            }
            if connection.established {
                return (Poll::Ready(Ok(())), None);
            }
            (Poll::Pending, connection.ends[0].reader.replace(context.waker().clone()))
        })
    }

    fn operate<T>(&self, body: impl FnOnce(&mut Connection) -> Outcome<T>) -> Poll<io::Result<T>> {
        let outcome = kernel::with(|kernel| match kernel.network.connections.get_mut(&self.connection) {
            Some(connection) => body(connection),
            None => (Poll::Ready(Err(ErrorKind::NotConnected.into())), None),
        });
        let (result, _dropped_outside_the_kernel) = outcome.unwrap_or((Poll::Ready(Err(outside())), None));
        result
    }
}

impl AsyncRead for Stream {
    /// What has arrived is read before an error is reported, as from a socket.
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let read = self.operate(|connection| {
            let [mine, flow] = [self.end, 1 - self.end];
            let flow = &mut connection.flows[flow];
            if !flow.arrived.is_empty() {
                let count = flow.arrived.len().min(buffer.remaining());
                let (head, tail) = flow.arrived.as_slices();
                let from_head = head.len().min(count);
                buffer.put_slice(&head[..from_head]);
                buffer.put_slice(&tail[..count - from_head]);
                flow.arrived.drain(..count);
                return (Poll::Ready(Ok(count)), None);
            }
            if let Some(error) = connection.ends[mine].error {
                return (Poll::Ready(Err(error.into())), None);
            }
            if flow.ended {
                return (Poll::Ready(Ok(0)), None);
            }
            (Poll::Pending, connection.ends[mine].reader.replace(context.waker().clone()))
        });
        read.map_ok(|count| {
            if count > 0 {
                kernel::with(|kernel| kernel.give_credit(self.connection, 1 - self.end, count));
            }
        })
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(window) = kernel::with(|kernel| kernel.network.window_bytes) else {
            return Poll::Ready(Err(outside()));
        };
        let room = self.operate(|connection| {
            let end = &mut connection.ends[self.end];
            let flow = &connection.flows[self.end];
            if let Some(error) = end.error {
                return (Poll::Ready(Err(error.into())), None);
            }
            if flow.shut {
                return (Poll::Ready(Err(ErrorKind::BrokenPipe.into())), None);
            }
            match window.saturating_sub(flow.window_used) {
                0 if !bytes.is_empty() => (Poll::Pending, end.writer.replace(context.waker().clone())),
                room => (Poll::Ready(Ok(room)), None),
            }
        });
        room.map_ok(|room| {
            let count = bytes.len().min(room);
            if count > 0 {
                let payload = Payload::Data(bytes[..count].to_vec());
                kernel::with(|kernel| kernel.send(self.connection, self.end, payload));
            }
            count
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        kernel::with(|kernel| kernel.shut(self.connection, self.end));
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Tasks that waited at this end are dropped outside the kernel.
        let _wakers = kernel::with(|kernel| kernel.let_go(self.connection, self.end));
    }
}

impl Kernel {
    /// Wakers run in a host's `epoll_wait`: without one, a task that waits for the network would wait forever.
    pub(super) fn must_poll(&self, host: HostId) -> io::Result<()> {
        if self.descriptors.can_poll(host) {
            return Ok(());
        }
        let why = "the simulated network needs a runtime that polls: build tokio's with enable_io or enable_all";
        Err(io::Error::new(ErrorKind::Unsupported, why))
    }

    fn open(&mut self, host: &str, port: u16) -> io::Result<u64> {
        let to = self.find_host(host).ok_or_else(|| {
            io::Error::new(ErrorKind::NotFound, format!("no host of this simulation is named {host:?}"))
        })?;
        let from = self.current_host();
        self.must_poll(from)?;
        let incarnation = self.host(from).incarnation;
        self.network.connections_made += 1;
        let id = self.network.connections_made;
        // The accepting end learns its incarnation when the request gets there.
        let ends = [End::new(from, incarnation), End::new(to, 0)];
        self.network.connections.insert(id, Connection::new(port, ends));
        let arrival = self.now + self.draw_latency(from, to);
        self.network.schedule(arrival, Event::Request { connection: id, attempt: 0 });
        Ok(id)
    }

    fn shut(&mut self, id: u64, end: usize) {
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        let alive = connection.established && connection.ends[end].error.is_none();
        if !std::mem::replace(&mut connection.flows[end].shut, true) && alive {
            self.send(id, end, Payload::End);
        }
    }

    fn let_go(&mut self, id: u64, end: usize) -> Vec<Waker> {
        self.shut(id, end);
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return Vec::new();
        };
        connection.ends[end].closed = true;
        let wakers = connection.take_wakers(end);
        if connection.established {
            self.forget_if_over(id);
        } else {
            self.network.connections.remove(&id);
        }
        wakers
    }
}
