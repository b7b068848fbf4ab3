//! Storms for your Temporal workflows: your workflows and activities, written with the official Rust SDK, in a
//! deterministic simulation of servers, workers, clients, network, disks and clocks, under every fault you can think of.
//!
//! # In your tests
//! ```ignore
//! #[tempest::test(seeds = 20)]
//! fn every_order_is_paid_once() -> tempest::Storm {
//!     let bank = Bank::default(); // outlives every crash
//!     let books = bank.clone();
//!     tempest::Storm::new()
//!         .register(move || Registrations::new().workflow::<PayOrder>().activities(Payments { bank: bank.clone() }))
//!         .clients(|client| async move {
//!             let order = client.start(PayOrder::run, 100, "order-1").await?;
//!             client.result(&order).await?;
//!             Ok(())
//!         })
//!         .check(move |_| books.verdict())
//! }
//! ```
//! Each seed is a universe of its own, in a process of its own: other sizes, other latencies, another interleaving, other
//! faults. `TEMPEST_SEED=7 cargo test every_order` repeats one.
//!
//! # What is real and what is simulated
//! Real: the tempest server (all of it), your code, the SDK, gRPC, HTTP/2, tokio. Simulated: time, randomness, threads'
//! turns, the network below HTTP/2, the disk, power, crashes. A real socket or file in your activities fails loudly.
//!
//! # The layers
//! Each knows those before it, and none that comes after it.
//! - [`draw`]: seeds, decisions, options. [`observe`]: what is written down of a run.
//! - [`world`]: where it takes place. [`fault`]: what goes wrong there. [`worker`]: the SDK inside it.
//! - [`check`]: what must hold all the same.
//! - [`scenario`]: what happens in a run: [`Scenario`], [`Workload`], [`Storm`].
//! - [`run`]: one run, from a request to a verdict. [`campaign`]: many of them.
#![forbid(unsafe_code)]

pub mod campaign;
pub mod check;
pub mod draw;
pub mod fault;
pub mod observe;
pub mod run;
pub mod scenario;
pub mod worker;
pub mod world;

/// Every planted bug.
pub fn planted_bugs() -> Vec<PlantedBug> {
    [tempest_server::planted_bugs().as_slice(), world::DATABASE_PLANTED].concat()
}

pub use campaign::testing;
pub use check::Violation;
pub use draw::{Decisions, Draw, Seed};
pub use observe::Observations;
pub use run::{PHASES, Watch};
pub use scenario::{Scenario, Storm, Workload};
pub use tempest_api::proto;
pub use tempest_core::planted::PlantedBug;
pub use tempest_macros::test;
pub use worker::{Client, Handle, NAMESPACE, ProtocolWorker, Registrations, TASK_QUEUE};
