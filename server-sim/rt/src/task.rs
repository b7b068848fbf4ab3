//! Tasks that cannot be forgotten: each belongs to a [`TaskGroup`] that ends it.
use std::future::Future;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

#[cfg(not(madsim))]
pub use tokio::task::JoinHandle;

#[cfg(madsim)]
pub use madsim::task::JoinHandle;

/// Runs a future on its own. Prefer [`TaskGroup::spawn`].
#[allow(clippy::disallowed_methods)] // this is the door
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[cfg(not(madsim))]
    return tokio::spawn(future);
    #[cfg(madsim)]
    return madsim::task::spawn(future);
}

/// Runs blocking work beside the async threads: a real thread for real and in lockstep, inline under madsim.
///
/// # Panics
/// If the work panicked, or the runtime is shutting down: neither leaves anything to return.
#[allow(clippy::disallowed_methods)] // this is the door
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    #[cfg(not(madsim))]
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => std::future::pending().await, // the runtime is going down: no task waits for this any more
    }
    #[cfg(madsim)]
    work()
}

/// Gives other tasks a turn.
pub async fn yield_now() {
    #[cfg(not(madsim))]
    tokio::task::yield_now().await;
    #[cfg(madsim)]
    madsim::task::yield_now().await;
}

/// A set of tasks that ends together. Cloning shares the group.
#[derive(Clone)]
pub struct TaskGroup(Arc<Group>);

struct Group {
    stop: watch::Sender<bool>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Default for TaskGroup {
    fn default() -> Self {
        Self(Arc::new(Group { stop: watch::Sender::new(false), handles: Mutex::new(Vec::new()) }))
    }
}

impl TaskGroup {
    /// Runs `future` until it ends or the group is stopped, whichever comes first.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let mut stop = self.0.stop.subscribe();
        let handle = spawn(async move {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => {}
                () = future => {}
            }
        });
        let mut handles = self.0.handles.lock().expect("no holder of this lock panics");
        handles.retain(|handle| !handle.is_finished());
        handles.push(handle);
    }

    /// Resolves once the group was asked to stop.
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.0.stop.subscribe();
        async move {
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    /// Asks all tasks to stop at their next await point; does not wait.
    pub fn stop(&self) {
        self.0.stop.send_replace(true);
    }

    /// Asks all tasks to stop and waits until they have.
    pub async fn stop_and_wait(&self) {
        self.stop();
        loop {
            let handle = self.0.handles.lock().expect("no holder of this lock panics").pop();
            let Some(handle) = handle else { return };
            let _ = handle.await;
        }
    }
}
