//! The state of one byte stream between two hosts.

use crate::HostId;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::task::Waker;

/// End 0 connected, end 1 accepted. Flow `n` carries what end `n` writes.
pub(super) struct Connection {
    pub port: u16,
    pub established: bool,
    pub ends: [End; 2],
    pub flows: [Flow; 2],
}

pub(super) struct End {
    pub host: HostId,
    /// Of the host when this end came to be; a later one knows nothing of the connection.
    pub incarnation: u32,
    /// The application let go of it.
    pub closed: bool,
    /// Its host crashed: what it sent and the wire still carries arrives, but it sends nothing again.
    pub crashed: bool,
    pub error: Option<ErrorKind>,
    /// Waits to read, or for the connection to be established.
    pub reader: Option<Waker>,
    pub writer: Option<Waker>,
}

#[derive(Default)]
pub(super) struct Flow {
    pub in_flight: VecDeque<Segment>,
    /// Arrived, not read.
    pub arrived: VecDeque<u8>,
    /// Bytes that count against the window: in flight, unread, or read with that news still on its way.
    pub window_used: usize,
    /// Read by the application, of which the sender does not know yet because the way back is blocked.
    pub credit_owed: usize,
    /// The writer sent its last byte.
    pub shut: bool,
    /// The reader has seen it.
    pub ended: bool,
    pub last_arrival: u64,
    pub delivery_scheduled: bool,
    pub credit_scheduled: bool,
    pub data_retry: Retry,
    pub credit_retry: Retry,
}

pub(super) struct Segment {
    pub arrival: u64,
    pub payload: Payload,
}

pub(super) enum Payload {
    Data(Vec<u8>),
    End,
}

/// Back-off of one thing that is being sent again and again.
#[derive(Default)]
pub(super) struct Retry {
    failing_since: Option<u64>,
    pause: u64,
}

impl Retry {
    /// Another failure: how long to wait, or nothing if it is time to give up.
    pub fn again(&mut self, now: u64) -> Option<u64> {
        match self.failing_since {
            None => {
                self.failing_since = Some(now);
                self.pause = super::RETRANSMIT_MIN;
            }
            Some(since) if now - since > super::RETRANSMIT_GIVE_UP => return None,
            Some(_) => self.pause = (self.pause * 2).min(super::RETRANSMIT_MAX),
        }
        Some(self.pause)
    }

    pub fn succeeded(&mut self) {
        *self = Retry::default();
    }
}

impl End {
    pub fn new(host: HostId, incarnation: u32) -> End {
        End { host, incarnation, closed: false, crashed: false, error: None, reader: None, writer: None }
    }
}

impl Connection {
    pub fn new(port: u16, ends: [End; 2]) -> Connection {
        Connection { port, established: false, ends, flows: Default::default() }
    }

    /// Everybody who waits at this end.
    pub fn take_wakers(&mut self, end: usize) -> Vec<Waker> {
        let end = &mut self.ends[end];
        end.reader.take().into_iter().chain(end.writer.take()).collect()
    }

    /// No application will ever ask for it again.
    pub fn is_over(&self) -> bool {
        self.ends.iter().all(|end| end.closed) && self.flows.iter().all(|flow| flow.in_flight.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::SECOND;

    #[test]
    fn retries_back_off_and_give_up_after_a_quarter_of_an_hour() {
        let (mut retry, mut now, mut pauses) = (Retry::default(), 0, Vec::new());
        while let Some(pause) = retry.again(now) {
            now += pause;
            pauses.push(pause);
        }
        assert_eq!(pauses[..3], [SECOND / 5, SECOND * 2 / 5, SECOND * 4 / 5]);
        assert_eq!(pauses.last(), Some(&(120 * SECOND)));
        assert!(now > 924 * SECOND && now < 1100 * SECOND, "{now}");
        retry.succeeded();
        assert_eq!(retry.again(now), Some(SECOND / 5));
    }
}
