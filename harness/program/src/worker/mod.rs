//! A worker at the level of the protocol: it polls, replays, executes activities and answers, without an SDK.
//!
//! It is strict: a history that its own code would not have made is refused, and written down in the [`Ledger`]. It may have
//! bad [`Habits`], too, which no server may suffer from.
mod activities;
mod greetings;
mod habits;
mod workflows;

use crate::Ledger;
use crate::calls::Calls;
pub use habits::{Habit, Habits};
use std::sync::Arc;
use std::time::Duration;
use tempest_rt::task::{TaskGroup, yield_now};
use tokio::sync::watch;
use tonic::Status;

/// Pause after a poll that failed.
const PAUSE: Duration = Duration::from_millis(200);
/// Tries to say how a task ended, and the pause between them: about as long as a worker of an SDK goes on.
const ANSWERS_MAX: u32 = 20;

/// Where a worker stands, and how it behaves.
#[derive(Clone)]
pub struct Worker {
    pub calls: Arc<dyn Calls>,
    pub namespace: String,
    pub task_queue: String,
    pub identity: String,
    /// A name for its sticky queue, unlike that of any other worker, and of this one before it was started again.
    pub sticky_queue: String,
    /// Runs whose history it keeps; 0 makes every task come with its whole history.
    pub cached_runs: usize,
    /// Polls at once, for each kind of task.
    pub pollers: usize,
    pub ledger: Ledger,
    pub habits: Habits,
}

impl Worker {
    /// Works until it is asked to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let group = TaskGroup::default();
        let worker = self.clone();
        group.spawn(async move { greetings::arrives(&worker).await });
        let cache = workflows::Cache::new(self.cached_runs);
        for _ in 0..self.pollers.max(1) {
            let (worker, cache) = (self.clone(), cache.clone());
            group.spawn(async move { workflows::serve(&worker, &cache, None).await });
            let (worker, tasks) = (self.clone(), group.clone());
            group.spawn(async move { activities::serve(worker, tasks).await });
        }
        if self.cached_runs > 0 {
            let (worker, cache) = (self.clone(), cache.clone());
            group.spawn(async move { workflows::serve(&worker, &cache, Some(&worker.sticky_queue)).await });
        }
        let _ = stop.wait_for(|stop| *stop).await;
        group.stop_and_wait().await;
        greetings::leaves(&self).await;
    }

    /// Says how a task ended, again and again until the server has heard it or refuses it.
    async fn answer<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, Status>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let mut tries = 1;
        loop {
            match call().await {
                Err(status) if crate::calls::is_unknown(&status) && tries < ANSWERS_MAX => {
                    tries += 1;
                    tempest_rt::time::sleep(PAUSE).await;
                }
                known => return known,
            }
        }
    }
}

/// After a poll that failed: a server that refuses at once must not be asked in a loop without end.
async fn pause() {
    tempest_rt::time::sleep(PAUSE).await;
    yield_now().await;
}
