//! The interpreter: programs on the official SDK.
use futures::future::{FutureExt, LocalBoxFuture};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;
use tempest_program::interpret::{
    ActivityEnd, ActivityOrder, Asked, ChildEnd, ChildOrder, RunEnd, RunInput, Surroundings, Timeout, interpret,
};
use tempest_program::replay::{StepInput, UNATTENDED};
use tempest_program::{ATTRIBUTE, Activity, Backoff, CancelType, Child, ClosePolicy};
use temporalio_common::RetryPolicy;
use temporalio_common::search_attributes::SearchAttributeKey;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ActivityCancellationType, ActivityExecutionError, ActivityOptions, ApplicationFailure, ChildWorkflowOptions,
    ContinueAsNewOptions, ParentClosePolicy, SignalWorkflowOptions, SyncWorkflowContext, TimeoutType, TimerOptions,
    TimerResult, WorkflowCancellationToken, WorkflowContext, WorkflowResult, WorkflowTermination,
};

use super::steps::Steps;
use crate::outcomes::heard;

const KEY: SearchAttributeKey<i64> = SearchAttributeKey::int(ATTRIBUTE);

/// Executes a program.
#[workflow]
#[derive(Default)]
pub struct Interpreter {
    signals: VecDeque<String>,
}

#[workflow_methods]
impl Interpreter {
    #[run(name = "program")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: RunInput) -> WorkflowResult<Vec<String>> {
        match interpret(Official::new(ctx.clone()), input).await {
            RunEnd::Completed(seen) => Ok(seen),
            RunEnd::Cancelled => Err(WorkflowTermination::cancelled()),
            RunEnd::Failed { for_good, seen } => {
                let message = seen.join("; ");
                let failure = if for_good {
                    ApplicationFailure::non_retryable(message)
                } else {
                    ApplicationFailure::new(message)
                };
                Err(failure.into())
            }
            RunEnd::ContinuedAsNew(input) => match ctx.continue_as_new(input, ContinueAsNewOptions::default())? {},
        }
    }

    #[signal(name = "signal")]
    pub fn signal(&mut self, _ctx: &mut SyncWorkflowContext<Self>, name: String) {
        self.signals.push_back(name);
    }
}

/// What the official SDK offers a program.
#[derive(Clone)]
struct Official {
    ctx: WorkflowContext<Interpreter>,
    root: Scope,
}

/// What can be cancelled at once.
#[derive(Clone)]
struct Scope {
    /// Also with the workflow.
    all: WorkflowCancellationToken,
    /// By the program only: timers.
    own: WorkflowCancellationToken,
}

impl Official {
    fn new(ctx: WorkflowContext<Interpreter>) -> Official {
        let root = Scope { all: ctx.cancellation_token(), own: WorkflowCancellationToken::new() };
        Official { ctx, root }
    }
}

impl Surroundings for Official {
    type Scope = Scope;

    fn workflow_id(&self) -> String {
        self.ctx.workflow_id().to_owned()
    }

    fn root(&self) -> Scope {
        self.root.clone()
    }

    fn scope_below(&self, scope: &Scope) -> Scope {
        Scope { all: scope.all.child_token(), own: scope.own.child_token() }
    }

    fn cancel(&self, scope: &Scope) {
        scope.own.cancel();
        scope.all.cancel();
    }

    fn is_cancelled(&self, scope: &Scope) -> bool {
        scope.all.is_cancelled()
    }

