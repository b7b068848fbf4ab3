//! The activities of programs on the official SDK.
use std::sync::Arc;
use std::time::Duration;
use tempest_program::replay::StepInput;
use tempest_program::{End, Execution, Ledger};
use temporalio_macros::activities;
use temporalio_sdk::ApplicationFailure;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

/// Does what the scripts of activities say, and writes down that it did.
pub struct Steps {
    pub ledger: Ledger,
}

#[activities]
impl Steps {
    #[activity(name = "step")]
    pub async fn step(self: Arc<Self>, ctx: ActivityContext, input: StepInput) -> Result<u32, ActivityError> {
        let attempt = ctx.info().attempt;
        let script = input.activity.attempt(attempt);
        let done: Option<u32> = ctx.heartbeat_details().deserialize()?;
        let run_id = ctx.info().workflow_run_id.clone().unwrap_or_default();
        self.ledger.began(Execution { run_id, path: input.path, attempt, details: done });
        for beat in done.unwrap_or(0) + 1..=script.beats {
            if ctx.is_cancelled() {
                return Err(ActivityError::cancelled());
            }
            tokio::time::sleep(Duration::from_millis(script.every_ms)).await;
            ctx.record_heartbeat(beat).await?;
        }
        tokio::time::sleep(Duration::from_millis(script.after_ms)).await;
        match script.end {
            End::Succeeds => Ok(attempt),
            End::Fails => Err(ActivityError::application(ApplicationFailure::new("as the script says"))),
            End::FailsForGood => {
                Err(ActivityError::application(ApplicationFailure::non_retryable("as the script says, for good")))
            }
            End::Silent => {
                // Until the worker itself gives it up, after the server has.
                ctx.cancelled().await;
                Err(ActivityError::cancelled())
            }
        }
    }
}
