//! An order that is paid once: what a team would write, without a thought of any simulator.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{ActivityOptions, WorkflowContext, WorkflowResult};

#[workflow]
#[derive(Default)]
pub struct PayOrder;

#[workflow_methods]
impl PayOrder {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, order: String) -> WorkflowResult<String> {
        let options = || ActivityOptions::start_to_close_timeout(Duration::from_secs(5));
        ctx.execute_activity(Payments::pay, order.clone(), options()).await?;
        ctx.timer(Duration::from_secs(2)).await;
        Ok(ctx.execute_activity(Payments::thank, order, options()).await?)
    }
}

/// The bank: it counts payments per order and honours idempotency keys.
#[derive(Clone, Default)]
pub struct Bank(Arc<Mutex<BTreeMap<String, u32>>>);

impl Bank {
    pub fn paid(&self) -> BTreeMap<String, u32> {
        self.0.lock().expect("no holder of this lock panics").clone()
    }

    fn pay(&self, order: &str) {
        self.0.lock().expect("no holder of this lock panics").entry(order.to_owned()).or_insert(1);
    }
}

pub struct Payments {
    pub bank: Bank,
}

#[activities]
impl Payments {
    #[activity]
    pub async fn pay(self: Arc<Self>, _ctx: ActivityContext, order: String) -> Result<(), ActivityError> {
        self.bank.pay(&order);
        Ok(())
    }

    #[activity]
    pub async fn thank(self: Arc<Self>, _ctx: ActivityContext, order: String) -> Result<String, ActivityError> {
        Ok(format!("thanks for {order}"))
    }
}
