//! Parents and children.
use crate::outcomes::heard;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use temporalio_common::RetryPolicy;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::workflows::WorkflowImplementation;
use temporalio_sdk::{
    ApplicationFailure, ChildWorkflowOptions, ContinueAsNewOptions, ParentClosePolicy, SignalWorkflowOptions,
    StartedChildWorkflow, SyncWorkflowContext, TimerOptions, WorkflowCancellationToken, WorkflowContext,
    WorkflowResult, WorkflowTermination,
};

/// Longer than a parent needs to hear of its child's start when all is well, shorter than when it is not.
const SHORT: Duration = Duration::from_millis(100);
/// Tries of a child that fails at first.
const ATTEMPTS: u32 = 3;

/// How a child lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Life {
    Completes {
        after_ms: u64,
    },
    Fails,
    /// Fails but for its last attempt, a run each.
    Retries,
    /// Comes so many times, one after the other, by one workflow id.
    ComesAgain {
        times: u64,
    },
    /// Goes on in so many more runs.
    ContinuesAsNew {
        runs: u64,
    },
    /// Waits until its run timeout is over, which may be before its parent knows of it.
    TimesOut,
    CancelledByParent,
    /// Waits for its parent's signal.
    Signalled,
    /// Its workflow id is taken.
    Refused,
    /// These three outlive their parent, and are terminated, cancelled, or left alone.
    LeftToTerminate,
    LeftToCancel,
    LeftAlone {
        for_ms: u64,
    },
}

impl Life {
    /// What the parent hears.
    pub fn expected(self) -> &'static str {
        match self {
            Life::Completes { .. } | Life::Retries | Life::ComesAgain { .. } | Life::ContinuesAsNew { .. } => {
                "completed"
            }
            Life::Fails => "failed",
            Life::TimesOut => "timed out",
            Life::CancelledByParent => "cancelled",
            Life::Signalled => "signalled",
            Life::Refused => "refused",
            Life::LeftToTerminate | Life::LeftToCancel | Life::LeftAlone { .. } => "left",
        }
    }

    fn is_left(self) -> bool {
        self.expected() == "left"
    }
}

#[workflow]
#[derive(Default)]
pub struct Parent;

#[workflow_methods]
impl Parent {
    /// Has all children at once, and says what became of each.
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, (id, lives): (String, Vec<Life>)) -> WorkflowResult<Vec<String>> {
        let children = lives.iter().enumerate().map(|(number, life)| {
            let child_id = match life {
                Life::Refused => id.clone(),
                _ => format!("{id}/child-{number}"),
            };
            let ctx = ctx.clone();
            let life = *life;
            async move {
                let times = if let Life::ComesAgain { times } = life { times } else { 1 };
                let mut heard = String::new();
                for _ in 0..times {
                    heard = have(&ctx, life, child_id.clone()).await;
                    if heard != life.expected() {
                        break;
                    }
                }
                heard
            }
        });
        Ok(futures::future::join_all(children).await)
    }
}

/// What becomes of a child.
async fn have(ctx: &WorkflowContext<Parent>, life: Life, id: String) -> String {
    match ctx.start_child_workflow(Child::run, life, options(life, id)).await {
        Ok(child) => accompany(child, life).await,
        Err(error) => format!("refused{}", unexpected(life == Life::Refused, &error)),
    }
}

/// What becomes of a child that was started.
async fn accompany(child: StartedChildWorkflow<<Child as WorkflowImplementation>::Run>, life: Life) -> String {
    if life.is_left() {
        return "left".to_owned();
    }
    if life == Life::CancelledByParent {
        child.cancel("no longer needed".to_owned());
    }
    if life == Life::Signalled
        && let Err(error) = child.signal(Child::go, "go".to_owned(), SignalWorkflowOptions::default()).await
    {
        return format!("not signalled: {error}");
    }
    match child.result().await {
        Ok(result) => result,
        Err(error) => heard(&error).to_owned(),
    }
}

fn unexpected(expected: bool, error: &dyn std::fmt::Display) -> String {
    if expected { String::new() } else { format!(" for no reason: {error}") }
}

fn options(life: Life, id: String) -> ChildWorkflowOptions {
    let retried = RetryPolicy::builder()
        .initial_interval(Duration::from_millis(200))
        .backoff_coefficient(2.0)
        .maximum_interval(Duration::from_secs(2))
        .maximum_attempts(ATTEMPTS)
        .build();
    let policy = match life {
        Life::LeftToCancel => ParentClosePolicy::RequestCancel,
        Life::LeftAlone { .. } => ParentClosePolicy::Abandon,
        _ => ParentClosePolicy::Unspecified,
    };
    ChildWorkflowOptions::builder()
        .workflow_id(id)
        .parent_close_policy(policy)
        .maybe_run_timeout((life == Life::TimesOut).then_some(SHORT))
        .maybe_retry_policy((life == Life::Retries).then_some(retried))
        .build()
}

#[workflow]
#[derive(Default)]
pub struct Child {
    told: bool,
}

#[workflow_methods]
impl Child {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, life: Life) -> WorkflowResult<String> {
        match life {
            Life::Completes { after_ms } | Life::LeftAlone { for_ms: after_ms } => {
                sleep(ctx, after_ms).await;
            }
            Life::Fails => return Err(ApplicationFailure::new("this child fails").into()),
            Life::Retries => {
                if ctx.info().attempt() < ATTEMPTS {
                    return Err(ApplicationFailure::new("not yet").into());
                }
            }
            Life::ComesAgain { .. } | Life::ContinuesAsNew { runs: 0 } => {}
            Life::ContinuesAsNew { runs } => {
                ctx.continue_as_new(Life::ContinuesAsNew { runs: runs - 1 }, ContinueAsNewOptions::default())?;
            }
            Life::Signalled => {
                ctx.wait_condition(|state| state.told).await?;
                return Ok("signalled".to_owned());
            }
            Life::Refused | Life::TimesOut | Life::CancelledByParent | Life::LeftToTerminate | Life::LeftToCancel => {
                ctx.cancelled().await;
                return Err(WorkflowTermination::cancelled());
            }
        }
        Ok("completed".to_owned())
    }

    #[signal]
    pub fn go(&mut self, _ctx: &mut SyncWorkflowContext<Self>, _word: String) {
        self.told = true;
    }
}

/// Not cancelled with the workflow: see `order-saga` on timers.
async fn sleep(ctx: &mut WorkflowContext<Child>, ms: u64) {
    let apart = WorkflowCancellationToken::new();
    ctx.timer(TimerOptions::builder(Duration::from_millis(ms)).cancellation_token(apart).build()).await;
}
