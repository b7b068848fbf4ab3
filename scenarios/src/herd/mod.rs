//! `herd`: all servers lose their power at once while workflows wait for timers and activities, and come back at once.
//! Everything that came due meanwhile is due in that moment, everybody connects in that moment, and all of it must drain.
mod outage;
mod workflow;

use futures::future::{BoxFuture, FutureExt, try_join_all};
use outage::Outage;
use std::sync::Arc;
use std::time::Duration;
use tempest::fault::{PlannedFault, Targets};
use tempest::{Client, Decisions, Draw, Observations, Registrations, Scenario, Violation, Workload};
use workflow::{HerdActivities, HerdWorkflow, Route};

/// Waits end at the earliest so long before the outage, and at the latest so long after it.
const MARGIN_MS: u64 = 1_000;

pub struct Herd;

impl Scenario for Herd {
    fn name(&self) -> &str {
        "herd"
    }

    fn about(&self) -> &str {
        "all servers lose their power at once while timers and activities are under way; they come back at once and drain"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        draw.one_of("nodes", &[3, 3, 4, 5]);
        // The outage is to be over before the storm is.
        draw.number("storm_ms", 40_000..=60_000);
    }

    fn faults(&self, draw: &mut Draw<'_>, targets: &Targets) -> Vec<PlannedFault> {
        Outage::draw(draw).faults(targets)
    }

    fn prepare(&self, draw: &mut Draw<'_>, _decisions: &Decisions) -> Arc<dyn Workload> {
        Arc::new(Drive {
            outage: Outage::draw(draw),
            sizes: Sizes {
                workflows: draw.number("workflows", 60..=140),
                long_activities_percent: draw.one_of("long_activities_percent", &[0, 20, 50]),
            },
        })
    }
}

/// What is drawn for a run.
#[derive(Clone, Debug)]
struct Sizes {
    workflows: u64,
    /// Workflows that wait by an activity, not by a timer.
    long_activities_percent: u64,
}

#[derive(Clone)]
struct Drive {
    outage: Outage,
    sizes: Sizes,
}

impl Drive {
    /// When a workflow is started, and what it does: its wait is over at about the time of the outage.
    fn plan(&self, decisions: &Decisions, number: u64) -> (u64, Route) {
        let starts_ms = decisions.between("herd.starts", number, 0..=self.outage.at_ms / 2);
        let earliest_ms = self.outage.at_ms.saturating_sub(MARGIN_MS).max(starts_ms);
        let latest_ms = self.outage.over_ms() + MARGIN_MS;
        let due_ms = decisions.between("herd.due", number, earliest_ms..=latest_ms);
        let long_activity = decisions.chance("herd.long_activity", number, self.sizes.long_activities_percent, 100);
        (starts_ms, Route { number, wait_ms: due_ms - starts_ms, long_activity })
    }
}

impl Workload for Drive {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<HerdWorkflow>().activities(HerdActivities)
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        let drive = self.clone();
        async move {
            let one = |number: u64| {
                let client = client.clone();
                let (starts_ms, route) = drive.plan(client.decisions(), number);
                async move {
                    tokio::time::sleep(Duration::from_millis(starts_ms)).await;
                    let handle = client.start(HerdWorkflow::run, route, format!("herd-{number}")).await?;
                    let steps = client.result(&handle).await?;
                    anyhow::ensure!(steps == number + 2, "herd-{number} ends with {steps}");
                    anyhow::Ok(())
                }
            };
            try_join_all((0..drive.sizes.workflows).map(one)).await?;
            Ok(())
        }
        .boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        let (expected, found) = (self.sizes.workflows, observations.runs.len() as u64);
        if found == expected {
            return Vec::new();
        }
        vec![Violation::of_model(format!("{expected} workflows were started, {found} runs exist"))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempest::Seed;

    #[test]
    fn waits_end_around_the_outage() {
        let decisions = Decisions::new(Seed(7), []);
        let outage = Outage { at_ms: 10_000, down_ms: 4_000, databases: 0 };
        let drive = Drive { outage, sizes: Sizes { workflows: 200, long_activities_percent: 20 } };
        let plans: Vec<(u64, Route)> = (0..200).map(|number| drive.plan(&decisions, number)).collect();
        assert!(plans.iter().all(|(starts_ms, _)| *starts_ms <= 5_000));
        let due: Vec<u64> = plans.iter().map(|(starts_ms, route)| starts_ms + route.wait_ms).collect();
        assert!(due.iter().all(|due_ms| (9_000..=15_000).contains(due_ms)));
        let during = due.iter().filter(|due_ms| (10_000..14_000).contains(*due_ms)).count();
        assert!(during > 80, "{during} of 200 come due while nobody is there");
        let long_activity = plans.iter().filter(|(_, route)| route.long_activity).count();
        assert!((20..60).contains(&long_activity), "{long_activity} of 200 wait by an activity");
    }
}
