use super::connection::{Connection, End};
use super::stream::Stream;
use super::{Accepting, Event};
use crate::HostId;
use crate::kernel::{self, Kernel};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker};

/// A port of the current host that accepts streams, until dropped.
#[derive(Debug)]
pub struct Listener {
    host: HostId,
    port: u16,
    generation: u64,
}

impl Listener {
    /// Listens on a port of the current host.
    ///
    /// Errors: `AddrInUse` if the host listens there already, `Unsupported` outside a simulation and on a
    /// host without a runtime that polls.
    pub fn bind(port: u16) -> io::Result<Listener> {
        kernel::with(|kernel| {
            let host = kernel.current_host();
            kernel.must_poll(host)?;
            if kernel.network.listeners.contains_key(&(host, port)) {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            kernel.network.listeners_made += 1;
            let generation = kernel.network.listeners_made;
            let accepting = Accepting { generation, queue: VecDeque::new(), waker: None };
            kernel.network.listeners.insert((host, port), accepting);
            Ok(Listener { host, port, generation })
        })
        .unwrap_or_else(|| Err(super::stream::outside()))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub async fn accept(&mut self) -> io::Result<Stream> {
        poll_fn(|context| self.poll_accept(context)).await
    }

    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        let waker = context.waker().clone();
        // A replaced waker is dropped out here, where its destructor may do as it likes.
        let (accepted, _replaced) =
            kernel::with(|kernel| kernel.accept(self, waker)).unwrap_or((Err(super::stream::outside()), None));
        match accepted {
            Ok(Some(connection)) => Poll::Ready(Ok(Stream::accepted(connection))),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _waker = kernel::with(|kernel| kernel.stop_listening(self));
    }
}

impl Kernel {
    fn accept(&mut self, listener: &Listener, waker: Waker) -> (io::Result<Option<u64>>, Option<Waker>) {
        let Some(accepting) = self.network.listeners.get_mut(&(listener.host, listener.port)) else {
            return (Err(io::ErrorKind::NotConnected.into()), Some(waker));
        };
        match accepting.queue.pop_front() {
            Some(connection) => (Ok(Some(connection)), Some(waker)),
            None => (Ok(None), accepting.waker.replace(waker)),
        }
    }

    /// Connections that were not accepted are reset.
    fn stop_listening(&mut self, listener: &Listener) -> Option<Waker> {
        let key = (listener.host, listener.port);
        if self.network.listeners.get(&key)?.generation != listener.generation {
            return None;
        }
        let accepting = self.network.listeners.remove(&key)?;
        for connection in accepting.queue {
            let Some(Connection { ends: [End { host, .. }, accepted], .. }) =
                self.network.connections.get_mut(&connection)
            else {
                continue;
            };
            accepted.closed = true;
            let host = *host;
            let arrival = self.now + self.draw_latency(listener.host, host);
            self.network.schedule(arrival, Event::Reset { connection, end: 0 });
        }
        accepting.waker
    }
}
