//! `control`: must fail. Its model expects what no server gives, so a harness that passes it judges nothing.
use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use tempest::{Client, Decisions, Draw, Observations, Registrations, Scenario, Violation, Workload};

use crate::hello::{GreetTwice, Greeter};

pub struct Control;

impl Scenario for Control {
    fn name(&self) -> &str {
        "control"
    }

    fn about(&self) -> &str {
        "must fail: its model expects one run more than were started"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        draw.fixed("nodes", 1);
    }

    fn prepare(&self, _draw: &mut Draw<'_>, _decisions: &Decisions) -> Arc<dyn Workload> {
        Arc::new(OneTooFew)
    }
}

struct OneTooFew;

impl Workload for OneTooFew {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<GreetTwice>().activities(Greeter)
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        async move {
            let handle = client.start(GreetTwice::run, ("nobody".to_owned(), 1), "control").await?;
            client.result(&handle).await?;
            Ok(())
        }
        .boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        let found = observations.runs.len();
        if found == 2 {
            return Vec::new();
        }
        vec![Violation::of_model(format!("the control expects two runs and found {found}, as it must"))]
    }
}
