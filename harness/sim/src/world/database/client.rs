//! The server's side: a [`Store`] that finds the primary, and tells honestly what it does not know.
use super::wire::{Answer, Asked, Request, ToClient, receive, send};
use super::{CLIENT_PORT, PEER_PATIENCE, RECONNECT_PAUSE, address};
use crate::world::Host;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use tempest_rt::net::{ByteStream, Network};
use tempest_rt::task::TaskGroup;
use tempest_rt::time::{Duration, Instant, sleep, timeout};
use tempest_store::{ReadFuture, ReadRequest, Store, StoreError, Timeline, WriteFuture, WriteRequest, Written};
use tokio::sync::{mpsc, oneshot, watch};

#[cfg(test)]
mod tests;

/// Requests that wait to be sent or answered; more are refused.
const CALLS_MAX: usize = 10_000;
/// A request that could not be sent within this was not executed.
const SEND_PATIENCE: Duration = Duration::from_secs(5);
/// A request that was sent and is not answered within this: the connection is given up.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// A client of the simulated database. Dropping it drops what is under way.
pub(crate) struct DatabaseStore {
    /// Each has a connection of its own, as pools of connections have: one may overtake the other, or be lost alone.
    writes: mpsc::Sender<Call>,
    reads: mpsc::Sender<Call>,
    timeline: watch::Sender<Timeline>,
    tasks: TaskGroup,
}

/// False for a primary of an older timeline: it was deposed and does not know.
fn accepts(newest: &watch::Sender<Timeline>, timeline: Timeline) -> bool {
    newest.send_if_modified(|newest| timeline > std::mem::replace(newest, timeline.max(*newest)));
    *newest.borrow() == timeline
}

struct Call {
    request: Request,
    reply: oneshot::Sender<Result<Answer, StoreError>>,
    asked_at: Instant,
}

impl Call {
    fn refuse(self, why: &str) {
        let _ = self.reply.send(Err(StoreError::Unavailable(why.to_owned())));
    }

    /// It was sent, and not answered.
    fn leave_open(self, why: &str) {
        let error = match self.request {
            Request::Write(_) if tempest_rt::is_planted(super::plants::UNANSWERED_WRITE_TAKEN_FOR_REFUSED.name) => {
                StoreError::Unavailable(why.to_owned())
            }
            Request::Write(write)
                if is_fenced(&write) && tempest_rt::is_planted(super::plants::UNANSWERED_WRITE_TAKEN_FOR_DONE.name) =>
            {
                let _ = self.reply.send(Ok(Answer::Written(Written::Done)));
                return;
            }
            Request::Write(_) => StoreError::OutcomeUnknown(why.to_owned()),
            // A read changes nothing: it can simply be repeated.
            Request::Read(_) => StoreError::Unavailable(why.to_owned()),
        };
        let _ = self.reply.send(Err(error));
    }
}

/// Whether its answer holds nothing but that it was done.
fn is_fenced(write: &WriteRequest) -> bool {
    matches!(write, WriteRequest::Commit(_) | WriteRequest::Backlog(_))
}

impl DatabaseStore {
    pub fn new(network: Arc<dyn Network>, nodes: &[Host]) -> DatabaseStore {
        let tasks = TaskGroup::default();
        let timeline = watch::Sender::default();
        let addresses: Vec<String> = nodes.iter().map(|node| address(node, CLIENT_PORT)).collect();
        let connection = || {
            let (calls, waiting) = mpsc::channel(CALLS_MAX);
            tasks.spawn(converse(network.clone(), addresses.clone(), timeline.clone(), waiting, tasks.clone()));
            calls
        };
        let (writes, reads) = (connection(), connection());
        DatabaseStore { writes, reads, timeline, tasks }
    }

    /// Queues a request now; what comes later is sent later.
    fn ask(&self, request: Request) -> BoxFuture<'static, Result<Answer, StoreError>> {
        let (reply, answer) = oneshot::channel();
        let calls = if matches!(request, Request::Write(_)) { &self.writes } else { &self.reads };
        let sent = calls.try_send(Call { request, reply, asked_at: Instant::now() });
        Box::pin(async move {
            if sent.is_err() {
                return Err(StoreError::Unavailable("too many requests wait for the database".to_owned()));
            }
            let gone = || Err(StoreError::OutcomeUnknown("the database's client is gone".to_owned()));
            answer.await.unwrap_or_else(|_| gone())
        })
    }
}

