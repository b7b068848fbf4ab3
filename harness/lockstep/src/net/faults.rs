//! What can be done to the network from outside. Faults lie over a healthy network: healing removes them.

use super::connection::Connection;
use super::events::Event;
use super::{Accepting, Network};
use crate::HostId;
use crate::kernel::Kernel;

impl Kernel {
    pub(crate) fn set_blocked(&mut self, from: HostId, to: HostId, blocked: bool) {
        self.link(from, to).blocked = blocked;
        self.record(to, if blocked { "block" } else { "unblock" }, &from.0.to_le_bytes());
    }

    pub(crate) fn set_clogged(&mut self, from: HostId, to: HostId, clogged: bool) {
        self.record(to, if clogged { "clog" } else { "unclog" }, &from.0.to_le_bytes());
        let now = self.now;
        let link = self.link(from, to);
        link.clogged = clogged;
        if !clogged {
            for event in std::mem::take(&mut link.held) {
                self.network.schedule(now, event);
            }
        }
    }

    pub(crate) fn set_link_speed(&mut self, from: HostId, to: HostId, extra_latency_ns: u64, bytes_per_second: u64) {
        let link = self.link(from, to);
        link.extra_latency_ns = extra_latency_ns;
        link.bytes_per_second = bytes_per_second;
        let what = [from.0.into(), extra_latency_ns, bytes_per_second].map(u64::to_le_bytes).concat();
        self.record(to, "link-speed", &what);
    }

    pub(crate) fn heal_network(&mut self) {
        let links: Vec<_> = self.network.links.keys().copied().collect();
        for (from, to) in links {
            let link = self.link(from, to);
            let (blocked, clogged) = (link.blocked, link.clogged);
            let slow = link.extra_latency_ns > 0 || link.bytes_per_second > 0;
            if blocked {
                self.set_blocked(from, to, false);
            }
            if clogged {
                self.set_clogged(from, to, false);
            }
            if slow {
                self.set_link_speed(from, to, 0, 0);
            }
        }
    }

    /// Both ends of every connection between the two learn that it is gone.
    pub(crate) fn reset_connections(&mut self, one: HostId, other: HostId) -> usize {
        let between = |connection: &Connection| {
            let ends = [connection.ends[0].host, connection.ends[1].host];
            connection.established && (ends == [one, other] || ends == [other, one])
        };
        let hit: Vec<u64> =
            self.network.connections.iter().filter(|(_, found)| between(found)).map(|(id, _)| *id).collect();
        for &connection in &hit {
            for end in [0, 1] {
                self.network.schedule(self.now, Event::Reset { connection, end });
            }
        }
        self.record(one, "reset", &[u64::from(other.0), hit.len() as u64].map(u64::to_le_bytes).concat());
        hit.len()
    }
}

impl Network {
    /// Its listeners are gone; peers keep their ends half open and find out when they send. The wakers of the dead
    /// are leaked: dropping one could run its destructors.
    pub(crate) fn host_crashed(&mut self, host: HostId) {
        let ports: Vec<_> = self.listeners.keys().filter(|key| key.0 == host).copied().collect();
        for key in ports {
            if let Some(Accepting { waker, .. }) = self.listeners.remove(&key) {
                std::mem::forget(waker);
            }
        }
        for connection in self.connections.values_mut() {
            for end in 0..2 {
                // Before it is established, the accepting end belongs to the listener that will be there.
                if connection.ends[end].host == host && (connection.established || end == 0) {
                    std::mem::forget(connection.take_wakers(end));
                    connection.ends[end].closed = true;
                    connection.ends[end].crashed = true;
                }
            }
        }
        self.connections.retain(|_, connection| {
            let abandoned = !connection.established && connection.ends[0].closed;
            !abandoned && !connection.ends.iter().all(|end| end.closed)
        });
    }
}
