//! `cargo test -p example-orders`; one seed again: `TEMPEST_SEED=7 cargo test -p example-orders`.
use example_orders::{Bank, PayOrder, Payments};
use tempest::{Registrations, Storm};

#[tempest::test(seeds = 20)]
fn every_order_is_paid_once() -> Storm {
    let bank = Bank::default(); // outlives every crash
    let books = bank.clone();
    Storm::new()
        .register(move || Registrations::new().workflow::<PayOrder>().activities(Payments { bank: bank.clone() }))
        .clients(|client| async move {
            for number in 0..10 {
                let id = format!("order-{number}");
                let order = client.start(PayOrder::run, id.clone(), id.clone()).await?;
                anyhow::ensure!(client.result(&order).await? == format!("thanks for {id}"));
            }
            Ok(())
        })
        .check(move |_| match books.paid().values().filter(|times| **times == 1).count() {
            10 => Ok(()),
            paid => Err(format!("{paid} of 10 orders were paid once")),
        })
}
