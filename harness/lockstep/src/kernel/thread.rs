use crate::HostId;
use crate::sys::Baton;

/// What a thread is doing, from the scheduler's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Created, has not had its first turn.
    Starting,
    Running,
    /// In `epoll_wait`: woken by a descriptor, by its host's network, or by its deadline.
    Polling {
        epoll: i32,
    },
    WaitingFutex {
        address: usize,
    },
    /// Until its deadline, or until its next turn if it has none and is ready.
    Sleeping,
    Joining {
        thread: usize,
    },
    /// The controller in `run_until`: gets its turn by the rules of the run, never by being ready.
    Directing,
    Exited,
}

pub(crate) struct Thread {
    pub host: HostId,
    pub state: State,
    pub baton: &'static Baton,
    /// Of a crashed host: never gets a turn again.
    pub frozen: bool,
    /// In the ready queue, or held back while its host is paused.
    pub ready: bool,
    /// Deadline and sequence number of its entry in the timer queue.
    pub timer: Option<(u64, u64)>,
    /// Woken by another thread or the network rather than by its deadline.
    pub notified: bool,
    /// Its `pthread_t`, for `pthread_join`; 0 until known and after it was joined.
    pub handle: u64,
    /// Clock reads and looks for events since it last gave its turn away.
    pub spins: u32,
}

impl Thread {
    pub fn new(host: HostId, state: State) -> Thread {
        Thread {
            host,
            state,
            baton: Baton::leak(),
            frozen: false,
            ready: false,
            timer: None,
            notified: false,
            handle: 0,
            spins: 0,
        }
    }

    pub fn is_live(&self) -> bool {
        !self.frozen && self.state != State::Exited
    }
}
