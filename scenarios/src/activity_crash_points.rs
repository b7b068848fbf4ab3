//! `activity-crash-points`: one workflow with one activity, and one crash at a chosen scheduling point. Over many seeds,
//! or with `--set crash_at_scheduling_point=K` for every K, this sweeps all moments at which a host can die.
use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use std::time::Duration;
use tempest::{Client, Decisions, Draw, Registrations, Scenario, Workload};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{ActivityOptions, WorkflowContext, WorkflowResult};

pub struct ActivityCrashPoints;

/// Scheduling points until the run is closed and the client has its result, in an undisturbed run (measured; the verifier
/// and the last power cut come after).
const SCHEDULING_POINTS: u64 = 99;

impl Scenario for ActivityCrashPoints {
    fn name(&self) -> &str {
        "activity-crash-points"
    }

    fn about(&self) -> &str {
        "one workflow with one activity; a host dies at one scheduling point, any of them (crash_at_scheduling_point)"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        for (name, value) in [
            ("nodes", 1),
            ("workers", 1),
            ("worker_cache", 1000),
            ("pollers", 2),
            ("shards", 1),
            ("faults", 0),
            ("warm_up_ms", 0),
            ("storm_ms", 1_000),
        ] {
            draw.fixed(name, value);
        }
        draw.number("crash_at_scheduling_point", 1..=SCHEDULING_POINTS);
        draw.number("crash_host", 0..=1);
    }

    fn prepare(&self, _draw: &mut Draw<'_>, _decisions: &Decisions) -> Arc<dyn Workload> {
        Arc::new(OneActivity)
    }
}

struct OneActivity;

impl Workload for OneActivity {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<WorkOnce>().activities(Work)
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        async move {
            let handle = client.start(WorkOnce::run, 7, "work-once").await?;
            let result = client.result(&handle).await?;
            anyhow::ensure!(result == 14, "the result is {result}");
            Ok(())
        }
        .boxed()
    }
}

#[workflow]
#[derive(Default)]
pub struct WorkOnce;

#[workflow_methods]
impl WorkOnce {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, number: u64) -> WorkflowResult<u64> {
        let options = ActivityOptions::start_to_close_timeout(Duration::from_secs(5));
        Ok(ctx.execute_activity(Work::double, number, options).await?)
    }
}

pub struct Work;

#[activities]
impl Work {
    #[activity]
    pub async fn double(_ctx: ActivityContext, number: u64) -> Result<u64, ActivityError> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(number * 2)
    }
}
