//! What people are told of a partition.
use super::{Description, Queue, State, Unloaded};
use crate::partition::TaskId;
use std::pin::pin;
use std::time::Duration;
use tempest_api::{ServiceError, ServiceResult};
use tempest_rt::time::timeout;

/// How long the partition may take to be leased and read.
const PATIENCE: Duration = Duration::from_secs(5);

impl Queue {
    /// Waits until the backlog is known: a partition that was loaded just now would say that nothing waits.
    pub(crate) async fn describe(&self) -> Result<ServiceResult<Description>, Unloaded> {
        let described = timeout(PATIENCE, async {
            loop {
                let mut known = pin!(self.known.notified());
                // From here on it is woken, so nothing is missed between the look and the wait.
                known.as_mut().enable();
                if let Some(described) = self.description_now() {
                    return described;
                }
                known.await;
            }
        });
        match described.await {
            Ok(described) => described.map(Ok),
            Err(_) => Ok(Err(ServiceError::Unavailable(
                "task queue is not available: its backlog is not known yet".to_owned(),
            ))),
        }
    }

    fn description_now(&self) -> Option<Result<Description, Unloaded>> {
        let mut state = self.lock();
        if state.unloaded {
            return Some(Err(Unloaded));
        }
        (self.sticky || state.backlog.is_known()).then(|| Ok(self.description(&mut state)))
    }

    fn description(&self, state: &mut State) -> Description {
        let now = self.shared.now();
        let oldest = state.backlog.oldest().and_then(|row| state.tasks.get(&TaskId::Row(row)));
        Description {
            pollers: state.matcher.pollers(now, self.shared.config.poller_history),
            backlog_count: state.backlog_count(self.sticky),
            oldest: oldest.map(|held| held.stored.added_at),
            add_rate: state.added.per_second(now),
            dispatch_rate: state.dispatched.per_second(now),
            rate_per_second: state.matcher.rate_per_second(),
        }
    }
}
