//! `signal-mesh`: workflows that signal each other in a pattern drawn from the seed. Each must get every signal that is
//! meant for it once, those of one sender in the order in which they were sent; a caller of a workflow that does not exist
//! must be told so.
mod pattern;
mod workflows;

pub use workflows::{Bystander, Greeting, Path, Walker, Way};

use futures::future::{BoxFuture, FutureExt, try_join_all};
use pattern::{Pattern, walker_id};
use std::sync::Arc;
use std::time::Duration;
use tempest::{Client, Decisions, Draw, Observations, Registrations, Scenario, Violation, Workload};

pub struct SignalMesh;

impl Scenario for SignalMesh {
    fn name(&self) -> &str {
        "signal-mesh"
    }

    fn about(&self) -> &str {
        "workflows signal each other in a drawn pattern, each signal once and in order; missing targets are not found"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        draw.one_of("nodes", &[3, 3, 4, 5]);
    }

    fn prepare(&self, draw: &mut Draw<'_>, decisions: &Decisions) -> Arc<dyn Workload> {
        let sizes = Sizes {
            walkers: draw.number("walkers", 15..=25),
            paths_max: draw.number("paths_max", 1..=5),
            signals_max: draw.number("signals_max", 1..=5),
            pause_ms_max: draw.one_of("pause_ms_max", &[0, 500, 3_000]),
            missing_targets_percent: draw.one_of("missing_targets_percent", &[0, 20, 50]),
            continue_as_new_percent: draw.one_of("continue_as_new_percent", &[0, 0, 50]),
            spread_ms: draw.one_of("spread_ms", &[0, 1_000, 10_000]),
        };
        Arc::new(Walkers { pattern: Arc::new(Pattern::draw(decisions, &sizes)), spread_ms: sizes.spread_ms })
    }
}

/// What is drawn for a run.
#[derive(Clone, Debug)]
struct Sizes {
    walkers: u64,
    /// Others that one walker signals, at most.
    paths_max: u64,
    /// Signals from one walker to another, at most.
    signals_max: u64,
    /// Before each signal, at most.
    pause_ms_max: u64,
    /// Walkers that call a workflow that does not exist.
    missing_targets_percent: u64,
    /// Walkers that go on in another run after each signal.
    continue_as_new_percent: u64,
    /// Walkers set out over this time.
    spread_ms: u64,
}

struct Walkers {
    pattern: Arc<Pattern>,
    spread_ms: u64,
}

impl Workload for Walkers {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<Walker>()
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        let (pattern, spread_ms) = (self.pattern.clone(), self.spread_ms);
        async move {
            let walkers = (0..).zip(pattern.0.clone());
            let walk = |(number, way)| walk(client.clone(), pattern.clone(), spread_ms, number, way);
            try_join_all(walkers.map(walk)).await?;
            Ok(())
        }
        .boxed()
    }

    fn check(&self, observations: &Observations) -> Vec<Violation> {
        let walkers = (0..).zip(&self.pattern.0);
        let wrong = walkers.filter_map(|(number, way)| {
            let id = walker_id(number);
            let runs = observations.chain(&id);
            let is_right = runs.len() == 1 || (way.continues_as_new && runs.len() > 1);
            (!is_right).then(|| Violation::of_model(format!("{id} has {} runs", runs.len())).about_each(runs))
        });
        wrong.collect()
    }
}

async fn walk(client: Client, pattern: Arc<Pattern>, spread_ms: u64, number: u64, way: Way) -> anyhow::Result<()> {
    let id = walker_id(number);
    let begins_ms = client.decisions().between(&format!("signal_mesh.begins.{id}"), 0, 0..=spread_ms);
    tokio::time::sleep(Duration::from_millis(begins_ms)).await;
    let handle = client.start(Walker::run, way, id).await?;
    let walked = client.result(&handle).await?;
    pattern.judge(number, &walked).map_err(anyhow::Error::msg)
}
