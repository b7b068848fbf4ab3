//! The parent and its children.
use super::chores::{Chore, Summary};
use crate::outcomes::heard;
use std::time::Duration;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::workflows::join_all;
use temporalio_sdk::{ActivityOptions, ApplicationFailure, ChildWorkflowOptions, WorkflowContext, WorkflowResult};

#[workflow]
#[derive(Default)]
pub struct ParentOfMany;

#[workflow_methods]
impl ParentOfMany {
    /// Has its children wave by wave, each once the one before has ended.
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, (chores, wave): (Vec<Chore>, u64)) -> WorkflowResult<Summary> {
        let numbered: Vec<(u64, Chore)> = (0..).zip(chores).collect();
        let mut summary = Summary::default();
        for wave in numbered.chunks(usize::try_from(wave).unwrap_or(usize::MAX).max(1)) {
            let children = wave.iter().map(|(number, chore)| bring_up(ctx.clone(), *number, *chore));
            for (number, heard) in join_all(children).await {
                summary.add(number, heard);
            }
        }
        Ok(summary)
    }
}

/// A child's number, with what it yielded or how it ended else.
async fn bring_up(ctx: WorkflowContext<ParentOfMany>, number: u64, chore: Chore) -> (u64, Result<u64, String>) {
    let options = ChildWorkflowOptions::builder().workflow_id(child_id(ctx.workflow_id(), number)).build();
    let heard = match ctx.start_child_workflow(OneOfMany::run, chore, options).await {
        Ok(child) => child.result().await.map_err(|error| heard(&error).to_owned()),
        Err(error) => Err(format!("was not started: {error}")),
    };
    (number, heard)
}

/// Workflow id of a child.
pub fn child_id(parent: &str, number: u64) -> String {
    format!("{parent}/child-{number}")
}

#[workflow]
#[derive(Default)]
pub struct OneOfMany;

#[workflow_methods]
impl OneOfMany {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, chore: Chore) -> WorkflowResult<u64> {
        let yields = if chore.by_activity {
            let options = ActivityOptions::start_to_close_timeout(Duration::from_secs(10));
            ctx.execute_activity(Household::work, chore, options).await?
        } else {
            ctx.timer(Duration::from_millis(chore.takes_ms)).await;
            chore.yields
        };
        if chore.fails {
            return Err(ApplicationFailure::new("this child fails").into());
        }
        Ok(yields)
    }
}

pub struct Household;

#[activities]
impl Household {
    #[activity]
    pub async fn work(_ctx: ActivityContext, chore: Chore) -> Result<u64, ActivityError> {
        tokio::time::sleep(Duration::from_millis(chore.takes_ms)).await;
        Ok(chore.yields)
    }
}
