//! `hundred-children`: one parent with many children, whose ids spread them over all shards and nodes. Some fail on purpose;
//! the parent must know in the end how many did, and what the others yielded.
mod chores;
mod workflows;

use crate::outcomes::ends_with;
use chores::Chore;
use futures::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use std::time::Duration;
use tempest::proto::enums::v1::EventType;
use tempest::{Client, Decisions, Draw, Observations, Registrations, Scenario, Violation, Workload};
use workflows::{Household, OneOfMany, ParentOfMany, child_id};

/// Workflow id of the parent.
const PARENT: &str = "parent";

pub struct HundredChildren;

impl Scenario for HundredChildren {
    fn name(&self) -> &str {
        "hundred-children"
    }

    fn about(&self) -> &str {
        "a parent with about a hundred children over all shards; it knows how many failed and what the others yielded"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        draw.one_of("nodes", &[3, 3, 4, 5]);
        draw.one_of("shards", &[4, 16, 64]);
    }

    fn prepare(&self, draw: &mut Draw<'_>, decisions: &Decisions) -> Arc<dyn Workload> {
        let sizes = Sizes {
            children: draw.number("children", 60..=140),
            wave: draw.one_of("wave", &[10, 40, 1_000]),
            fails_percent: draw.one_of("fails_percent", &[0, 10, 30]),
            takes_ms_max: draw.one_of("takes_ms_max", &[1_000, 5_000, 20_000]),
            begins_ms: draw.number("begins_ms", 0..=10_000),
        };
        Arc::new(Nursery { chores: chores::draw(decisions, &sizes), sizes })
    }
}

/// What is drawn for a run.
#[derive(Clone, Debug)]
struct Sizes {
    children: u64,
    /// Children at one time.
    wave: u64,
    /// Children that fail.
    fails_percent: u64,
    /// What a child is busy for, at most.
    takes_ms_max: u64,
    /// When the parent begins.
    begins_ms: u64,
}

struct Nursery {
    sizes: Sizes,
    /// By the number of the child.
    chores: Vec<Chore>,
}

impl Workload for Nursery {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<ParentOfMany>().workflow::<OneOfMany>().activities(Household)
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        let (sizes, chores) = (self.sizes.clone(), self.chores.clone());
        async move {
            tokio::time::sleep(Duration::from_millis(sizes.begins_ms)).await;
            let expected = chores::expected(&chores);
            let parent = client.start(ParentOfMany::run, (chores, sizes.wave), PARENT).await?;
            let summary = client.result(&parent).await?;
            anyhow::ensure!(summary == expected, "the parent says {summary:?}, expected {expected:?}");
            Ok(())
        }
        .boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        let children = (0..).zip(&self.chores);
        children.flat_map(|(number, chore)| child(observations, &child_id(PARENT, number), chore)).collect()
    }
}

/// A child is there once, and ends as it was meant to.
fn child(observations: &Observations, id: &str, chore: &Chore) -> Vec<Violation> {
    let meant = if chore.fails { EventType::WorkflowExecutionFailed } else { EventType::WorkflowExecutionCompleted };
    let runs = observations.chain(id);
    let not_once =
        (runs.len() != 1).then(|| Violation::of_model(format!("{id} has {} runs", runs.len())).about_each(runs));
    not_once.into_iter().chain(ends_with(observations, id, meant)).collect()
}
