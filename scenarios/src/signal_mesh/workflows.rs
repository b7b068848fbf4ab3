//! Walkers signal each other, each along paths of its own, and wait for the signals that are meant for them.
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::workflows::join_all;
use temporalio_sdk::{
    CancelExternalWorkflowError, ContinueAsNewOptions, SignalWorkflowOptions, SyncWorkflowContext, WorkflowContext,
    WorkflowResult, WorkflowSignalError, WorkflowTermination,
};

/// Until a workflow that is not there yet is looked for again. It doubles up to the most: one that starts late would
/// find the histories of all who wait full of failed signals.
const LOOK_AGAIN: Duration = Duration::from_millis(300);
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(5);

/// Longer than a sender waits before it believes that its target is missing, so that it finds the last run of a chain.
const LINGERS: Duration = Duration::from_secs(120);

/// What a walker does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Walked side by side.
    pub paths: Vec<Path>,
    /// Signals that are meant for this walker.
    pub awaited: u64,
    /// Workflow ids that no workflow has: each is signalled and asked to cancel, in vain.
    pub missing_targets: Vec<String>,
    /// Workflow id of one to cancel when all is done; empty for none.
    pub bystander: String,
    /// Once its paths are walked, it goes on in another run after each signal.
    pub continues_as_new: bool,
    /// What its earlier runs have seen.
    pub seen: Walked,
}

/// Signals to another walker, numbered from 1. Each is sent when the one before it has arrived, so that they stay in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// Workflow id of the other walker.
    pub to: String,
    pub signals: u64,
    /// Before each of them.
    pub pause_ms: u64,
}

/// What a signal says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Greeting {
    /// Workflow id of the walker who sent it.
    pub from: String,
    pub number: u64,
}

/// What a walker has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walked {
    /// In the order in which they came in.
    pub got: Vec<Greeting>,
    /// How many calls to missing targets were told that there is no such workflow: two of each missing target.
    pub not_found: u64,
}

impl Walked {
    /// How many different signals these are, with those that came in since.
    fn signals(&self, since: &[Greeting]) -> u64 {
        self.got.iter().chain(since).collect::<BTreeSet<_>>().len() as u64
    }
}

#[workflow]
#[derive(Default)]
pub struct Walker {
    /// By this run.
    got: Vec<Greeting>,
}

#[workflow_methods]
impl Walker {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, way: Way) -> WorkflowResult<Walked> {
        let paths = way.paths.iter().map(|path| follow(ctx.clone(), path.clone()));
        for followed in join_all(paths).await {
            followed?;
        }
        let mut seen = way.seen.clone();
        seen.not_found += call_in_vain(ctx, &way.missing_targets).await;
        let is_enough = |got: &[Greeting]| seen.signals(got) >= way.awaited;
        ctx.wait_condition(|state| is_enough(&state.got) || (way.continues_as_new && !state.got.is_empty())).await?;
        let goes_on = !ctx.state(|state| is_enough(&state.got));
        seen.got.extend(ctx.state(|state| state.got.clone()));
        if goes_on {
            let way = Way { paths: Vec::new(), missing_targets: Vec::new(), seen, ..way };
            ctx.continue_as_new(way, ContinueAsNewOptions::default())?;
            unreachable!("the run is over");
        }
        if !way.bystander.is_empty() {
            loop {
                let bystander = ctx.external_workflow(way.bystander.clone(), None);
                match bystander.cancel(Some("the show is over".to_owned())).await {
                    Ok(_) => break,
                    Err(_) => ctx.timer(LOOK_AGAIN).await,
                };
            }
        }
        if way.continues_as_new {
            // A sender may not have heard that its signal arrived in an earlier run.
            ctx.timer(LINGERS).await;
        }
        Ok(seen)
    }

    #[signal]
    pub fn meet(&mut self, _ctx: &mut SyncWorkflowContext<Self>, greeting: Greeting) {
        self.got.push(greeting);
    }
}

async fn follow(ctx: WorkflowContext<Walker>, path: Path) -> WorkflowResult<()> {
    for number in 1..=path.signals {
        if path.pause_ms > 0 {
            ctx.timer(Duration::from_millis(path.pause_ms)).await;
        }
        let greeting = Greeting { from: ctx.workflow_id().to_owned(), number };
        let mut pause = LOOK_AGAIN;
        loop {
            let other = ctx.external_workflow(path.to.clone(), None);
            match other.signal(Walker::meet, greeting.clone(), SignalWorkflowOptions::default()).await {
                Ok(()) => break,
                // It may not have set out. It cannot have ended: it waits for all that is meant for it, and if that may have
                // been an earlier run of it, longer.
                Err(WorkflowSignalError::NotFound(_)) => ctx.timer(pause).await,
                Err(error) => return Err(error.into()),
            };
            pause = (pause * 2).min(LOOK_AGAIN_MAX);
        }
    }
    Ok(())
}

/// Signals those who do not exist and asks them to cancel; how many of these calls failed as they must.
async fn call_in_vain(ctx: &WorkflowContext<Walker>, missing_targets: &[String]) -> u64 {
    let mut not_found = 0;
    for missing_target in missing_targets {
        let missing = ctx.external_workflow(missing_target.clone(), None);
        let greeting = Greeting { from: ctx.workflow_id().to_owned(), number: 1 };
        let signalled = missing.signal(Walker::meet, greeting, SignalWorkflowOptions::default()).await;
        not_found += u64::from(matches!(signalled, Err(WorkflowSignalError::NotFound(_))));
        let cancelled = missing.cancel(Some("nobody is there".to_owned())).await;
        not_found += u64::from(matches!(cancelled, Err(CancelExternalWorkflowError::NotFound(_))));
    }
    not_found
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
