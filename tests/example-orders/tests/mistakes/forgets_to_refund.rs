//! A workflow that charges, and does not refund when what was to follow does not come.
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempest::{Registrations, Storm};
use temporalio_common::RetryPolicy;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{ActivityOptions, WorkflowContext, WorkflowResult};

/// Charges, then ships, which must not be tried twice.
#[workflow]
#[derive(Default)]
pub struct BuyOrder;

#[workflow_methods]
impl BuyOrder {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, order: String) -> WorkflowResult<()> {
        let patient = ActivityOptions::start_to_close_timeout(Duration::from_secs(5));
        ctx.execute_activity(Shop::charge, order.clone(), patient).await?;
        let once = RetryPolicy::builder().maximum_attempts(1).build();
        let once = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(5)).retry_policy(once).build();
        // The mistake: where shipping has failed, `?` ends the workflow here, and the customer has paid.
        ctx.execute_activity(Shop::ship, order, once).await?;
        Ok(())
    }
}

type Orders = Arc<Mutex<BTreeSet<String>>>;

pub struct Shop {
    pub charged: Orders,
}

#[activities]
impl Shop {
    #[activity]
    pub async fn charge(self: Arc<Self>, _ctx: ActivityContext, order: String) -> Result<(), ActivityError> {
        self.charged.lock().expect("no holder of this lock panics").insert(order);
        Ok(())
    }

    #[activity]
    pub async fn ship(self: Arc<Self>, _ctx: ActivityContext, _order: String) -> Result<(), ActivityError> {
        Ok(())
    }
}

#[tempest::test(seeds = 5)]
#[should_panic(expected = "failed, and its customer has paid")]
fn an_order_that_is_charged_in_vain_is_found() -> Storm {
    let (charged, failed) = (Orders::default(), Orders::default());
    let (books, complaints) = (charged.clone(), failed.clone());
    Storm::new()
        .register(move || Registrations::new().workflow::<BuyOrder>().activities(Shop { charged: books.clone() }))
        .clients(move |client| {
            let complaints = complaints.clone();
            async move {
                for number in 0..10 {
                    let id = format!("order-{number}");
                    let order = client.start(BuyOrder::run, id.clone(), id.clone()).await?;
                    if client.result(&order).await.is_err() {
                        complaints.lock().expect("no holder of this lock panics").insert(id);
                    }
                }
                Ok(())
            }
        })
        .check(move |_| {
            let failed = failed.lock().expect("no holder of this lock panics");
            let charged = charged.lock().expect("no holder of this lock panics");
            match failed.intersection(&charged).next() {
                Some(order) => Err(format!("{order} failed, and its customer has paid")),
                None => Ok(()),
            }
        })
}
