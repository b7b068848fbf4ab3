//! Walkers on a ring: each signals the next one, and waits for the signals of the one before it.
use serde::{Deserialize, Serialize};
use std::time::Duration;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    SignalWorkflowOptions, SyncWorkflowContext, WorkflowContext, WorkflowResult, WorkflowTermination,
};

/// Until somebody who is not there yet is looked for again.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Way {
    /// Workflow id of the next walker.
    pub next: String,
    pub signals: u64,
    /// Workflow id of somebody to cancel when all is done; empty for nobody.
    pub bystander: String,
}

#[workflow]
#[derive(Default)]
pub struct Walker {
    got: Vec<u64>,
}

#[workflow_methods]
impl Walker {
    /// The numbers of the signals that came in.
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, way: Way) -> WorkflowResult<Vec<u64>> {
        for number in 1..=way.signals {
            // The next walker may not have set out. Nothing else keeps a signal from it: it waits for all of them.
            loop {
                let next = ctx.external_workflow(way.next.clone(), None);
                match next.signal(Self::meet, number, SignalWorkflowOptions::default()).await {
                    Ok(()) => break,
                    Err(_) => ctx.timer(LOOK_AGAIN).await,
                };
            }
        }
        let all = way.signals as usize;
        ctx.wait_condition(|state| state.got.len() >= all).await?;
        if !way.bystander.is_empty() {
            loop {
                let bystander = ctx.external_workflow(way.bystander.clone(), None);
                match bystander.cancel(Some("the show is over".to_owned())).await {
                    Ok(_) => break,
                    Err(_) => ctx.timer(LOOK_AGAIN).await,
                };
            }
        }
        Ok(ctx.state(|state| state.got.clone()))
    }

    #[signal]
    pub fn meet(&mut self, _ctx: &mut SyncWorkflowContext<Self>, number: u64) {
        self.got.push(number);
    }
}

/// Waits to be cancelled.
#[workflow]
#[derive(Default)]
pub struct Bystander;

#[workflow_methods]
impl Bystander {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        ctx.cancelled().await;
        Err(WorkflowTermination::cancelled())
    }
}
