//! The application, and the activity that a person completes.
use super::desk::{Desk, Paper};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use temporalio_common::RetryPolicy;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{
    ActivityCancellationType, ActivityExecutionError, ActivityOptions, SyncWorkflowContext, WorkflowContext,
    WorkflowResult, WorkflowTermination,
};

/// What an applicant hands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    pub id: String,
    /// As many pages make it complete.
    pub pages: u64,
}

#[workflow]
#[derive(Default)]
pub struct Application {
    /// Numbers of the pages that have come in. A page may come twice.
    pages: BTreeSet<u64>,
}

#[workflow_methods]
impl Application {
    /// Returns what the clerk wrote on it.
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, form: Form) -> WorkflowResult<String> {
        let pages = form.pages;
        ctx.wait_condition(|state| state.pages.len() as u64 >= pages).await?;
        match ctx.execute_activity(Clerks::decide, form, until_decided()).await {
            Ok(decision) => Ok(decision),
            Err(ActivityExecutionError::Cancelled(_)) => Err(WorkflowTermination::cancelled()),
            Err(refused) => Err(refused.into()),
        }
    }

    #[signal]
    pub fn page(&mut self, _ctx: &mut SyncWorkflowContext<Self>, number: u64) {
        self.pages.insert(number);
    }
}

/// A clerk who is not heard of for a while has gone home, and another one begins.
fn until_decided() -> ActivityOptions {
    let again = RetryPolicy::builder()
        .initial_interval(Duration::from_millis(200))
        .maximum_interval(Duration::from_secs(2))
        .build();
    ActivityOptions::with_start_to_close_timeout(Duration::from_secs(60))
        .heartbeat_timeout(Duration::from_secs(15))
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .retry_policy(again)
        .build()
}

pub struct Clerks {
    pub desk: Arc<Desk>,
}

#[activities]
impl Clerks {
    /// Lays the application on the desk, for the next clerk.
    #[activity]
    pub async fn decide(self: Arc<Self>, ctx: ActivityContext, form: Form) -> Result<String, ActivityError> {
        let info = ctx.info();
        let paper = Paper {
            run_id: info.workflow_run_id.clone().unwrap_or_default(),
            activity_id: info.activity_id.clone(),
            attempt: info.attempt,
        };
        self.desk.lay(&form.id, paper);
        Err(ActivityError::WillCompleteAsync)
    }
}
