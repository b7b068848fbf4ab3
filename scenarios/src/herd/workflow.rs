//! The workflows of the herd: one step, a long wait, and another step.
use serde::{Deserialize, Serialize};
use std::time::Duration;
use temporalio_common::RetryPolicy;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{ActivityOptions, WorkflowContext, WorkflowResult};

/// From one heartbeat of a long wait to the next.
const STRIDE_MS: u64 = 500;

/// What one workflow does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub number: u64,
    pub wait_ms: u64,
    /// Whether an activity passes the time, heartbeat by heartbeat; else it is a timer.
    pub long_activity: bool,
}

#[workflow]
#[derive(Default)]
pub struct HerdWorkflow;

#[workflow_methods]
impl HerdWorkflow {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, route: Route) -> WorkflowResult<u64> {
        let number = ctx.execute_activity(HerdActivities::step, route.number, step_options()).await?;
        if route.long_activity {
            ctx.execute_activity(HerdActivities::long_wait, route.wait_ms, long_wait_options()).await?;
        } else {
            ctx.timer(Duration::from_millis(route.wait_ms)).await;
        }
        Ok(ctx.execute_activity(HerdActivities::step, number, step_options()).await?)
    }
}

fn retries() -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(Duration::from_millis(200))
        .backoff_coefficient(2.0)
        .maximum_interval(Duration::from_secs(5))
        .build()
}

fn step_options() -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(Duration::from_secs(10)).retry_policy(retries()).build()
}

/// Longer than any long wait, which is known to have stopped when its heartbeats do.
fn long_wait_options() -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(Duration::from_secs(300))
        .heartbeat_timeout(Duration::from_secs(3))
        .retry_policy(retries())
        .build()
}

pub struct HerdActivities;

#[activities]
impl HerdActivities {
    #[activity]
    pub async fn step(_ctx: ActivityContext, number: u64) -> Result<u64, ActivityError> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(number + 1)
    }

    /// Goes on from where the last try was seen.
    #[activity]
    pub async fn long_wait(ctx: ActivityContext, for_ms: u64) -> Result<(), ActivityError> {
        let mut done_ms: u64 = ctx.heartbeat_details().deserialize()?.unwrap_or(0);
        while done_ms < for_ms {
            if ctx.is_cancelled() {
                return Err(ActivityError::cancelled());
            }
            let stride_ms = STRIDE_MS.min(for_ms - done_ms);
            tokio::time::sleep(Duration::from_millis(stride_ms)).await;
            done_ms += stride_ms;
            ctx.record_heartbeat(done_ms).await?;
        }
        Ok(())
    }
}
