//! A workflow that asks the machine what time it is: its code takes another way when it is replayed later.
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempest::{Registrations, Storm};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{ActivityOptions, WorkflowContext, WorkflowResult};

/// Sends an order by courier in some seconds and by post in the others.
#[workflow]
#[derive(Default)]
pub struct SendOrder;

#[workflow_methods]
impl SendOrder {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, order: String) -> WorkflowResult<()> {
        let options = || ActivityOptions::start_to_close_timeout(Duration::from_secs(5));
        ctx.execute_activity(Warehouse::pack, order.clone(), options()).await?;
        // `ctx.workflow_time()` is the time that a replay has, too.
        let second = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if second.is_multiple_of(2) {
            ctx.execute_activity(Warehouse::courier, order, options()).await?;
        } else {
            ctx.execute_activity(Warehouse::post, order, options()).await?;
        }
        Ok(())
    }
}

pub struct Warehouse;

#[activities]
impl Warehouse {
    #[activity]
    pub async fn pack(_ctx: ActivityContext, _order: String) -> Result<(), ActivityError> {
        Ok(())
    }

    #[activity]
    pub async fn courier(_ctx: ActivityContext, _order: String) -> Result<(), ActivityError> {
        Ok(())
    }

    #[activity]
    pub async fn post(_ctx: ActivityContext, _order: String) -> Result<(), ActivityError> {
        Ok(())
    }
}

#[tempest::test(seeds = 5)]
#[should_panic(expected = "does not replay")]
fn a_workflow_that_reads_the_clock_is_found() -> Storm {
    Storm::new().register(|| Registrations::new().workflow::<SendOrder>().activities(Warehouse)).clients(
        |client| async move {
            for number in 0..5 {
                let id = format!("order-{number}");
                let order = client.start(SendOrder::run, id.clone(), id).await?;
                client.result(&order).await?;
            }
            Ok(())
        },
    )
}