impl Drop for DatabaseStore {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

/// One connection after the other, to the primary.
async fn converse(
    network: Arc<dyn Network>,
    addresses: Vec<String>,
    timeline: watch::Sender<Timeline>,
    mut calls: mpsc::Receiver<Call>,
    tasks: TaskGroup,
) {
    let mut waiting = VecDeque::new();
    loop {
        let mut connecting = Box::pin(find_primary(network.clone(), addresses.clone(), timeline.clone()));
        let (stream, of) = loop {
            let oldest = waiting.front().map(|call: &Call| call.asked_at + SEND_PATIENCE);
            tokio::select! {
                biased;
                stream = &mut connecting => break stream,
                call = calls.recv() => match call {
                    Some(call) => waiting.push_back(call),
                    None => return,
                },
                () = until(oldest) => {
                    if let Some(call) = waiting.pop_front() {
                        call.refuse("the database has no primary that can be reached");
                    }
                }
            }
        };
        let mut session = Session::new(stream, &tasks);
        for call in waiting.drain(..) {
            session.send(call);
        }
        let mut newest = timeline.subscribe();
        let why = tokio::select! {
            biased;
            Ok(_) = newest.wait_for(|newest| *newest > of), if !tempest_rt::is_planted(super::plants::NEWER_TIMELINE_HEARD_IN_VAIN.name) => {
                "a newer primary is known".to_owned()
            }
            why = session.run(&mut calls) => why,
        };
        for call in session.under_way.into_values() {
            call.leave_open(&why);
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep(moment.saturating_duration_since(Instant::now())).await,
        None => std::future::pending().await,
    }
}

/// Asks one node after the other, forever.
async fn find_primary(
    network: Arc<dyn Network>,
    addresses: Vec<String>,
    newest: watch::Sender<Timeline>,
) -> (Box<dyn ByteStream>, Timeline) {
    for address in addresses.iter().cycle() {
        let greeting = async {
            let mut stream = network.connect(address.clone()).await?;
            let greeting = receive::<ToClient>(&mut stream).await?;
            Ok::<_, io::Error>((stream, greeting))
        };
        if let Ok(Ok((stream, ToClient::Serving { timeline, .. }))) = timeout(PEER_PATIENCE, greeting).await
            && accepts(&newest, timeline)
        {
            return (stream, timeline);
        }
        sleep(RECONNECT_PAUSE).await;
    }
    std::future::pending().await
}

/// One connection to a primary.
struct Session {
    under_way: BTreeMap<u64, Call>,
    sent: u64,
    to_primary: mpsc::Sender<Asked>,
    from_primary: mpsc::Receiver<ToClient>,
}

impl Session {
    fn new(stream: Box<dyn ByteStream>, tasks: &TaskGroup) -> Session {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let (to_primary, mut to_send) = mpsc::channel::<Asked>(2 * CALLS_MAX);
        let (received, from_primary) = mpsc::channel(CALLS_MAX);
        tasks.spawn(async move {
            while let Some(frame) = to_send.recv().await {
                if send(&mut writer, &frame).await.is_err() {
                    return;
                }
            }
        });
        tasks.spawn(async move {
            while let Ok(frame) = receive::<ToClient>(&mut reader).await {
                if received.send(frame).await.is_err() {
                    return;
                }
            }
        });
        Session { under_way: BTreeMap::new(), sent: 0, to_primary, from_primary }
    }

    fn send(&mut self, call: Call) {
        if self.under_way.len() >= CALLS_MAX {
            return call.refuse("too many requests wait for the database");
        }
        self.sent += 1;
        // If the writer is gone so is the reader, and what is under way stays open.
        let _ = self.to_primary.try_send(Asked { id: self.sent, request: call.request.clone() });
        self.under_way.insert(self.sent, call);
    }

    /// Until the connection ends; returns why.
    async fn run(&mut self, calls: &mut mpsc::Receiver<Call>) -> String {
        loop {
            let oldest = self.under_way.first_key_value().map(|(_, call)| call.asked_at + ANSWER_PATIENCE);
            tokio::select! {
                biased;
                frame = self.from_primary.recv() => match frame {
                    Some(ToClient::Answer { id, answer }) => {
                        if let Some(call) = self.under_way.remove(&id) {
                            let _ = call.reply.send(answer);
                        }
                    }
                    Some(_) => return "the database made no sense".to_owned(),
                    None => return "the connection to the database was lost".to_owned(),
                },
                call = calls.recv() => match call {
                    Some(call) => self.send(call),
                    None => return "the database's client is going down".to_owned(),
                },
                () = until(oldest) => return "the database did not answer in time".to_owned(),
            }
        }
    }
}

impl Store for DatabaseStore {
    fn write(&self, request: WriteRequest) -> WriteFuture {
        let answer = self.ask(Request::Write(Box::new(request)));
        Box::pin(async move {
            match answer.await? {
                Answer::Written(written) => Ok(written),
                Answer::Found(found) => unreachable!("a write was answered with {found:?}"),
            }
        })
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        let answer = self.ask(Request::Read(request));
        Box::pin(async move {
            match answer.await? {
                Answer::Found(found) => Ok(found),
                Answer::Written(written) => unreachable!("a read was answered with {written:?}"),
            }
        })
    }

    fn timeline(&self) -> watch::Receiver<Timeline> {
        self.timeline.subscribe()
    }

    fn hear_of(&self, timeline: Timeline) {
        accepts(&self.timeline, timeline);
    }
}
