//! All connections and listeners, as values: who may send what to whom, and when it arrives. Nothing waits here.
use super::At;
use super::links::{HostNumber, Links};
use bytes::{Buf, Bytes};
use std::collections::{BTreeMap, VecDeque};
use std::task::{Context, Poll, Waker};

pub(super) type ConnectionId = u64;

/// One of the two ends of a connection: 0 has made it, 1 has accepted it.
pub(super) type Side = usize;

pub(super) enum Parcel {
    Bytes(Bytes),
    /// No more comes, in order.
    End,
    Reset,
}

impl Parcel {
    fn len(&self) -> usize {
        match self {
            Parcel::Bytes(bytes) => bytes.len(),
            Parcel::End | Parcel::Reset => 0,
        }
    }
}

/// A packet without its data.
pub(super) const HEAD_BYTES: usize = 64;

struct Sent {
    /// Nothing while a link that is not open holds it.
    arrives: Option<At>,
    parcel: Parcel,
}

struct End {
    host: HostNumber,
    incarnation: u32,
    /// Whether its host still has it.
    is_held: bool,
    has_ended: bool,
    incoming: VecDeque<Sent>,
    last_arrival: At,
    reader: Option<Waker>,
}

struct Listening {
    incarnation: u32,
    waiting: VecDeque<ConnectionId>,
    accepter: Option<Waker>,
}

/// What a reader finds.
pub(super) enum Found {
    Bytes(Bytes),
    End,
    Reset,
    /// Something is on its way that arrives then.
    Later(At),
    Nothing,
}

pub(super) struct Wires {
    pub links: Links,
    connections: BTreeMap<ConnectionId, [End; 2]>,
    listeners: BTreeMap<(HostNumber, u16), Listening>,
    next: ConnectionId,
}

impl Wires {
    pub fn new(links: Links) -> Wires {
        Wires { links, connections: BTreeMap::new(), listeners: BTreeMap::new(), next: 0 }
    }

    /// False if the address is taken.
    pub fn listen(&mut self, host: HostNumber, incarnation: u32, port: u16) -> bool {
        if self.listeners.get(&(host, port)).is_some_and(|other| other.incarnation == incarnation) {
            return false;
        }
        let listening = Listening { incarnation, waiting: VecDeque::new(), accepter: None };
        self.listeners.insert((host, port), listening);
        true
    }

    pub fn close_listener(&mut self, host: HostNumber, incarnation: u32, port: u16, now: At) {
        if self.listeners.get(&(host, port)).is_none_or(|listening| listening.incarnation != incarnation) {
            return;
        }
        let closed = self.listeners.remove(&(host, port)).expect("it was there just now");
        for connection in closed.waiting {
            self.send(connection, 1, Parcel::Reset, now);
            self.let_go(connection, 1);
        }
    }

    /// A new connection, which waits to be accepted; nothing if no listener is there.
    pub fn connect(&mut self, from: (HostNumber, u32), to: HostNumber, port: u16) -> Option<ConnectionId> {
        let listening = self.listeners.get_mut(&(to, port))?;
        let end = |(host, incarnation)| End {
            host,
            incarnation,
            is_held: true,
            has_ended: false,
            incoming: VecDeque::new(),
            last_arrival: 0,
            reader: None,
        };
        let id = self.next;
        self.next += 1;
        self.connections.insert(id, [end(from), end((to, listening.incarnation))]);
        listening.waiting.push_back(id);
        wake(&mut listening.accepter);
        Some(id)
    }

    /// The next connection that waits at this listener; an error if it is closed.
    pub fn accept(
        &mut self,
        host: HostNumber,
        incarnation: u32,
        port: u16,
        context: &mut Context<'_>,
    ) -> Poll<Option<ConnectionId>> {
        match self.listeners.get_mut(&(host, port)).filter(|listening| listening.incarnation == incarnation) {
            None => Poll::Ready(None),
            Some(listening) => match listening.waiting.pop_front() {
                Some(connection) => Poll::Ready(Some(connection)),
                None => {
                    listening.accepter = Some(context.waker().clone());
                    Poll::Pending
                }
            },
        }
    }

    /// Sends what arrives at the other side in order. False if there is no such connection any more.
    pub fn send(&mut self, id: ConnectionId, side: Side, parcel: Parcel, now: At) -> bool {
        let Some(ends) = self.connections.get_mut(&id) else { return false };
        let (from, to) = (ends[side].host, ends[1 - side].host);
        if !ends[side].is_held {
            return false;
        }
        let answers_reset = !ends[1 - side].is_held && matches!(parcel, Parcel::Bytes(_));
        if answers_reset {
            // The other side's system knows no such connection any more, and says so.
            let arrives = self.links.arrival(to, from, HEAD_BYTES, now);
            ends[side].receive(Sent { arrives, parcel: Parcel::Reset });
            return true;
        }
        ends[side].has_ended |= matches!(parcel, Parcel::End);
        let is_held_up = ends[1 - side].incoming.back().is_some_and(|last| last.arrives.is_none());
        let arrives = if is_held_up { None } else { self.links.arrival(from, to, HEAD_BYTES + parcel.len(), now) };
        ends[1 - side].receive(Sent { arrives, parcel });
        true
    }

