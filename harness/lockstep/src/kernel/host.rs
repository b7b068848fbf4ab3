use super::clock::Clock;
use super::random::Stream;
use std::collections::BTreeSet;
use std::task::Waker;

/// What became of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostStatus {
    /// Added, never started.
    New,
    Running,
    Paused,
    /// Its first thread returned and no other thread is left.
    Exited,
    /// The closure it was started with panicked.
    Panicked,
    Crashed,
}

pub(crate) struct Host {
    pub name: String,
    pub status: HostStatus,
    /// Counts starts: 0 before the first.
    pub incarnation: u32,
    /// Threads that became ready while the host is paused, in that order.
    pub held: Vec<usize>,
    pub clock: Clock,
    pub entropy: Stream,
    /// Its threads that are in `epoll_wait`.
    pub pollers: BTreeSet<usize>,
    /// Wakers the network wants woken. They run on a thread of this host, inside its `epoll_wait`: on a thread of
    /// another host they could block on a lock that a paused or crashed thread holds.
    pub interrupts: Vec<Waker>,
}

impl Host {
    pub fn new(name: &str, entropy: Stream) -> Host {
        Host {
            name: name.to_owned(),
            status: HostStatus::New,
            incarnation: 0,
            held: Vec::new(),
            clock: Clock::new(),
            entropy,
            pollers: BTreeSet::new(),
            interrupts: Vec::new(),
        }
    }

    /// Whether there is a machine that answers, perhaps late.
    pub fn is_up(&self) -> bool {
        !matches!(self.status, HostStatus::New | HostStatus::Crashed)
    }
}
