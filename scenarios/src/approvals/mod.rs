//! `approvals`: applications that wait for a person. Each comes in page by page, the first page starting its workflow; then an
//! activity lays it on a desk and is completed from outside, by a clerk who knows it by its ids alone. Some applicants
//! change their minds. Readers follow each case forwards and backwards, page by page, and workers evict it from their caches.
mod applicants;
mod check;
mod clerk;
mod desk;
mod evictions;
mod reader;
mod workflow;

use desk::Desk;
use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use tempest::{Client, Decisions, Draw, Observations, Registrations, Scenario, Violation, Workload};

pub struct Approvals;

impl Scenario for Approvals {
    fn name(&self) -> &str {
        "approvals"
    }

    fn about(&self) -> &str {
        "applications that clerks decide from outside, by id; nothing that a clerk was told is done is lost or done twice"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        draw.one_of("nodes", &[1, 3, 3, 5]);
    }

    fn prepare(&self, draw: &mut Draw<'_>, _decisions: &Decisions) -> Arc<dyn Workload> {
        let sizes = Sizes {
            applications: draw.number("applications", 15..=30),
            spread_ms: draw.number("spread_ms", 5_000..=30_000),
            pages_max: draw.number("pages_max", 1..=4),
            notes_max: draw.number("notes_max", 0..=4),
            returned_percent: draw.one_of("returned_percent", &[0, 20, 50]),
            refused_percent: draw.one_of("refused_percent", &[0, 20]),
            withdrawn_percent: draw.one_of("withdrawn_percent", &[0, 20]),
        };
        Arc::new(Office { desk: Arc::default(), sizes })
    }
}

/// What is drawn for a run.
#[derive(Clone, Debug)]
struct Sizes {
    applications: u64,
    /// Applications come in over this time.
    spread_ms: u64,
    /// Pages of one application at most, each a signal.
    pages_max: u64,
    /// Notes that a clerk makes while deciding, at most, each a heartbeat.
    notes_max: u64,
    /// Tries after which a clerk puts an application back on the desk.
    returned_percent: u64,
    /// Tries that refuse an application for good.
    refused_percent: u64,
    /// Applications that their applicant withdraws.
    withdrawn_percent: u64,
}

struct Office {
    desk: Arc<Desk>,
    sizes: Sizes,
}

impl Workload for Office {
    fn register(&self) -> Registrations {
        Registrations::new()
            .workflow::<workflow::Application>()
            .activities(workflow::Clerks { desk: self.desk.clone() })
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        applicants::apply(client, self.desk.clone(), self.sizes.clone()).boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        check::judge(&self.desk, self.sizes.applications, observations)
    }
}