    /// What has arrived; a reader that finds nothing is woken when something is sent.
    pub fn receive(&mut self, id: ConnectionId, side: Side, room: usize, now: At, context: &mut Context<'_>) -> Found {
        let Some(ends) = self.connections.get_mut(&id) else { return Found::Reset };
        let end = &mut ends[side];
        if !end.is_held {
            return Found::Reset;
        }
        match end.incoming.front_mut() {
            Some(Sent { arrives: Some(at), parcel }) if *at <= now => match parcel {
                Parcel::End => Found::End,
                Parcel::Reset => Found::Reset,
                Parcel::Bytes(bytes) => {
                    let taken = bytes.split_to(room.min(bytes.len()));
                    if !bytes.has_remaining() {
                        end.incoming.pop_front();
                    }
                    Found::Bytes(taken)
                }
            },
            other => {
                let arrives = other.and_then(|sent| sent.arrives);
                end.reader = Some(context.waker().clone());
                arrives.map_or(Found::Nothing, Found::Later)
            }
        }
    }

    /// Whether this side has been told that the connection is no more.
    pub fn is_reset(&self, id: ConnectionId, side: Side, now: At) -> bool {
        let Some(ends) = self.connections.get(&id) else { return true };
        let told = |sent: &Sent| matches!(sent.parcel, Parcel::Reset) && sent.arrives.is_some_and(|at| at <= now);
        !ends[side].is_held || ends[side].incoming.iter().any(told)
    }

    /// A program drops its stream, or ends it.
    pub fn close(&mut self, id: ConnectionId, side: Side, now: At) {
        if self.connections.get(&id).is_some_and(|ends| !ends[side].has_ended) {
            self.send(id, side, Parcel::End, now);
        }
    }

    /// The host has this end no more.
    pub fn let_go(&mut self, id: ConnectionId, side: Side) {
        let Some(ends) = self.connections.get_mut(&id) else { return };
        ends[side].is_held = false;
        ends[side].incoming.clear();
        ends[side].reader = None;
        if !ends[1 - side].is_held {
            self.connections.remove(&id);
        }
    }

    /// A process is gone without a word: its system tells the peers, as soon as they can be reached.
    pub fn tear(&mut self, host: HostNumber, incarnation: u32, now: At) {
        self.listeners.retain(|(of, _), listening| *of != host || listening.incarnation != incarnation);
        for (id, side) in self.ends_where(|end| end.host == host && end.incarnation == incarnation && end.is_held) {
            self.send(id, side, Parcel::Reset, now);
            self.let_go(id, side);
        }
    }

    /// Breaks every connection between the two, at once; how many there were.
    pub fn reset(&mut self, one: HostNumber, other: HostNumber, now: At) -> usize {
        let mut broken = 0;
        for ends in self.connections.values_mut() {
            let hosts = (ends[0].host, ends[1].host);
            if (hosts == (one, other) || hosts == (other, one)) && ends.iter().all(|end| end.is_held) {
                broken += 1;
                for end in ends {
                    end.incoming.clear();
                    end.receive(Sent { arrives: Some(now), parcel: Parcel::Reset });
                }
            }
        }
        broken
    }

    /// A link has opened: what it held is under way, after it was sent again if it was lost.
    pub fn release(&mut self, from: HostNumber, to: HostNumber, blocked_for: At, now: At) {
        let Wires { links, connections, .. } = self;
        for ends in connections.values_mut() {
            for side in 0..2 {
                if ends[1 - side].host != from || ends[side].host != to {
                    continue;
                }
                let again = now + links.resend_after(blocked_for);
                let mut last = ends[side].last_arrival;
                for sent in ends[side].incoming.iter_mut().filter(|sent| sent.arrives.is_none()) {
                    sent.arrives =
                        links.arrival(from, to, HEAD_BYTES + sent.parcel.len(), again).map(|at| at.max(last));
                    last = sent.arrives.unwrap_or(last);
                }
                ends[side].last_arrival = last;
                wake(&mut ends[side].reader);
            }
        }
    }

    fn ends_where(&self, wanted: impl Fn(&End) -> bool) -> Vec<(ConnectionId, Side)> {
        let ends = self.connections.iter().flat_map(|(id, ends)| [(*id, 0, &ends[0]), (*id, 1, &ends[1])]);
        ends.filter(|(_, _, end)| wanted(end)).map(|(id, side, _)| (id, side)).collect()
    }
}

impl End {
    fn receive(&mut self, mut sent: Sent) {
        if !self.is_held {
            return;
        }
        sent.arrives = sent.arrives.map(|at| at.max(self.last_arrival));
        self.last_arrival = sent.arrives.unwrap_or(self.last_arrival);
        self.incoming.push_back(sent);
        wake(&mut self.reader);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
