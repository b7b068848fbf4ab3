//! A real, unmodified SDK worker on a host of a world.
use super::bridge::Caller;
use super::client::{patiently, sdk};
use super::registrations::Registrations;
use std::time::Duration;
use tempest_rt::net::Channel;
use temporalio_common::worker::WorkerDeploymentOptions;
use temporalio_sdk::runtime::{PollerBehavior, RuntimeOptions};
use temporalio_sdk::{Runtime, Worker};
use tokio::sync::watch;

/// The same for all workers of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkerSettings {
    pub cached_workflows: usize,
    /// Concurrent polls per kind of task.
    pub pollers: usize,
    /// How long a server keeps a poll.
    pub poll: Duration,
}

/// Runs a worker until it is asked to stop or fails.
pub(crate) async fn run_worker(
    caller: Caller,
    channel: Channel,
    registrations: Registrations,
    settings: WorkerSettings,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let options = RuntimeOptions::builder().heartbeat_interval(None).build().map_err(anyhow::Error::msg)?;
    let runtime = Runtime::from_current_tokio(options)?;
    let client = patiently(|| sdk(&caller, &channel)).await;
    let options = registrations
        .worker_options()?
        .deployment_options(WorkerDeploymentOptions::from_build_id("storm".to_owned()))
        .client_identity_override(caller.name.clone())
        .max_cached_workflows(settings.cached_workflows)
        .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(settings.pollers))
        .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(settings.pollers))
        .build();
    let mut worker = Worker::new(&runtime, client, options)?;
    let shut_down = worker.shutdown_handle();
    tempest_rt::task::spawn(async move {
        if stop.wait_for(|stop| *stop).await.is_ok() {
            shut_down();
        }
    });
    worker.run().await?;
    Ok(())
}
