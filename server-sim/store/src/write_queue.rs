//! Group commit: writes queue in the order they are asked for, bounded in requests and bytes; a writer takes all that wait
//! and fit one transaction, while the next batch gathers.
use crate::{StoreError, WriteAnswer};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot, watch};

/// The bounds of a queue and of its batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Writes that share one transaction.
    pub batch_requests_max: usize,
    /// Bytes that share one transaction. A single larger write still goes through, alone.
    pub batch_bytes_max: usize,
    /// Writes that may wait; more are refused as unavailable.
    pub queue_requests_max: usize,
    /// Bytes that may wait; more are refused as unavailable, unless the queue is empty.
    pub queue_bytes_max: usize,
}

/// What waits for one writer.
pub struct WriteQueue<T> {
    waiting: Mutex<Waiting<T>>,
    /// Rung when something was queued, or the queue was closed.
    work: Notify,
    drained: watch::Sender<bool>,
    limits: QueueLimits,
    /// What the writes wait for, as callers are told.
    behind: &'static str,
}

struct Waiting<T> {
    entries: VecDeque<Entry<T>>,
    bytes: usize,
    closed: bool,
}

struct Entry<T> {
    request: T,
    bytes: usize,
    reply: oneshot::Sender<WriteAnswer>,
}

/// The callers of a batch. Dropping it makes them see `OutcomeUnknown`.
pub struct Replies(Vec<oneshot::Sender<WriteAnswer>>);

impl Replies {
    /// One answer each, in order.
    pub fn send(self, answers: Vec<WriteAnswer>) {
        for (reply, answer) in self.0.into_iter().zip(answers) {
            // Its caller may not wait for it any more.
            let _ = reply.send(answer);
        }
    }
}

impl<T> WriteQueue<T> {
    /// An empty queue for `behind`: "the disk", "the database".
    pub fn new(limits: QueueLimits, behind: &'static str) -> Self {
        let waiting = Mutex::new(Waiting { entries: VecDeque::new(), bytes: 0, closed: false });
        Self { waiting, work: Notify::new(), drained: watch::Sender::new(false), limits, behind }
    }

    /// Queues a request of so many bytes now; the future is its answer. Dropping the future does not take the request back.
    pub fn push(&self, request: T, bytes: usize) -> impl Future<Output = WriteAnswer> + Send + use<T> {
        let queued = self.try_push(request, bytes);
        async move {
            match queued?.await {
                Ok(answer) => answer,
                Err(_) => Err(StoreError::OutcomeUnknown("the store was dropped before it answered".into())),
            }
        }
    }

    fn try_push(&self, request: T, bytes: usize) -> Result<oneshot::Receiver<WriteAnswer>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(StoreError::Unavailable("the store is shutting down".into()));
        }
        let too_many = waiting.entries.len() >= self.limits.queue_requests_max;
        let too_large = !waiting.entries.is_empty() && waiting.bytes + bytes > self.limits.queue_bytes_max;
        if too_many || too_large {
            return Err(StoreError::Unavailable(format!("too many writes are waiting for {}", self.behind)));
        }
        waiting.bytes += bytes;
        waiting.entries.push_back(Entry { request, bytes, reply });
        drop(waiting);
        self.work.notify_one();
        Ok(answer)
    }

    /// The oldest requests that fit one transaction, as soon as there is one. `None` once the queue was closed and
    /// everything in it was taken: the writer ends then, and says so by [`WriteQueue::drained`].
    pub async fn batch(&self) -> Option<(Vec<T>, Replies)> {
        loop {
            if let Some(batch) = self.batch_at_hand() {
                return Some(batch);
            }
            if self.lock().closed {
                return None;
            }
            self.work.notified().await;
        }
    }

    /// As [`WriteQueue::batch`], if something waits now.
    pub fn batch_at_hand(&self) -> Option<(Vec<T>, Replies)> {
        let (requests, replies) = self.take();
        (!requests.is_empty()).then_some((requests, replies))
    }

    /// Accepts nothing more, and gives up what waits: its callers see `OutcomeUnknown`.
    pub fn abandon(&self) {
        let waiting = {
            let mut waiting = self.lock();
            (waiting.closed, waiting.bytes) = (true, 0);
            std::mem::take(&mut waiting.entries)
        };
        // Outside the lock: it wakes those who wait.
        drop(waiting);
    }

    /// Everything that was accepted is answered.
    pub fn drained(&self) {
        self.drained.send_replace(true);
    }

    /// Accepts nothing more; resolves when what was accepted is answered.
    pub async fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
        let _ = self.drained.subscribe().wait_for(|drained| *drained).await;
    }

    fn take(&self) -> (Vec<T>, Replies) {
        let mut waiting = self.lock();
        let (mut requests, mut replies, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(next) = waiting.entries.front() {
            let full = requests.len() >= self.limits.batch_requests_max
                || (!requests.is_empty() && bytes + next.bytes > self.limits.batch_bytes_max);
            if full {
                break;
            }
            let next = waiting.entries.pop_front().expect("the front was just looked at");
            waiting.bytes -= next.bytes;
            bytes += next.bytes;
            requests.push(next.request);
            replies.push(next.reply);
        }
        (requests, Replies(replies))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Written;
    use futures::FutureExt;

    const LIMITS: QueueLimits =
        QueueLimits { batch_requests_max: 2, batch_bytes_max: 10, queue_requests_max: 3, queue_bytes_max: 20 };

    #[test]
    fn batches_keep_the_order_and_the_bounds() {
        let queue = WriteQueue::new(LIMITS, "the disk");
        assert!(queue.batch().now_or_never().is_none(), "there is nothing yet");
        // Larger than a batch: it goes alone.
        let answers = [queue.push(1, 15), queue.push(2, 4), queue.push(3, 1)];
        let refused = queue.push(4, 0).now_or_never().expect("a refusal comes at once");
        assert_eq!(refused, Err(StoreError::Unavailable("too many writes are waiting for the disk".into())));
        let mut taken = Vec::new();
        for _ in 0..2 {
            let (requests, replies) = queue.batch().now_or_never().flatten().expect("something waits");
            replies.send(vec![Ok(Written::Done); requests.len()]);
            taken.push(requests);
        }
        assert_eq!(taken, [vec![1], vec![2, 3]]);
        for answer in answers {
            assert_eq!(answer.now_or_never(), Some(Ok(Written::Done)));
        }
    }

    #[test]
    fn what_is_abandoned_is_unknown_and_not_written() {
        let queue = WriteQueue::new(LIMITS, "the disk");
        let answer = queue.push((), 1);
        queue.abandon();
        assert!(matches!(answer.now_or_never(), Some(Err(StoreError::OutcomeUnknown(_)))));
        assert!(queue.batch_at_hand().is_none());
        assert!(matches!(queue.push((), 1).now_or_never(), Some(Err(StoreError::Unavailable(_)))));
    }

    #[test]
    fn a_dropped_batch_is_unknown_and_a_closed_queue_ends() {
        let queue = WriteQueue::new(LIMITS, "the disk");
        let answer = queue.push((), 1);
        drop(queue.batch().now_or_never().flatten().expect("something waits"));
        assert!(matches!(answer.now_or_never(), Some(Err(StoreError::OutcomeUnknown(_)))));
        assert!(queue.close().now_or_never().is_none(), "the writer has not ended yet");
        assert!(queue.batch().now_or_never().expect("it ends").is_none());
        queue.drained();
        assert!(queue.close().now_or_never().is_some());
        assert!(matches!(queue.push((), 1).now_or_never(), Some(Err(StoreError::Unavailable(_)))));
    }
}
