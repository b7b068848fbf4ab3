//! What happens on the network at its time.
//!
//! Runs while some thread gives its turn away, on that thread, so it wakes no thread itself: wakers go to their own host.

use super::connection::{End, Payload, Segment};
use super::{BACKLOG_MAX, CONNECT_RETRIES};
use crate::HostId;
use crate::kernel::{Kernel, SECOND};
use std::cmp::Reverse;
use std::io::ErrorKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// A request to connect reaches the listening host.
    Request { connection: u64, attempt: u32 },
    /// The answer, yes or no, reaches the connecting host.
    Answer { connection: u64, attempt: u32, refused: bool },
    /// The first segments in flight from `end` reach the other end.
    Delivery { connection: u64, end: usize },
    /// `end` learns what of its bytes was read.
    Credit { connection: u64, end: usize },
    /// `end` learns that its peer knows nothing of the connection.
    Reset { connection: u64, end: usize },
}

/// What came of something sent over a link.
enum Passage {
    Open,
    Lost,
    Held,
}

impl Kernel {
    pub(crate) fn run_network(&mut self) {
        while self.network.next_event_at() <= self.now {
            let Some(Reverse((_, _, event))) = self.network.events.pop() else {
                return;
            };
            match event {
                Event::Request { connection, attempt } => self.on_request(connection, attempt, event),
                Event::Answer { connection, attempt, refused } => self.on_answer(connection, attempt, refused, event),
                Event::Delivery { connection, end } => self.on_delivery(connection, end, event),
                Event::Credit { connection, end } => self.on_credit(connection, end, event),
                Event::Reset { connection, end } => self.fail_end(connection, end, ErrorKind::ConnectionReset),
            }
        }
    }

    fn passage(&mut self, from: HostId, to: HostId, event: Event) -> Passage {
        let link = self.link(from, to);
        if link.blocked {
            Passage::Lost
        } else if link.clogged {
            link.held.push(event);
            Passage::Held
        } else {
            Passage::Open
        }
    }

    fn hosts_of(&self, connection: u64) -> Option<[HostId; 2]> {
        self.network.connections.get(&connection).map(|found| [found.ends[0].host, found.ends[1].host])
    }

    fn on_request(&mut self, id: u64, attempt: u32, event: Event) {
        let Some([from, to]) = self.hosts_of(id) else {
            return;
        };
        if attempt > CONNECT_RETRIES {
            // The pause after the last attempt is over.
            return self.fail_end(id, 0, ErrorKind::TimedOut);
        }
        match self.passage(from, to, event) {
            Passage::Held => return,
            Passage::Lost => return self.request_again(id, attempt),
            Passage::Open => {}
        }
        if !self.host(to).is_up() {
            return self.request_again(id, attempt);
        }
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        let refused = match self.network.listeners.get(&(to, connection.port)) {
            None => true,
            Some(listener) if listener.queue.len() >= BACKLOG_MAX => {
                return self.request_again(id, attempt);
            }
            Some(_) => false,
        };
        connection.ends[1].incarnation = self.hosts[to.0 as usize].incarnation;
        let arrival = self.now + self.draw_latency(to, from);
        self.network.schedule(arrival, Event::Answer { connection: id, attempt, refused });
    }

    fn request_again(&mut self, id: u64, attempt: u32) {
        let at = self.now + (SECOND << attempt);
        self.network.schedule(at, Event::Request { connection: id, attempt: attempt + 1 });
    }

    fn on_answer(&mut self, id: u64, attempt: u32, refused: bool, event: Event) {
        let Some([from, to]) = self.hosts_of(id) else {
            return;
        };
        match self.passage(to, from, event) {
            Passage::Held => return,
            Passage::Lost => return self.request_again(id, attempt),
            Passage::Open => {}
        }
        let incarnation = self.host(to).incarnation;
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        if connection.ends[0].closed {
            return;
        }
        let listener = self.network.listeners.get_mut(&(to, connection.port));
        let Some(listener) = listener.filter(|_| !refused && connection.ends[1].incarnation == incarnation) else {
            return self.fail_end(id, 0, ErrorKind::ConnectionRefused);
        };
        connection.established = true;
        listener.queue.push_back(id);
        let accepting = listener.waker.take();
        let connecting = connection.ends[0].reader.take();
        if let Some(waker) = accepting {
            self.interrupt(to, waker);
        }
        if let Some(waker) = connecting {
            self.interrupt(from, waker);
        }
    }

    fn on_delivery(&mut self, id: u64, end: usize, event: Event) {
        let Some(hosts) = self.hosts_of(id) else {
            return;
        };
        let (from, to) = (hosts[end], hosts[1 - end]);
        let passage = self.passage(from, to, event);
        let (up, incarnation) = (self.host(to).is_up(), self.host(to).incarnation);
        let back_open = !self.link(to, from).blocked;
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        let known = {
            let End { incarnation: expected, closed, error, .. } = &connection.ends[1 - end];
            *expected == incarnation && !closed && error.is_none()
        };
        match passage {
            Passage::Held => return,
            Passage::Open if up && known => {}
            // The host does not know the connection: says so, if the way back is open.
            Passage::Open if up && back_open => return self.deny(id, end),
            Passage::Open | Passage::Lost => return self.deliver_again(id, end),
        }
        connection.flows[end].delivery_scheduled = false;
        connection.flows[end].data_retry.succeeded();
        self.take_in(id, end, from, to);
    }

