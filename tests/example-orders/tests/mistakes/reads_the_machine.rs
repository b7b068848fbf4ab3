//! A test whose runs cannot be repeated: it asks the machine for something that each process has otherwise.
use example_orders::{Bank, PayOrder, Payments};
use tempest::{Registrations, Storm};

#[tempest::test(seeds = 1)]
#[should_panic(expected = "one seed, two traces")]
fn a_test_that_cannot_be_repeated_is_found() -> Storm {
    Storm::new()
        .register(|| Registrations::new().workflow::<PayOrder>().activities(Payments { bank: Bank::default() }))
        .clients(|client| async move {
            // The number of this very process, which `std::process::id` does not tell in a simulation.
            let stat = std::fs::read_to_string("/proc/self/stat")?;
            let id = format!("order-{}", stat.split(' ').next().unwrap_or_default());
            let order = client.start(PayOrder::run, id.clone(), id).await?;
            client.result(&order).await?;
            Ok(())
        })
}
