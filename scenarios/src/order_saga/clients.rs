//! The customers: they order, change their minds, and wait for their parcels.
use super::Sizes;
use super::workflow::{Amendment, Order, OrderSagaWorkflow};
use futures::future::try_join_all;
use std::time::Duration;
use tempest::Client;
use temporalio_client::errors::WorkflowGetResultError;

/// Every customer at once.
pub async fn place_orders(client: Client, sizes: Sizes) -> anyhow::Result<()> {
    try_join_all((0..sizes.sagas).map(|number| customer(client.clone(), sizes.clone(), number))).await?;
    Ok(())
}

async fn customer(client: Client, sizes: Sizes, number: u64) -> anyhow::Result<()> {
    let decisions = client.decisions().clone();
    let id = format!("order-{number}");
    let draw = |what: &str, ordinal: u64, range| decisions.between(&format!("saga.{what}.{id}"), ordinal, range);
    sleep(draw("arrives", 0, 0..=sizes.spread_ms)).await;
    let order = Order {
        id: id.clone(),
        price_cents: draw("price", 0, 100..=99_999),
        instalments: draw("instalments", 0, 1..=sizes.instalments_max.max(1)),
        cooling_off_ms: draw("cooling_off", 0, 10..=4_000),
        ..Order::default()
    };
    let handle = client.start(OrderSagaWorkflow::run, order.clone(), id.clone()).await?;
    let amending = async {
        for number in 1..=draw("amendments", 0, 0..=sizes.amendments_max) {
            sleep(draw("amends_after", number, 0..=2_000)).await;
            let amendment = Amendment { number, note: format!("change {number} of {id}") };
            // An order that has ended cannot be changed any more.
            if !client.signal(&handle, OrderSagaWorkflow::amend, amendment).await? {
                break;
            }
        }
        anyhow::Ok(())
    };
    let looking = async {
        for number in 0..draw("looks", 0, 0..=sizes.looks_max) {
            sleep(draw("looks_after", number, 0..=3_000)).await;
            // A look may fail: what counts is that what is shown is true.
            let _ = client.history(&handle).await;
        }
        anyhow::Ok(())
    };
    let cancelling = async {
        if draw("cancels", 0, 1..=100) <= sizes.cancel_percent {
            sleep(draw("cancels_after", 0, 0..=8_000)).await;
            client.cancel(&handle, "the customer changed their mind").await?;
        }
        anyhow::Ok(())
    };
    futures::future::try_join3(amending, looking, cancelling).await?;
    let mut result = client.result(&handle).await;
    while client.losses_allowed() && result.as_ref().is_err_and(is_not_found) {
        // The shop has forgotten the order: it is ordered once more.
        client.start(OrderSagaWorkflow::run, order.clone(), id.clone()).await?;
        result = client.result(&handle).await;
    }
    match result {
        Ok(receipt) => {
            let mut numbers: Vec<u64> = receipt.amendments.iter().map(|amendment| amendment.number).collect();
            // An amendment delivered once more after a continue-as-new is in the new run too.
            let mut seen = std::collections::BTreeSet::new();
            numbers.retain(|number| seen.insert(*number));
            let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
            // Any of them may have been forgotten, and those behind it not.
            let as_sent = numbers == expected || client.losses_allowed();
            anyhow::ensure!(as_sent, "{id} saw its amendments as {numbers:?}");
            Ok(())
        }
        // Refused and cancelled orders end so; the shop's books tell whether that is right.
        Err(error) if error.is_workflow_outcome() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn is_not_found(error: &WorkflowGetResultError) -> bool {
    matches!(error, WorkflowGetResultError::NotFound(_))
}

async fn sleep(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
