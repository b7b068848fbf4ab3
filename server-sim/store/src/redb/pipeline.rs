//! Pipelined group commit: writes queue in the order they are asked for; one task takes all that wait, applies them in
//! one transaction, makes them durable with one fsync, and answers each. While it does, the next batch gathers.
use crate::redb::config::RedbConfig;
use crate::redb::engine::{Engine, Placed};
use crate::{StoreError, Timeline, WriteAnswer, WriteRequest};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempest_rt::task;
use tokio::sync::{Notify, oneshot, watch};

pub struct Pipeline {
    queue: Mutex<Queue>,
    /// Rung when something was queued, or the queue was closed.
    work: Notify,
    drained: watch::Sender<bool>,
    config: RedbConfig,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    closed: bool,
}

struct Waiting {
    request: Placed,
    bytes: usize,
    reply: oneshot::Sender<WriteAnswer>,
}

impl Pipeline {
    pub fn new(config: RedbConfig) -> Self {
        Self { queue: Mutex::default(), work: Notify::new(), drained: watch::Sender::new(false), config }
    }

    /// Queues a request now; the future is its answer. Dropping the future does not take the request back.
    pub fn enqueue(
        &self,
        timeline: Timeline,
        request: WriteRequest,
    ) -> impl Future<Output = WriteAnswer> + Send + use<> {
        let queued = self.push((timeline, request));
        async move {
            match queued?.await {
                Ok(answer) => answer,
                Err(_) => Err(StoreError::OutcomeUnknown("the store was dropped before it answered".into())),
            }
        }
    }

    fn push(&self, request: Placed) -> Result<oneshot::Receiver<WriteAnswer>, StoreError> {
        let bytes = request.1.bytes();
        let (reply, answer) = oneshot::channel();
        let mut queue = self.lock();
        if queue.closed {
            return Err(StoreError::Unavailable("the store is shutting down".into()));
        }
        let too_many = queue.waiting.len() >= self.config.queue_requests_max;
        let too_large = !queue.waiting.is_empty() && queue.bytes + bytes > self.config.queue_bytes_max;
        if too_many || too_large {
            return Err(StoreError::Unavailable("too many writes are waiting for the disk".into()));
        }
        queue.bytes += bytes;
        queue.waiting.push_back(Waiting { request, bytes, reply });
        drop(queue);
        self.work.notify_one();
        Ok(answer)
    }

    /// The writer's loop; ends when the pipeline was closed and everything in it was answered.
    pub async fn run(self: Arc<Self>, engine: Arc<Engine>) {
        loop {
            let (requests, replies) = self.take_batch();
            if requests.is_empty() {
                if self.lock().closed {
                    break;
                }
                self.work.notified().await;
                continue;
            }
            let engine = engine.clone();
            let answers = task::blocking(move || engine.write(&requests)).await;
            for (reply, answer) in replies.into_iter().zip(answers) {
                // Nobody may wait for it any more.
                let _ = reply.send(answer);
            }
        }
        self.drained.send_replace(true);
    }

    /// Accepts nothing more; resolves when what was accepted is answered.
    pub async fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
        let _ = self.drained.subscribe().wait_for(|drained| *drained).await;
    }

    /// The oldest requests that fit one transaction, at least one if any waits.
    fn take_batch(&self) -> (Vec<Placed>, Vec<oneshot::Sender<WriteAnswer>>) {
        let mut queue = self.lock();
        let (mut requests, mut replies, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(next) = queue.waiting.front() {
            let full = requests.len() >= self.config.batch_requests_max
                || (!requests.is_empty() && bytes + next.bytes > self.config.batch_bytes_max);
            if full {
                break;
            }
            let next = queue.waiting.pop_front().expect("the front was just looked at");
            queue.bytes -= next.bytes;
            bytes += next.bytes;
            requests.push(next.request);
            replies.push(next.reply);
        }
        (requests, replies)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
