//! The order, as a team would write it.
use super::activities::Steps;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use temporalio_common::RetryPolicy;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ActivityExecutionError, ActivityOptions, ContinueAsNewOptions, SyncWorkflowContext, TimerOptions,
    WorkflowCancellationToken, WorkflowContext, WorkflowResult, WorkflowTermination,
};

/// Longer than any storm.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
const LETTER_ATTEMPTS: u32 = 3;

/// What a customer wants, and what earlier runs of the same order have done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: String,
    pub price_cents: u64,
    pub instalments: u64,
    /// How long the customer may change their mind before the first charge.
    pub cooling_off_ms: u64,
    /// Instalments that have been paid.
    pub paid: u64,
    pub amendments: Vec<Amendment>,
}

/// A change that a customer asks for, numbered from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    pub number: u64,
    pub note: String,
}

/// What a customer gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub order: String,
    pub charged_cents: u64,
    pub parcel: String,
    pub amendments: Vec<Amendment>,
}

/// One step's doing; its idempotency key is the same on every try and in every run of the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub order: String,
    pub key: String,
    pub cents: u64,
}

#[workflow]
#[derive(Default)]
pub struct OrderSagaWorkflow {
    amendments: Vec<Amendment>,
}

/// What must be undone, in the order in which it was begun. A step is listed before it is tried: a lost answer says
/// nothing about what was done.
#[derive(Clone, Debug)]
enum Undo {
    Release(Step),
    Refund(Step),
    Recall(Step),
}

/// Why an order is not delivered.
#[allow(clippy::large_enum_variant)] // one at a time, on its way out of a function
enum Trouble {
    Cancelled,
    Failed(ActivityExecutionError),
}

impl From<ActivityExecutionError> for Trouble {
    fn from(error: ActivityExecutionError) -> Trouble {
        match error {
            ActivityExecutionError::Cancelled(_) => Trouble::Cancelled,
            other => Trouble::Failed(other),
        }
    }
}

