//! `order-saga`: orders that reserve, charge and ship, and compensate in reverse order when a step fails for good or a
//! customer cancels. Long orders pay in instalments and continue as new; orders are amended by signals.
mod activities;
mod check;
mod clients;
mod shop;
mod workflow;

pub use activities::Steps;
pub use shop::Shop;
pub use workflow::{Amendment, Order, OrderSagaWorkflow, Receipt};

use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use tempest::{Client, Decisions, Draw, Observations, Registrations, Scenario, Violation, Workload};

pub struct OrderSaga;

impl Scenario for OrderSaga {
    fn name(&self) -> &str {
        "order-saga"
    }

    fn about(&self) -> &str {
        "orders reserve, charge and ship; failing or cancelled ones compensate; customers are charged once, or refunded"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        draw.one_of("nodes", &[3, 3, 4, 5]);
        draw.flag("asynchronous", 1, 4);
        draw.flag("promotions", 1, 2);
    }

    fn prepare(&self, draw: &mut Draw<'_>, decisions: &Decisions) -> Arc<dyn Workload> {
        let sizes = Sizes {
            sagas: draw.number("sagas", 50..=80),
            spread_ms: draw.number("spread_ms", 5_000..=40_000),
            instalments_max: draw.number("instalments_max", 1..=4),
            amendments_max: draw.number("amendments_max", 0..=8),
            cancel_percent: draw.one_of("cancel_percent", &[0, 10, 30]),
            step_fails_percent: draw.one_of("step_fails_percent", &[0, 10, 40]),
            fails_for_good_percent: draw.one_of("fails_for_good_percent", &[0, 10, 30]),
            ship_steps_max: draw.number("ship_steps_max", 1..=20),
            looks_max: draw.one_of("looks_max", &[3]),
        };
        Arc::new(Orders { shop: Arc::new(Shop::new(sizes.clone(), decisions.clone())), sizes })
    }
}

/// What is drawn for a run.
#[derive(Clone, Debug)]
pub struct Sizes {
    pub sagas: u64,
    /// Orders come in over this time.
    pub spread_ms: u64,
    /// A long order pays in so many instalments at most, one run each.
    pub instalments_max: u64,
    /// Amendments that a customer sends, at most.
    pub amendments_max: u64,
    /// Orders that their customer cancels.
    pub cancel_percent: u64,
    /// Tries of a step that fail and are retried.
    pub step_fails_percent: u64,
    /// Orders of which some step fails for good.
    pub fails_for_good_percent: u64,
    /// Steps of a shipment at most, a heartbeat each.
    pub ship_steps_max: u64,
    /// How often a customer looks at the order's history, at most.
    pub looks_max: u64,
}

pub struct Orders {
    shop: Arc<Shop>,
    sizes: Sizes,
}

impl Workload for Orders {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<OrderSagaWorkflow>().activities(Steps { shop: self.shop.clone() })
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        clients::place_orders(client, self.sizes.clone()).boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        check::judge(&self.shop, self.sizes.sagas, observations)
    }
}
