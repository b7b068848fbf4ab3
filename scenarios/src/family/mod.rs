//! `family`: parents with children spread over the shards, which end in every way there is; and walkers that cross each
//! other's way with signals, and end with one cancelling a bystander. Parents must hear exactly what became of each child,
//! walkers must get each signal once and in order, and what a parent leaves behind must be ended as its policy says.
mod check;
mod clients;
mod workflows;

use crate::signal_mesh::{Bystander, Walker};
use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use tempest::{Client, Decisions, Draw, Observations, Registrations, Scenario, Violation, Workload};

pub struct Family;

impl Scenario for Family {
    fn name(&self) -> &str {
        "family"
    }

    fn about(&self) -> &str {
        "parents hear what became of each child; walkers signal each other; policies end what parents leave behind"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        draw.one_of("nodes", &[1, 3, 3, 5]);
    }

    fn prepare(&self, draw: &mut Draw<'_>, _decisions: &Decisions) -> Arc<dyn Workload> {
        Arc::new(Families {
            sizes: Sizes {
                parents: draw.number("parents", 5..=15),
                children_max: draw.number("children_max", 1..=8),
                walkers: draw.number("walkers", 2..=8),
                signals: draw.number("signals", 1..=6),
                spread_ms: draw.number("spread_ms", 1_000..=30_000),
            },
        })
    }
}

/// What is drawn for a run.
#[derive(Clone, Debug)]
struct Sizes {
    parents: u64,
    /// Children of one parent at most.
    children_max: u64,
    /// Walkers on a ring, each of which signals the next one.
    walkers: u64,
    /// Signals from each walker to the next.
    signals: u64,
    /// Parents and walkers begin over this time.
    spread_ms: u64,
}

struct Families {
    sizes: Sizes,
}

impl Workload for Families {
    fn register(&self) -> Registrations {
        Registrations::new()
            .workflow::<workflows::Parent>()
            .workflow::<workflows::Child>()
            .workflow::<Walker>()
            .workflow::<Bystander>()
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        clients::live(client, self.sizes.clone()).boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        check::judge(self.sizes.parents, self.sizes.walkers, observations)
    }
}
