//! `bad-deploy`: a version of the workflow code that panics is deployed, and repaired a while later. Workflow tasks fail
//! again and again meanwhile; afterwards every workflow goes on from where it stood.
use futures::future::{BoxFuture, FutureExt, try_join_all};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempest::{Client, Decisions, Draw, Registrations, Scenario, Workload};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{ActivityOptions, WorkflowContext, WorkflowResult};

/// Whether the repaired version is what workers run: the world outside, which no crash reaches. A run has its process to
/// itself.
static REPAIRED: AtomicBool = AtomicBool::new(false);

pub struct BadDeploy;

impl Scenario for BadDeploy {
    fn name(&self) -> &str {
        "bad-deploy"
    }

    fn about(&self) -> &str {
        "workflow code panics until it is repaired; every workflow then goes on from where it stood"
    }

    fn prepare(&self, draw: &mut Draw<'_>, _decisions: &Decisions) -> Arc<dyn Workload> {
        REPAIRED.store(false, Ordering::SeqCst);
        Arc::new(Deploys {
            workflows: draw.number("workflows", 5..=20),
            spread_ms: draw.one_of("spread_ms", &[0, 5_000, 20_000]),
            broken_ms: draw.number("broken_ms", 5_000..=60_000),
        })
    }
}

#[derive(Clone)]
struct Deploys {
    workflows: u64,
    /// Starts are spread over this time.
    spread_ms: u64,
    /// When the code is repaired, since clients began.
    broken_ms: u64,
}

impl Workload for Deploys {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<Assembly>().activities(Bench)
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        let sizes = self.clone();
        async move {
            let assemble = |number: u64| {
                let (client, sizes) = (client.clone(), sizes.clone());
                async move {
                    tokio::time::sleep(Duration::from_millis(number * sizes.spread_ms / sizes.workflows.max(1))).await;
                    let handle = client.start(Assembly::run, number, format!("assembly-{number}")).await?;
                    let parts = client.result(&handle).await?;
                    anyhow::ensure!(parts == number + 2, "assembly-{number} has {parts} parts");
                    anyhow::Ok(())
                }
            };
            let repair = async {
                tokio::time::sleep(Duration::from_millis(sizes.broken_ms)).await;
                REPAIRED.store(true, Ordering::SeqCst);
                anyhow::Ok(())
            };
            tokio::try_join!(try_join_all((0..sizes.workflows).map(assemble)), repair)?;
            Ok(())
        }
        .boxed()
    }
}

#[workflow]
#[derive(Default)]
pub struct Assembly;

#[workflow_methods]
impl Assembly {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, parts: u64) -> WorkflowResult<u64> {
        let options = || ActivityOptions::start_to_close_timeout(Duration::from_secs(10));
        let parts = ctx.execute_activity(Bench::add_part, parts, options()).await?;
        if !REPAIRED.load(Ordering::SeqCst) {
            // As a panic, but without the hook that counts panics that were not meant.
            std::panic::resume_unwind(Box::new("this version of the code is broken"));
        }
        Ok(ctx.execute_activity(Bench::add_part, parts, options()).await?)
    }
}

pub struct Bench;

#[activities]
impl Bench {
    #[activity]
    pub async fn add_part(_ctx: ActivityContext, parts: u64) -> Result<u64, ActivityError> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(parts + 1)
    }
}
