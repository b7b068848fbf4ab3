//! The network: byte streams between hosts, in memory, in virtual time.
//!
//! A model of TCP as applications see it, not of packets. What is written becomes a segment with a latency drawn from
//! the seed, in order per direction. A window bounds what a reader has not read yet. Segments lost on a blocked link
//! are sent again with back-off, for as long as TCP would; a peer that has gone away answers with a reset.

mod connection;
mod events;
mod faults;
mod link;
mod listener;
mod stream;

pub use listener::Listener;
pub use stream::{Stream, connect};

use crate::HostId;
use crate::kernel::{Kernel, SECOND};
use crate::options::Options;
use connection::Connection;
use events::Event;
use link::Link;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::task::Waker;

/// First pause before a lost segment is sent again, and the longest, as Linux has them.
const RETRANSMIT_MIN: u64 = SECOND / 5;
const RETRANSMIT_MAX: u64 = 120 * SECOND;
/// How long a sender keeps trying (Linux: `tcp_retries2` = 15).
const RETRANSMIT_GIVE_UP: u64 = 924 * SECOND;
/// Connection requests after the first, one second apart and doubling (Linux: `tcp_syn_retries` = 6).
const CONNECT_RETRIES: u32 = 6;
/// Connections that a listener keeps and that are not accepted yet; more requests go unanswered.
const BACKLOG_MAX: usize = 128;

pub(crate) struct Network {
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    event_sequence: u64,
    connections: BTreeMap<u64, Connection>,
    connections_made: u64,
    listeners: BTreeMap<(HostId, u16), Accepting>,
    listeners_made: u64,
    links: BTreeMap<(HostId, HostId), Link>,
    latency_ns: (u64, u64),
    window_bytes: usize,
}

/// The kernel's side of a [`Listener`].
struct Accepting {
    /// Tells this listener from an earlier one on the same port.
    generation: u64,
    queue: VecDeque<u64>,
    waker: Option<Waker>,
}

impl Network {
    pub fn new(options: &Options) -> Network {
        Network {
            events: BinaryHeap::new(),
            event_sequence: 0,
            connections: BTreeMap::new(),
            connections_made: 0,
            listeners: BTreeMap::new(),
            listeners_made: 0,
            links: BTreeMap::new(),
            latency_ns: (options.latency.0.as_nanos() as u64, options.latency.1.as_nanos() as u64),
            window_bytes: options.window_bytes,
        }
    }

    pub fn next_event_at(&self) -> u64 {
        self.events.peek().map_or(u64::MAX, |event| event.0.0)
    }

    fn schedule(&mut self, at: u64, event: Event) {
        self.event_sequence += 1;
        self.events.push(Reverse((at, self.event_sequence, event)));
    }
}

impl Kernel {
    fn link(&mut self, from: HostId, to: HostId) -> &mut Link {
        let (seed, hosts, latency) = (self.seed, &self.hosts, self.network.latency_ns);
        self.network.links.entry((from, to)).or_insert_with(|| {
            let name = |host: HostId| &hosts[host.0 as usize].name;
            Link::new(seed, name(from), name(to), latency)
        })
    }

    fn draw_latency(&mut self, from: HostId, to: HostId) -> u64 {
        self.link(from, to).draw_latency()
    }
}