#[workflow_methods]
impl OrderSagaWorkflow {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, order: Order) -> WorkflowResult<Receipt> {
        ctx.state_mut(|state| {
            // Signals of this run's first task may be there already.
            let early = std::mem::take(&mut state.amendments);
            state.amendments = order.amendments.iter().cloned().chain(early).collect();
        });
        let mut undo = earlier_runs(&order);
        // How long a customer would wait at most: never reached, and called off when the order ends.
        let patience = WorkflowCancellationToken::new();
        let aside = ctx.clone();
        let _given_up = aside.timer(apart_timer(PATIENCE, patience.clone()));
        let fulfilled = Self::fulfil(ctx, &order, &mut undo).await;
        patience.cancel();
        match fulfilled {
            Ok(Some(receipt)) => {
                // Whether the letter arrives changes nothing.
                let letter = step(&order, "letter", 0);
                let _ = ctx.execute_activity(Steps::write, letter, letter_options()).await;
                Ok(receipt)
            }
            Ok(None) => {
                let amendments = ctx.state(|state| state.amendments.clone());
                let next = Order { paid: order.paid + 1, amendments, ..order };
                ctx.continue_as_new(next, ContinueAsNewOptions::default())?;
                unreachable!("continuing as new ends this run")
            }
            Err(trouble) => {
                Self::compensate(ctx, undo).await?;
                match trouble {
                    Trouble::Cancelled => Err(WorkflowTermination::cancelled()),
                    Trouble::Failed(error) => Err(error.into()),
                }
            }
        }
    }

    /// The customer changes the order.
    #[signal]
    pub fn amend(&mut self, _ctx: &mut SyncWorkflowContext<Self>, amendment: Amendment) {
        self.amendments.push(amendment);
    }

    /// A receipt once everything is done; nothing if another run goes on with the next instalment.
    async fn fulfil(
        ctx: &mut WorkflowContext<Self>,
        order: &Order,
        undo: &mut Vec<Undo>,
    ) -> Result<Option<Receipt>, Trouble> {
        if order.paid == 0 {
            let reserve = step(order, "reserve", 0);
            undo.push(Undo::Release(reserve.clone()));
            ctx.execute_activity(Steps::reserve, reserve, options(None)).await?;
            // Not cancelled with the workflow: a history may hold a cancel request and then, before any workflow task
            // could answer it, the firing of the timer; SDK 1.1.1 fails such a task forever, having dropped the timer.
            let cooling_off = Duration::from_millis(order.cooling_off_ms);
            ctx.timer(apart_timer(cooling_off, WorkflowCancellationToken::new())).await;
            if ctx.cancellation_token().is_cancelled() {
                return Err(Trouble::Cancelled);
            }
        }
        let charge = instalment(order, order.paid + 1);
        undo.push(Undo::Refund(charge.clone()));
        ctx.execute_activity(Steps::charge, charge, options(None)).await?;
        if order.paid + 1 < order.instalments {
            return Ok(None);
        }
        let ship = step(order, "ship", 0);
        undo.push(Undo::Recall(ship.clone()));
        let parcel = ctx.execute_activity(Steps::ship, ship, shipping_options()).await?;
        let charged_cents = (1..=order.instalments).map(|number| instalment(order, number).cents).sum();
        let amendments = ctx.state(|state| state.amendments.clone());
        Ok(Some(Receipt { order: order.id.clone(), charged_cents, parcel, amendments }))
    }

    /// Undoes everything in reverse order, cancelled or not.
    async fn compensate(ctx: &mut WorkflowContext<Self>, undo: Vec<Undo>) -> Result<(), ActivityExecutionError> {
        for one in undo.into_iter().rev() {
            let apart = options(Some(WorkflowCancellationToken::new()));
            match one {
                Undo::Release(step) => ctx.execute_activity(Steps::release, step, apart).await?,
                Undo::Refund(step) => ctx.execute_activity(Steps::refund, step, apart).await?,
                Undo::Recall(step) => ctx.execute_activity(Steps::recall, step, apart).await?,
            }
        }
        Ok(())
    }
}

fn earlier_runs(order: &Order) -> Vec<Undo> {
    let mut undo = Vec::new();
    if order.paid > 0 {
        undo.push(Undo::Release(step(order, "reserve", 0)));
    }
    undo.extend((1..=order.paid).map(|number| Undo::Refund(instalment(order, number))));
    undo
}

fn step(order: &Order, name: &str, cents: u64) -> Step {
    Step { order: order.id.clone(), key: format!("{}/{name}", order.id), cents }
}

/// Equal parts; the last takes what division leaves.
fn instalment(order: &Order, number: u64) -> Step {
    let part = order.price_cents / order.instalments;
    let rest = if number == order.instalments { order.price_cents % order.instalments } else { 0 };
    step(order, &format!("charge-{number}"), part + rest)
}

fn retries() -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(Duration::from_millis(200))
        .backoff_coefficient(2.0)
        .maximum_interval(Duration::from_secs(5))
        .build()
}

fn options(apart: Option<WorkflowCancellationToken>) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(Duration::from_secs(5))
        .retry_policy(retries())
        .maybe_cancellation_token(apart)
        .build()
}

/// Tried a few times and no more.
fn letter_options() -> ActivityOptions {
    let few = RetryPolicy::builder()
        .initial_interval(Duration::from_millis(100))
        .maximum_interval(Duration::from_secs(1))
        .maximum_attempts(LETTER_ATTEMPTS)
        .build();
    ActivityOptions::with_start_to_close_timeout(Duration::from_secs(2))
        .retry_policy(few)
        .cancellation_token(WorkflowCancellationToken::new())
        .build()
}

fn apart_timer(duration: Duration, token: WorkflowCancellationToken) -> TimerOptions {
    TimerOptions::builder(duration).cancellation_token(token).build()
}

fn shipping_options() -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(Duration::from_secs(60))
        .heartbeat_timeout(Duration::from_secs(3))
        .retry_policy(retries())
        .build()
}
