//! The steps of an order: each talks to the shop's services, fails on purpose now and then, and may be repeated.
use super::shop::Shop;
use super::workflow::Step;
use std::sync::Arc;
use std::time::Duration;
use temporalio_macros::activities;
use temporalio_sdk::ApplicationFailure;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

/// The activities of a worker; the shop behind them survives every worker.
pub struct Steps {
    pub shop: Arc<Shop>,
}

impl Steps {
    /// Time passes on the way to a service and back: a worker may die on either.
    async fn travel(&self, step: &Step, leg: &str, attempt: u32) {
        let ms = self.shop.decisions().between(&format!("saga.travel.{}.{leg}", step.key), attempt.into(), 1..=80);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    /// Does one step at a service, or fails as was decided.
    async fn call(&self, ctx: &ActivityContext, step: &Step, operation: fn(&Shop, &Step)) -> Result<(), ActivityError> {
        let attempt = ctx.info().attempt;
        self.travel(step, "there", attempt).await;
        self.maybe_fail(step, attempt)?;
        operation(&self.shop, step);
        self.travel(step, "back", attempt).await;
        Ok(())
    }

    fn maybe_fail(&self, step: &Step, attempt: u32) -> Result<(), ActivityError> {
        if self.shop.fails_for_good(step) {
            return Err(ActivityError::application(ApplicationFailure::non_retryable(format!(
                "{} is refused",
                step.key
            ))));
        }
        if self.shop.fails_now(step, attempt) {
            return Err(ActivityError::application(ApplicationFailure::new(format!("{} is out of order", step.key))));
        }
        Ok(())
    }
}

#[activities]
impl Steps {
    #[activity]
    pub async fn reserve(self: Arc<Self>, ctx: ActivityContext, step: Step) -> Result<(), ActivityError> {
        self.call(&ctx, &step, Shop::reserve).await
    }

    #[activity]
    pub async fn charge(self: Arc<Self>, ctx: ActivityContext, step: Step) -> Result<(), ActivityError> {
        self.call(&ctx, &step, Shop::charge).await
    }

    /// Takes long, tells how far it is, and goes on from there when tried again.
    #[activity]
    pub async fn ship(self: Arc<Self>, ctx: ActivityContext, step: Step) -> Result<String, ActivityError> {
        let attempt = ctx.info().attempt;
        self.maybe_fail(&step, attempt)?;
        let done: u64 = ctx.heartbeat_details().deserialize()?.unwrap_or(0);
        for number in done..self.shop.ship_steps(&step) {
            if ctx.is_cancelled() {
                return Err(ActivityError::cancelled());
            }
            self.travel(&step, "leg", u32::try_from(number).unwrap_or(0)).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            ctx.record_heartbeat(number + 1).await?;
        }
        self.shop.ship(&step);
        Ok(format!("parcel of {}", step.order))
    }

    /// Fails more often than not, so that its few tries are used up.
    #[activity]
    pub async fn write(self: Arc<Self>, ctx: ActivityContext, step: Step) -> Result<(), ActivityError> {
        let attempt = ctx.info().attempt;
        self.travel(&step, "there", attempt).await;
        if self.shop.letter_is_lost(&step, attempt) {
            return Err(ActivityError::application(ApplicationFailure::new(format!("{} is lost", step.key))));
        }
        Ok(())
    }

    #[activity]
    pub async fn release(self: Arc<Self>, ctx: ActivityContext, step: Step) -> Result<(), ActivityError> {
        self.undo(&ctx, &step, Shop::release).await
    }

    #[activity]
    pub async fn refund(self: Arc<Self>, ctx: ActivityContext, step: Step) -> Result<(), ActivityError> {
        self.undo(&ctx, &step, Shop::refund).await
    }

    #[activity]
    pub async fn recall(self: Arc<Self>, ctx: ActivityContext, step: Step) -> Result<(), ActivityError> {
        self.undo(&ctx, &step, Shop::recall).await
    }
}

impl Steps {
    /// Undoing fails now and then, but never for good.
    async fn undo(&self, ctx: &ActivityContext, step: &Step, operation: fn(&Shop, &Step)) -> Result<(), ActivityError> {
        let attempt = ctx.info().attempt;
        self.travel(step, "undo", attempt).await;
        if self.shop.fails_now(step, attempt.saturating_add(1_000)) {
            return Err(ActivityError::application(ApplicationFailure::new(format!("{} is out of order", step.key))));
        }
        operation(&self.shop, step);
        Ok(())
    }
}
