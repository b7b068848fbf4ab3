//! A network between a store and its database that is cut when a certain word is sent.
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tempest_rt::task::TaskGroup;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const BUFFER_BYTES: usize = 16 << 10;
/// How much of what was sent is remembered, since a word may be split. Longer words may be missed.
const REMEMBERED_BYTES: usize = 256;

/// When and how to cut, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What the client sends when it is time.
    pub at: Vec<u8>,
    /// Whether the server still gets it. Its answer never comes through.
    pub forwarded: bool,
    /// Whether new connections are turned away from then on, until [`Proxy::heal`].
    pub for_good: bool,
    /// Instead of being cut, the connection carries nothing more to the server until [`Proxy::heal`]: what a frozen
    /// client looks like.
    pub frozen: bool,
}

impl Cut {
    pub fn at(word: impl AsRef<[u8]>) -> Self {
        Self { at: word.as_ref().to_owned(), forwarded: false, for_good: false, frozen: false }
    }

    pub fn forwarded(self) -> Self {
        Self { forwarded: true, ..self }
    }

    pub fn for_good(self) -> Self {
        Self { for_good: true, ..self }
    }

    pub fn frozen(self) -> Self {
        Self { frozen: true, ..self }
    }
}

/// Forwards connections to a server, or to one after the other, until a [`Cut`] is due. Ends with its last owner.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
    tasks: TaskGroup,
}

#[derive(Default)]
struct State {
    /// Where new connections lead.
    server_port: AtomicU16,
    plan: Mutex<Plan>,
    cuts: watch::Sender<u32>,
    heals: watch::Sender<u32>,
}

#[derive(Default)]
struct Plan {
    cut: Option<Cut>,
    closed: bool,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("some port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let state = State { server_port: AtomicU16::new(server_port), ..State::default() };
        let (state, tasks) = (Arc::new(state), TaskGroup::default());
        let (accepting, group) = (state.clone(), tasks.clone());
        tasks.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if accepting.plan().closed {
                    continue;
                }
                let server_port = accepting.server_port.load(Relaxed);
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server_port)).await {
                    group.spawn(forward(client, server, accepting.clone()));
                }
            }
        });
        Self { port, state, tasks }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// New connections lead to another server from now on, as those to a name that moves do; the others stay where they are.
    pub fn move_to(&self, server_port: u16) {
        self.state.server_port.store(server_port, Relaxed);
    }

    /// Cuts the connection on which `cut.at` is sent next.
    pub fn cut(&self, cut: Cut) {
        self.state.plan().cut = Some(cut);
    }

    /// Lets everything through again, and forgets a cut that did not happen.
    pub fn heal(&self) {
        *self.state.plan() = Plan::default();
        self.state.heals.send_modify(|heals| *heals += 1);
    }

    /// How many connections were cut or frozen.
    pub fn cuts(&self) -> u32 {
        *self.state.cuts.borrow()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

impl State {
    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cut that is due once the client has sent `chunk` after `before`.
    fn due(&self, before: &[u8], chunk: &[u8]) -> Option<Cut> {
        let mut plan = self.plan();
        let cut = plan.cut.take_if(|cut| {
            // A word that had passed already before the plan was made does not count.
            let beginning = before.len().saturating_sub(cut.at.len().saturating_sub(1));
            let sent = [&before[beginning..], chunk].concat();
            sent.windows(cut.at.len().max(1)).any(|window| window == cut.at)
        })?;
        plan.closed = cut.for_good;
        Some(cut)
    }
}

async fn forward(client: TcpStream, server: TcpStream, state: Arc<State>) {
    // Small messages must not wait for each other's acknowledgements.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = server.into_split();
    tokio::select! {
        biased;
        () = requests(client_reads, server_writes, &state) => {}
        () = answers(server_reads, client_writes) => {}
    }
}

/// Ends when the client does, or the connection is cut.
async fn requests(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, state: &State) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut sent: Vec<u8> = Vec::new();
    while let Ok(read @ 1..) = client.read(&mut buffer).await {
        let chunk = &buffer[..read];
        let mut healed = state.heals.subscribe();
        let due = state.due(&sent, chunk);
        if due.is_some() {
            state.cuts.send_modify(|cuts| *cuts += 1);
        }
        match due {
            Some(cut) if cut.frozen => {
                // The sender lives as long as this borrow of it.
                let _ = healed.changed().await;
            }
            Some(cut) if cut.forwarded => {
                let _ = server.write_all(chunk).await;
                return;
            }
            Some(_) => return,
            None => {}
        }
        if server.write_all(chunk).await.is_err() {
            return;
        }
        sent.extend(chunk);
        let surplus = sent.len().saturating_sub(REMEMBERED_BYTES);
        sent.drain(..surplus);
    }
}

async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf) {
    let _ = tokio::io::copy(&mut server, &mut client).await;
}
