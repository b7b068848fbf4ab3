//! The network of a madsim world, which is ours: byte streams in memory. TCP hides loss as delay, and so does this: what a
//! blocked link loses arrives some time after it is open again, in order. There are no windows.
mod links;
mod stream;
mod wires;

use super::MadsimInside;
use futures::future::BoxFuture;
use links::{HostNumber, Links};
use madsim::time::{Sleep, TimeHandle};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use stream::Stream;
use tempest_rt::net::{ByteStream, Listener, Network};
use tokio::sync::Notify;
use wires::{HEAD_BYTES, Wires};

/// Virtual time since the run began, in nanoseconds.
type At = u64;

/// Streams between hosts of the world that the caller is in. Addresses are `host:port`. Cloning shares it.
#[derive(Clone)]
pub(super) struct MadsimNetwork {
    wires: Arc<Mutex<Wires>>,
    /// Told when a link opens.
    opened: Arc<Notify>,
}

impl MadsimNetwork {
    pub fn new(seed: u64, latency: (Duration, Duration)) -> MadsimNetwork {
        let wires = Wires::new(Links::new(seed, latency));
        MadsimNetwork { wires: Arc::new(Mutex::new(wires)), opened: Arc::default() }
    }

    fn wires(&self) -> MutexGuard<'_, Wires> {
        self.wires.lock().expect("no holder of this lock panics")
    }

    /// Lets a packet pass, however long its way is blocked.
    async fn cross(&self, from: HostNumber, to: HostNumber) {
        let mut blocked_since = None;
        loop {
            let opened = self.opened.notified();
            let arrives = {
                let mut wires = self.wires();
                let sent = match blocked_since {
                    Some(since) => now() + wires.links.resend_after(now() - since),
                    None => now(),
                };
                wires.links.arrival(from, to, HEAD_BYTES, sent)
            };
            match arrives {
                Some(at) => return sleep_until(at).await,
                None => {
                    blocked_since.get_or_insert_with(now);
                    opened.await;
                }
            }
        }
    }

    async fn connected(self, address: String) -> io::Result<Box<dyn ByteStream>> {
        let (host, port) = parse(&address)?;
        let (own, incarnation) = here()?;
        let (from, to) = {
            let links = &mut self.wires().links;
            (links.number(&own), links.number(host))
        };
        self.cross(from, to).await;
        let connection = self.wires().connect((from, incarnation), to, port);
        let stream = connection.map(|id| Stream::new(self.clone(), id, 0));
        self.cross(to, from).await;
        let refused = || io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
        Ok(Box::new(stream.ok_or_else(refused)?))
    }
}

/// What the world does to its links.
impl MadsimNetwork {
    pub fn block(&self, from: &str, to: &str, at: Duration) {
        let mut wires = self.wires();
        let (from, to) = (wires.links.number(from), wires.links.number(to));
        wires.links.block(from, to, nanos(at));
    }

    pub fn unblock(&self, from: &str, to: &str, at: Duration) {
        let mut wires = self.wires();
        let (from, to) = (wires.links.number(from), wires.links.number(to));
        let blocked_for = wires.links.unblock(from, to, nanos(at));
        wires.release(from, to, blocked_for, nanos(at));
        self.opened.notify_waiters();
    }

    pub fn clog(&self, from: &str, to: &str) {
        let mut wires = self.wires();
        let (from, to) = (wires.links.number(from), wires.links.number(to));
        wires.links.clog(from, to, true);
    }

    pub fn unclog(&self, from: &str, to: &str, at: Duration) {
        let mut wires = self.wires();
        let (from, to) = (wires.links.number(from), wires.links.number(to));
        wires.links.clog(from, to, false);
        wires.release(from, to, 0, nanos(at));
        self.opened.notify_waiters();
    }

    pub fn slow(&self, from: &str, to: &str, extra: Duration, bytes_per_second: u64) {
        let mut wires = self.wires();
        let (from, to) = (wires.links.number(from), wires.links.number(to));
        wires.links.slow(from, to, nanos(extra), bytes_per_second);
    }

    pub fn reset(&self, one: &str, other: &str, at: Duration) -> usize {
        let mut wires = self.wires();
        let (one, other) = (wires.links.number(one), wires.links.number(other));
        wires.reset(one, other, nanos(at))
    }

    /// A process is gone.
    pub fn tear(&self, host: &str, incarnation: u32, at: Duration) {
        let mut wires = self.wires();
        let host = wires.links.number(host);
        wires.tear(host, incarnation, nanos(at));
    }
}

impl Network for MadsimNetwork {
    fn listen(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        let network = self.clone();
        Box::pin(async move {
            let (_, port) = parse(&address)?;
            let (own, incarnation) = here()?;
            let host = network.wires().links.number(&own);
            if !network.wires().listen(host, incarnation, port) {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            Ok(Box::new(MadsimListener { network, host, incarnation, port, address }) as Box<dyn Listener>)
        })
    }

    fn connect(&self, address: String) -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>> {
        Box::pin(self.clone().connected(address))
    }
}

struct MadsimListener {
    network: MadsimNetwork,
    host: HostNumber,
    incarnation: u32,
    port: u16,
    address: String,
}

impl Listener for MadsimListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async move {
            let accepted =
                std::future::poll_fn(|cx| self.network.wires().accept(self.host, self.incarnation, self.port, cx));
            let id = accepted.await.ok_or(io::ErrorKind::NotConnected)?;
            Ok(Box::new(Stream::new(self.network.clone(), id, 1)) as Box<dyn ByteStream>)
        })
    }

    fn local_address(&self) -> String {
        self.address.clone()
    }
}

impl Drop for MadsimListener {
    fn drop(&mut self) {
        self.network.wires().close_listener(self.host, self.incarnation, self.port, now());
    }
}

fn parse(address: &str) -> io::Result<(&str, u16)> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidInput, format!("{address:?} is not host:port"));
    let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
    Ok((host, port.parse().map_err(|_| malformed())?))
}

fn here() -> io::Result<(String, u32)> {
    MadsimInside::here().ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "on no host of this world"))
}

fn nanos(since: Duration) -> At {
    At::try_from(since.as_nanos()).unwrap_or(At::MAX)
}

/// As hosts see it; what is dropped after the run has no time.
fn now() -> At {
    TimeHandle::try_current().map_or(0, |time| nanos(time.elapsed()))
}

/// To the nanosecond: madsim's own sleeps take a millisecond at least.
fn sleep_until(at: At) -> Sleep {
    let time = TimeHandle::current();
    let began = time.now_instant() - time.elapsed();
    let mut sleep = time.sleep_until(began);
    Pin::new(&mut sleep).reset(began + Duration::from_nanos(at));
    sleep
}
