//! Tasks that cannot be forgotten: each belongs to a [`TaskGroup`] that ends it.
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    return madsim::task::spawn(crate::Contained::new(future));
}

/// Runs blocking work beside the async threads: on a real thread for real and in lockstep; in a world without such threads at
/// once, and the caller waits for as long as it would have taken.
///
/// # Panics
/// If the work panicked, or the runtime is shutting down: neither leaves anything to return.
#[allow(clippy::disallowed_methods)] // this is the door
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if let Some(took) = crate::inline_blocking() {
        let value = work();
        crate::time::sleep(took()).await;
        return value;
    }
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

/// A set of tasks that ends together, at the latest when it is dropped. Cloning shares the group.
#[derive(Clone)]
pub struct TaskGroup(Arc<Group>);

struct Group {
    stop: watch::Sender<bool>,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    handles: Vec<JoinHandle<()>>,
    /// How many handles there may be before those of ended tasks are looked for: the search costs as much as there are,
    /// and a task queue spawns one for each of its tasks.
    sweep_at: usize,
}

/// Handles of ended tasks that a group may hold at the least.
const SWEEP_MIN: usize = 64;

impl Default for TaskGroup {
    fn default() -> Self {
        Self(Arc::new(Group { stop: watch::Sender::new(false), members: Mutex::default() }))
    }
}

/// A group that is dropped stops.
impl Drop for Group {
    fn drop(&mut self) {
        self.members.get_mut().unwrap_or_else(PoisonError::into_inner).handles.iter().for_each(JoinHandle::abort);
    }
}

impl Members {
    fn add(&mut self, handle: JoinHandle<()>) {
        if self.handles.len() >= self.sweep_at {
            self.handles.retain(|handle| !handle.is_finished());
            self.sweep_at = (2 * self.handles.len()).max(SWEEP_MIN);
        }
        self.handles.push(handle);
    }
}

impl TaskGroup {
    /// Runs `future` until it ends or the group is stopped, whichever comes first. In a group that was stopped it does not
    /// begin.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        if self.is_stopped() {
            return;
        }
        // Outside the lock: a runtime that goes down drops the future here, and what is dropped with it may use the group.
        let handle = spawn(future);
        let mut members = self.members();
        if self.is_stopped() {
            handle.abort();
        } else {
            members.add(handle);
        }
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
        // Under the lock: a task was added before this, and is aborted here, or finds the group stopped.
        let members = self.members();
        self.0.stop.send_replace(true);
        members.handles.iter().for_each(JoinHandle::abort);
    }

    /// Asks all tasks to stop and waits until they have.
    pub async fn stop_and_wait(&self) {
        self.stop();
        loop {
            let handle = self.members().handles.pop();
            let Some(handle) = handle else { return };
            let _ = handle.await;
        }
    }

    fn is_stopped(&self) -> bool {
        *self.0.stop.borrow()
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.0.members.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    #[tokio::test]
    async fn a_stopped_group_ends_its_tasks_and_begins_none() {
        let (group, dropped, began) = (TaskGroup::default(), Arc::new(()), Arc::new(AtomicUsize::new(0)));
        for _ in 0..3 {
            let (held, began) = (dropped.clone(), began.clone());
            group.spawn(async move {
                began.fetch_add(1, Relaxed);
                std::future::pending::<()>().await;
                drop(held);
            });
        }
        yield_now().await;
        assert!(!group.is_stopped());
        group.stop_and_wait().await;
        assert_eq!((began.load(Relaxed), Arc::strong_count(&dropped)), (3, 1));
        group.stopped().await;
        let later = began.clone();
        group.spawn(async move {
            later.fetch_add(1, Relaxed);
        });
        yield_now().await;
        assert_eq!(began.load(Relaxed), 3);
    }

    #[tokio::test]
    async fn a_dropped_group_ends_its_tasks() {
        let (group, held) = (TaskGroup::default(), Arc::new(()));
        let (of_task, shared) = (held.clone(), group.clone());
        group.spawn(async move {
            std::future::pending::<()>().await;
            drop(of_task);
        });
        yield_now().await;
        drop(shared);
        yield_now().await;
        assert_eq!(Arc::strong_count(&held), 2);
        drop(group);
        yield_now().await;
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[tokio::test]
    async fn handles_of_ended_tasks_are_not_kept() {
        let group = TaskGroup::default();
        group.spawn(std::future::pending());
        for _ in 0..10 * SWEEP_MIN {
            group.spawn(async {});
            yield_now().await;
        }
        assert!(group.members().handles.len() <= SWEEP_MIN);
        group.stop_and_wait().await;
    }
}
