//! What waits for a lane: bounded in requests and bytes, taken in the order it came.
use crate::config::PostgresConfig;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempest_store::{StoreError, WriteAnswer, WriteRequest};
use tokio::sync::{Notify, oneshot};

pub struct Queue {
    waiting: Mutex<Waiting>,
    /// Rung when something was queued, or the queue was closed.
    work: Notify,
    config: PostgresConfig,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    bytes: usize,
    closed: bool,
}

struct Entry {
    request: WriteRequest,
    bytes: usize,
    reply: oneshot::Sender<WriteAnswer>,
}

impl Queue {
    pub fn new(config: PostgresConfig) -> Self {
        Self { waiting: Mutex::default(), work: Notify::new(), config }
    }

    /// Queues a request now; the future is its answer. Dropping the future does not take the request back.
    pub fn push(&self, request: WriteRequest) -> impl Future<Output = WriteAnswer> + Send + use<> {
        let queued = self.try_push(request);
        async move {
            match queued?.await {
                Ok(answer) => answer,
                Err(_) => Err(StoreError::OutcomeUnknown("the store was dropped before it answered".into())),
            }
        }
    }

    fn try_push(&self, request: WriteRequest) -> Result<oneshot::Receiver<WriteAnswer>, StoreError> {
        let bytes = request.bytes();
        let (reply, answer) = oneshot::channel();
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(StoreError::Unavailable("the store is shutting down".into()));
        }
        let too_many = waiting.entries.len() >= self.config.queue_requests_max;
        let too_large = !waiting.entries.is_empty() && waiting.bytes + bytes > self.config.queue_bytes_max;
        if too_many || too_large {
            return Err(StoreError::Unavailable("too many writes are waiting for the database".into()));
        }
        waiting.bytes += bytes;
        waiting.entries.push_back(Entry { request, bytes, reply });
        drop(waiting);
        self.work.notify_one();
        Ok(answer)
    }

    /// The oldest requests that fit one transaction, as soon as there is one; none once the queue is closed and empty.
    pub async fn batch(&self) -> (Vec<WriteRequest>, Vec<oneshot::Sender<WriteAnswer>>) {
        loop {
            let (requests, replies) = self.take();
            if !requests.is_empty() || self.lock().closed {
                return (requests, replies);
            }
            self.work.notified().await;
        }
    }

    /// Accepts nothing more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }

    fn take(&self) -> (Vec<WriteRequest>, Vec<oneshot::Sender<WriteAnswer>>) {
        let mut waiting = self.lock();
        let (mut requests, mut replies, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(next) = waiting.entries.front() {
            let full = requests.len() >= self.config.batch_requests_max
                || (!requests.is_empty() && bytes + next.bytes > self.config.batch_bytes_max);
            if full {
                break;
            }
            let next = waiting.entries.pop_front().expect("the front was just looked at");
            waiting.bytes -= next.bytes;
            bytes += next.bytes;
            requests.push(next.request);
            replies.push(next.reply);
        }
        (requests, replies)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
