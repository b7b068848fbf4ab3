//! A worker without an SDK on a host of a world.
use super::{Caller, NAMESPACE, TASK_QUEUE, Wire, WorkerSettings};
use std::sync::Arc;
use tempest_program::Ledger;
use tempest_program::worker::{Habits, Worker};
use tempest_rt::net::Channel;
use tokio::sync::watch;

/// What a scenario says of such a worker.
#[derive(Clone, Debug)]
pub struct ProtocolWorker {
    /// Where it writes down what it does.
    pub ledger: Ledger,
    pub habits: Habits,
}

/// Works until it is asked to stop.
pub(crate) async fn run_protocol_worker(
    caller: Caller,
    channel: Channel,
    worker: ProtocolWorker,
    settings: WorkerSettings,
    stop: watch::Receiver<bool>,
) {
    let identity = caller.name.clone();
    let worker = Worker {
        sticky_queue: format!("{identity}-{}", tempest_rt::entropy::uuid()),
        calls: Arc::new(Wire { caller, channel, poll: settings.poll }),
        namespace: NAMESPACE.to_owned(),
        task_queue: TASK_QUEUE.to_owned(),
        identity,
        cached_runs: settings.cached_workflows,
        pollers: settings.pollers,
        ledger: worker.ledger,
        habits: worker.habits,
    };
    worker.run(stop).await;
}