    /// What is due arrives.
    fn take_in(&mut self, id: u64, end: usize, from: HostId, to: HostId) {
        let now = self.now;
        while let Some(connection) = self.network.connections.get_mut(&id)
            && let flow = &mut connection.flows[end]
            && flow.in_flight.front().is_some_and(|segment| segment.arrival <= now)
        {
            let Some(segment) = flow.in_flight.pop_front() else {
                break;
            };
            match segment.payload {
                Payload::Data(bytes) => {
                    flow.arrived.extend(&bytes);
                    let kind = format!("deliver {}#{id}", self.hosts[from.0 as usize].name);
                    self.record(to, &kind, &bytes);
                }
                Payload::End => flow.ended = true,
            }
        }
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        let reader = connection.ends[1 - end].reader.take();
        let flow = &mut connection.flows[end];
        let next = flow.in_flight.front().map(|segment| segment.arrival);
        flow.delivery_scheduled = next.is_some();
        if let Some(arrival) = next {
            let event = Event::Delivery { connection: id, end };
            self.network.schedule(arrival, event);
        }
        if let Some(reader) = reader {
            self.interrupt(to, reader);
        }
        self.forget_if_over(id);
    }

    fn deliver_again(&mut self, id: u64, end: usize) {
        let now = self.now;
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        if connection.ends[end].crashed {
            connection.flows[end].in_flight.clear();
            return self.forget_if_over(id);
        }
        let pause = connection.flows[end].data_retry.again(now);
        match pause {
            Some(pause) => {
                let event = Event::Delivery { connection: id, end };
                self.network.schedule(now + pause, event);
            }
            None => self.fail_end(id, end, ErrorKind::TimedOut),
        }
    }

    fn deny(&mut self, id: u64, end: usize) {
        let Some(hosts) = self.hosts_of(id) else {
            return;
        };
        let arrival = self.now + self.draw_latency(hosts[1 - end], hosts[end]);
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        let flow = &mut connection.flows[end];
        flow.delivery_scheduled = false;
        let data = flow.in_flight.iter().any(|segment| matches!(segment.payload, Payload::Data(_)));
        flow.in_flight.clear();
        if data {
            self.network.schedule(arrival, Event::Reset { connection: id, end });
        }
        self.forget_if_over(id);
    }

    fn on_credit(&mut self, id: u64, end: usize, event: Event) {
        let Some(hosts) = self.hosts_of(id) else {
            return;
        };
        let (writer, reader) = (hosts[end], hosts[1 - end]);
        let passage = self.passage(reader, writer, event);
        let now = self.now;
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        let flow = &mut connection.flows[end];
        match passage {
            Passage::Held => {}
            Passage::Lost => match flow.credit_retry.again(now) {
                Some(pause) => self.network.schedule(now + pause, Event::Credit { connection: id, end }),
                // The sender hears no acknowledgement and gives up.
                None => self.fail_end(id, end, ErrorKind::TimedOut),
            },
            Passage::Open => {
                flow.credit_retry.succeeded();
                flow.credit_scheduled = false;
                flow.window_used -= std::mem::take(&mut flow.credit_owed);
                if let Some(waker) = connection.ends[end].writer.take() {
                    self.interrupt(writer, waker);
                }
            }
        }
    }

    /// The application at the other end of flow `end` has read so many bytes.
    pub(super) fn give_credit(&mut self, id: u64, end: usize, bytes: usize) {
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        let flow = &mut connection.flows[end];
        flow.credit_owed += bytes;
        if !std::mem::replace(&mut flow.credit_scheduled, true) {
            self.on_credit(id, end, Event::Credit { connection: id, end });
        }
    }

    /// Puts a payload on its way.
    pub(super) fn send(&mut self, id: u64, end: usize, payload: Payload) {
        let Some(hosts) = self.hosts_of(id) else {
            return;
        };
        let (from, to) = (hosts[end], hosts[1 - end]);
        let bytes = match &payload {
            Payload::Data(bytes) => bytes.len(),
            Payload::End => 0,
        };
        let now = self.now;
        let link = self.link(from, to);
        let (latency, busy) = (link.draw_latency(), link.transmission_ns(bytes));
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        let flow = &mut connection.flows[end];
        let arrival = (now + latency).max(flow.last_arrival) + busy;
        flow.last_arrival = arrival;
        flow.window_used += bytes;
        flow.in_flight.push_back(Segment { arrival, payload });
        if !std::mem::replace(&mut flow.delivery_scheduled, true) {
            self.network.schedule(arrival, Event::Delivery { connection: id, end });
        }
    }

    /// The connection is dead as far as `end` is concerned.
    pub(super) fn fail_end(&mut self, id: u64, end: usize, error: ErrorKind) {
        let Some(connection) = self.network.connections.get_mut(&id) else {
            return;
        };
        connection.ends[end].error.get_or_insert(error);
        connection.flows[end].in_flight.clear();
        let host = connection.ends[end].host;
        for waker in connection.take_wakers(end) {
            self.interrupt(host, waker);
        }
        self.forget_if_over(id);
    }

    pub(super) fn forget_if_over(&mut self, id: u64) {
        if self.network.connections.get(&id).is_some_and(|connection| connection.is_over()) {
            self.network.connections.remove(&id);
        }
    }
}
