//! Which descriptors belong to which host, and which of them an `epoll` watches.
//!
//! The readiness of event descriptors is the operating system's own; what the simulator adds is which thread
//! is woken by a write, and that none waits in real time.

use crate::HostId;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(crate) struct Descriptors {
    owners: BTreeMap<i32, HostId>,
    epolls: BTreeSet<i32>,
    /// Duplicates of an epoll descriptor, to the original: runtimes register through one and wait on the other.
    originals: BTreeMap<i32, i32>,
    watched: BTreeMap<i32, i32>,
    /// Epolls that may have something to report.
    dirty: BTreeSet<i32>,
}

impl Descriptors {
    pub fn own(&mut self, descriptor: i32, host: HostId) {
        self.owners.insert(descriptor, host);
    }

    pub fn own_epoll(&mut self, descriptor: i32, host: HostId) {
        self.own(descriptor, host);
        self.epolls.insert(descriptor);
    }

    /// Whether the host can be told of what the network brings.
    pub fn can_poll(&self, host: HostId) -> bool {
        self.epolls.iter().any(|epoll| self.owners.get(epoll) == Some(&host))
    }

    pub fn duplicate(&mut self, from: i32, to: i32, host: HostId) {
        self.own(to, host);
        let original = self.original(from);
        self.originals.insert(to, original);
    }

    fn original(&self, descriptor: i32) -> i32 {
        self.originals.get(&descriptor).copied().unwrap_or(descriptor)
    }

    /// `epoll` watches `descriptor`, which may be ready already.
    pub fn watch(&mut self, epoll: i32, descriptor: i32) {
        let epoll = self.original(epoll);
        self.watched.insert(descriptor, epoll);
        self.dirty.insert(epoll);
    }

    pub fn unwatch(&mut self, descriptor: i32) {
        self.watched.remove(&descriptor);
    }

    /// The epoll that has to hear of a write to `descriptor`.
    pub fn written(&mut self, descriptor: i32) -> Option<i32> {
        let epoll = *self.watched.get(&descriptor)?;
        self.dirty.insert(epoll);
        Some(epoll)
    }

    /// Whether `epoll` is worth asking; asked once per change.
    pub fn take_dirty(&mut self, epoll: i32) -> bool {
        let epoll = self.original(epoll);
        self.dirty.remove(&epoll)
    }

    pub fn same_epoll(&self, one: i32, other: i32) -> bool {
        self.original(one) == self.original(other)
    }

    pub fn closed(&mut self, descriptor: i32) {
        self.owners.remove(&descriptor);
        self.epolls.remove(&descriptor);
        self.originals.remove(&descriptor);
        self.watched.remove(&descriptor);
        self.dirty.remove(&descriptor);
    }

    /// Forgets all descriptors of a host and returns them.
    pub fn forget_host(&mut self, host: HostId) -> Vec<i32> {
        let owned: Vec<i32> =
            self.owners.iter().filter(|(_, owner)| **owner == host).map(|(descriptor, _)| *descriptor).collect();
        for descriptor in &owned {
            self.closed(*descriptor);
        }
        owned
    }
}
