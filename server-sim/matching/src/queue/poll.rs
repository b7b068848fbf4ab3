//! A poll's side of a partition.
use super::{Answer, Queue, StartedTask, Unloaded, Waiting};
use crate::partition::PollId;
use std::sync::Arc;
use std::time::Duration;
use tempest_api::{ResourceExhaustedCause, ServiceError, ServiceResult, WorkerInstance};
use tempest_rt::time::{sleep, timeout as within};
use tokio::sync::oneshot;

impl Queue {
    /// Waits for a task; `None` when the time is over. The rate holds until another poll says otherwise. Dropping the future
    /// withdraws the poll, and a task that was on its way to it is offered to the next.
    pub(crate) async fn poll(
        self: &Arc<Self>,
        worker: &WorkerInstance,
        rate_per_second: f64,
        timeout: Duration,
    ) -> Result<ServiceResult<Option<StartedTask>>, Unloaded> {
        let mut waiting = match self.enter(worker, rate_per_second)? {
            Ok(Some(waiting)) => waiting,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let answer = tokio::select! {
            biased;
            answer = &mut waiting.answer => answer.ok(),
            () = sleep(timeout) => waiting.time_is_over().await,
        };
        waiting.ended = true;
        Ok(match answer {
            Some(Answer::Started { response, .. }) => Ok(Some(response)),
            Some(Answer::Failed(error)) => Err(error),
            Some(Answer::Nothing) | None => Ok(None),
        })
    }

    /// Nothing if the worker said that it goes down. Asked under the lock: its polls are ended under this lock after it
    /// said so, so a poll is either ended or not let in.
    fn enter(
        self: &Arc<Self>,
        worker: &WorkerInstance,
        rate_per_second: f64,
    ) -> Result<ServiceResult<Option<WaitingPoll>>, Unloaded> {
        let mut state = self.lock();
        if state.unloaded {
            return Err(Unloaded);
        }
        if self.shared.is_gone(&worker.key) {
            tempest_rt::probe!("matching-poll-of-gone-worker-refused");
            return Ok(Ok(None));
        }
        if state.polls.len() >= self.shared.config.waiting_polls_max {
            return Ok(Err(ServiceError::ResourceExhausted {
                cause: ResourceExhaustedCause::ConcurrentLimit,
                message: "too many outstanding polls of the task queue".to_owned(),
            }));
        }
        let now = self.shared.now();
        state.last_used = now;
        state.next += 1;
        let id = PollId(state.next);
        let (sender, answer) = oneshot::channel();
        state.polls.insert(id, Waiting { answer: sender, worker: worker.key.clone() });
        state.matcher.limit_rate(now, rate_per_second);
        let actions = state.matcher.poll(now, id, &worker.identity);
        self.perform(&mut state, actions);
        self.wake_keeper(&state);
        Ok(Ok(Some(WaitingPoll { queue: Arc::clone(self), id, answer, ended: false })))
    }

    fn withdraw(self: &Arc<Self>, poll: &mut WaitingPoll) {
        let mut state = self.lock();
        state.polls.remove(&poll.id);
        if state.unloaded {
            return;
        }
        let now = self.shared.now();
        state.last_used = now;
        if !tempest_rt::planted!(crate::plants::TASK_DROPPED_WHEN_POLL_GOES_AWAY) {
            state.matcher.poll_gone(now, poll.id);
        }
        // The answer may have come after the poll was last asked for it.
        if let Ok(Answer::Started { held, .. }) = poll.answer.try_recv() {
            self.offer_again(&mut state, *held);
        }
    }
}

/// A registered poll. Dropped before its end, it withdraws itself.
struct WaitingPoll {
    queue: Arc<Queue>,
    id: PollId,
    answer: oneshot::Receiver<Answer>,
    ended: bool,
}

impl WaitingPoll {
    /// A task that is on its way already is worth a little more patience.
    async fn time_is_over(&mut self) -> Option<Answer> {
        let on_its_way = {
            let mut state = self.queue.lock();
            let now = self.queue.shared.now();
            state.last_used = now;
            let on_its_way = state.matcher.poll_ends(now, self.id);
            if !on_its_way {
                state.polls.remove(&self.id);
            }
            on_its_way
        };
        if !on_its_way {
            return self.answer.try_recv().ok();
        }
        let grace = self.queue.shared.config.poll_grace;
        match within(grace, &mut self.answer).await {
            Ok(answer) => answer.ok(),
            Err(_) => {
                let queue = Arc::clone(&self.queue);
                queue.withdraw(self);
                None
            }
        }
    }
}

impl Drop for WaitingPoll {
    fn drop(&mut self) {
        if !self.ended {
            tempest_rt::probe!("matching-poll-went-away");
            let queue = Arc::clone(&self.queue);
            queue.withdraw(self);
        }
    }
}