    fn activity(&self, scope: &Scope, order: ActivityOrder) -> LocalBoxFuture<'static, ActivityEnd> {
        let (ctx, token) = (self.ctx.clone(), scope.all.clone());
        async move {
            let options = activity_options(&order, token);
            let input = StepInput { path: order.path, activity: order.activity };
            match ctx.execute_activity(Steps::step, input, options).await {
                Ok(attempt) => ActivityEnd::Completed(attempt),
                Err(error) => activity_end(&error),
            }
        }
        .boxed_local()
    }

    fn timer(&self, scope: &Scope, ms: u64) -> LocalBoxFuture<'static, bool> {
        let (ctx, token) = (self.ctx.clone(), scope.own.clone());
        async move {
            let options = TimerOptions::builder(Duration::from_millis(ms)).cancellation_token(token).build();
            matches!(ctx.timer(options).await, TimerResult::Fired)
        }
        .boxed_local()
    }

    fn received(&self, scope: &Scope, signal: String) -> LocalBoxFuture<'static, bool> {
        let (ctx, token) = (self.ctx.clone(), scope.all.clone());
        async move {
            // What is awaited wakes the workflow; what counts is looked at here, as the other worker looks at it.
            let mut arrived = std::pin::pin!(ctx.wait_condition_with_options(
                |state: &Interpreter| state.signals.iter().any(|other| *other == signal),
                temporalio_sdk::WaitConditionOptions::builder().cancellation_token(token).build(),
            ));
            poll_fn(|context| match arrived.as_mut().poll(context) {
                Poll::Ready(Ok(())) => Poll::Ready(ctx.state_mut(|state| take(&mut state.signals, &signal))),
                Poll::Ready(Err(_)) => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            })
            .await
        }
        .boxed_local()
    }

    fn signal(&self, workflow_id: String, signal: String) -> LocalBoxFuture<'static, Asked> {
        let ctx = self.ctx.clone();
        async move {
            let detached =
                SignalWorkflowOptions::builder().cancellation_token(WorkflowCancellationToken::new()).build();
            let sent = ctx.external_workflow(workflow_id, None).signal(Interpreter::signal, signal, detached).await;
            if sent.is_ok() { Asked::Delivered } else { Asked::Refused }
        }
        .boxed_local()
    }

    fn request_cancel(&self, workflow_id: String) -> LocalBoxFuture<'static, Asked> {
        let ctx = self.ctx.clone();
        async move {
            let asked = ctx.external_workflow(workflow_id, None).cancel(None).await;
            if asked.is_ok() { Asked::Delivered } else { Asked::Refused }
        }
        .boxed_local()
    }

    fn child(&self, scope: &Scope, order: ChildOrder) -> LocalBoxFuture<'static, ChildEnd> {
        let (ctx, token) = (self.ctx.clone(), scope.all.clone());
        async move {
            let options = child_options(&order.child, order.workflow_id, token);
            match ctx.start_child_workflow(Interpreter::run, order.input, options).await {
                Err(temporalio_sdk::ChildWorkflowStartError::Cancelled(_)) => ChildEnd::Cancelled,
                Err(_) => ChildEnd::NotStarted,
                Ok(_) if !order.child.awaited => ChildEnd::Started,
                Ok(child) => match child.result().await {
                    Ok(_) => ChildEnd::Completed,
                    Err(error) => match heard(&error) {
                        "failed" => ChildEnd::Failed,
                        "timed out" => ChildEnd::TimedOut,
                        "cancelled" => ChildEnd::Cancelled,
                        _ => ChildEnd::Terminated,
                    },
                },
            }
        }
        .boxed_local()
    }

    fn memo(&self, key: &str, value: u64) {
        let value = Some(temporalio_sdk::MemoValue::new(value));
        self.ctx.upsert_memo([(key, value)]).expect("a number has JSON");
    }

    fn attribute(&self, value: u64) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.ctx.upsert_search_attributes([KEY.value_set(value)]);
    }

    fn version(&self, change: &str) -> bool {
        self.ctx.patched(change)
    }
}

/// Takes the oldest signal of that name.
fn take(signals: &mut VecDeque<String>, name: &str) -> bool {
    let index = signals.iter().position(|signal| signal == name);
    index.and_then(|index| signals.remove(index)).is_some()
}

fn activity_end(error: &ActivityExecutionError) -> ActivityEnd {
    match (error, error.as_timeout()) {
        (ActivityExecutionError::Cancelled(_), _) => ActivityEnd::Cancelled,
        (_, Some(timeout)) => ActivityEnd::TimedOut(match timeout.timeout_type() {
            TimeoutType::ScheduleToStart => Timeout::ScheduleToStart,
            TimeoutType::ScheduleToClose => Timeout::ScheduleToClose,
            TimeoutType::Heartbeat => Timeout::Heartbeat,
            _ => Timeout::StartToClose,
        }),
        _ => ActivityEnd::Failed,
    }
}

fn activity_options(order: &ActivityOrder, token: WorkflowCancellationToken) -> ActivityOptions {
    let activity: &Activity = &order.activity;
    let ms = Duration::from_millis;
    let cancel = match activity.cancel {
        CancelType::Try => ActivityCancellationType::TryCancel,
        CancelType::Wait => ActivityCancellationType::WaitCancellationCompleted,
        CancelType::Abandon => ActivityCancellationType::Abandon,
    };
    let timeouts = match activity.schedule_to_close_ms {
        Some(whole) => temporalio_sdk::ActivityCloseTimeouts::ScheduleAndStartToClose {
            start_to_close: ms(activity.start_to_close_ms),
            schedule_to_close: ms(whole),
        },
        None => temporalio_sdk::ActivityCloseTimeouts::StartToClose(ms(activity.start_to_close_ms)),
    };
    ActivityOptions::with_close_timeouts(timeouts)
        .activity_id(order.path.clone())
        .maybe_task_queue(activity.unattended.then(|| UNATTENDED.to_owned()))
        .maybe_schedule_to_start_timeout(activity.schedule_to_start_ms.map(ms))
        .maybe_heartbeat_timeout(activity.heartbeat_ms.map(ms))
        .cancellation_type(cancel)
        .cancellation_token(token)
        .retry_policy(retry_policy(activity.attempts_max, activity.backoff))
        .build()
}

fn retry_policy(attempts_max: u32, backoff: Backoff) -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(Duration::from_millis(backoff.initial_ms))
        .backoff_coefficient(f64::from(backoff.coefficient))
        .maximum_interval(Duration::from_millis(backoff.max_ms))
        .maximum_attempts(attempts_max)
        .build()
}

fn child_options(child: &Child, workflow_id: String, token: WorkflowCancellationToken) -> ChildWorkflowOptions {
    let policy = match child.policy {
        ClosePolicy::Terminate => ParentClosePolicy::Terminate,
        ClosePolicy::Cancel => ParentClosePolicy::RequestCancel,
        ClosePolicy::Abandon => ParentClosePolicy::Abandon,
    };
    ChildWorkflowOptions::builder()
        .workflow_id(workflow_id)
        .parent_close_policy(policy)
        .cancellation_token(token)
        .maybe_run_timeout(child.run_ms.map(Duration::from_millis))
        .maybe_retry_policy(child.retry.map(|retry| retry_policy(retry.attempts_max, retry.backoff)))
        .build()
}
