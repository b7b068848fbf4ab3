//! The commonest mistake there is: an activity that pays again when it is executed again.
#![allow(dead_code)] // the workflow names its activities by another type

use example_orders::PayOrder;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tempest::{Registrations, Storm};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

/// Payments by order, however often.
pub type Books = Arc<Mutex<BTreeMap<String, u32>>>;

/// A bank that is paid without an idempotency key.
pub struct Careless {
    pub books: Books,
}

#[activities]
impl Careless {
    #[activity(name = "Payments::pay")]
    pub async fn pay(self: Arc<Self>, _ctx: ActivityContext, order: String) -> Result<(), ActivityError> {
        *self.books.lock().expect("no holder of this lock panics").entry(order).or_default() += 1;
        Ok(())
    }

    #[activity(name = "Payments::thank")]
    pub async fn thank(self: Arc<Self>, _ctx: ActivityContext, order: String) -> Result<String, ActivityError> {
        Ok(format!("thanks for {order}"))
    }
}

#[tempest::test(seeds = 5)]
#[should_panic(expected = "of 10 orders were paid once")]
fn an_activity_that_pays_again_is_found() -> Storm {
    let paid = Books::default();
    let books = paid.clone();
    Storm::new()
        .register(move || Registrations::new().workflow::<PayOrder>().activities(Careless { books: books.clone() }))
        .clients(|client| async move {
            for number in 0..10 {
                let id = format!("order-{number}");
                let order = client.start(PayOrder::run, id.clone(), id.clone()).await?;
                client.result(&order).await?;
            }
            Ok(())
        })
        .check(move |_| {
            match paid.lock().expect("no holder of this lock panics").values().filter(|n| **n == 1).count() {
                10 => Ok(()),
                once => Err(format!("{once} of 10 orders were paid once")),
            }
        })
}
